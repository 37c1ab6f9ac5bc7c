"""Listens, starts a program in its place as a service manager would, and says whether the sockets are as they were afterwards.

activate.py NAMES KINDS [--pid=N] [--fds=N] -- PROGRAM [ARGUMENTS]

KINDS: tcp, datagram, connected, file, unix:PATH, one for each of NAMES (separated by ':'; "-" leaves LISTEN_FDNAMES out). Prints "port N" for each
tcp socket, then what the program prints, then "exit N" and "unchanged", or what changed.
"""

import fcntl
import os
import socket
import struct
import sys

OPTIONS = {
    "SO_REUSEADDR": (socket.SOL_SOCKET, socket.SO_REUSEADDR, 4),
    "SO_REUSEPORT": (socket.SOL_SOCKET, socket.SO_REUSEPORT, 4),
    "SO_KEEPALIVE": (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 4),
    "SO_LINGER": (socket.SOL_SOCKET, socket.SO_LINGER, 8),
    "SO_SNDBUF": (socket.SOL_SOCKET, socket.SO_SNDBUF, 4),
    "SO_RCVBUF": (socket.SOL_SOCKET, socket.SO_RCVBUF, 4),
    "SO_ACCEPTCONN": (socket.SOL_SOCKET, socket.SO_ACCEPTCONN, 4),
}
MAX_BACKLOG_IN_TCP_INFO = 28


def open_one(kind):
    if kind == "file":
        return open("/dev/null", "rb")
    if kind == "datagram":
        return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if kind == "connected":
        return socket.socketpair()[0]
    if kind == "tcp":
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        print("port", listener.getsockname()[1], flush=True)
    else:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(kind[len("unix:"):])
    listener.listen(7)
    return listener


def state_of(sock):
    if not isinstance(sock, socket.socket):
        return {}
    state = {name: sock.getsockopt(level, option, size) for name, (level, option, size) in OPTIONS.items()}
    state["O_NONBLOCK"] = bool(fcntl.fcntl(sock, fcntl.F_GETFL) & os.O_NONBLOCK)
    if sock.family == socket.AF_INET:
        state["TCP_NODELAY"] = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        state["backlog"] = struct.unpack_from("I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), MAX_BACKLOG_IN_TCP_INFO)
    elif sock.type == socket.SOCK_STREAM and sock.getsockname():
        state["file"] = os.lstat(sock.getsockname()).st_ino
    return state


def main():
    split = sys.argv.index("--")
    names, kinds, *rest = sys.argv[1:split]
    program = sys.argv[split + 1:]
    lies = dict(part[2:].split("=") for part in rest)
    sockets = [open_one(kind) for kind in kinds.split(",")]
    before = [state_of(sock) for sock in sockets]
    child = os.fork()
    if child == 0:
        # First out of the way, then to their places: a number may be both.
        high = [fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD, 100) for sock in sockets]
        for i, number in enumerate(high):
            os.dup2(number, 3 + i, inheritable=True)
            os.close(number)
        os.environ["LISTEN_PID"] = lies.get("pid", str(os.getpid()))
        os.environ["LISTEN_FDS"] = lies.get("fds", str(len(sockets)))
        if names != "-":
            os.environ["LISTEN_FDNAMES"] = names
        os.execvp(program[0], program)
    status = os.waitpid(child, 0)[1]
    print("exit", os.waitstatus_to_exitcode(status), flush=True)
    changes = []
    for kind, sock, old in zip(kinds.split(","), sockets, before):
        new = state_of(sock)
        changes += [f"{kind} {name}: {old[name]} -> {new[name]}" for name in old if old[name] != new[name]]
    print("; ".join(changes) or "unchanged", flush=True)


main()
