"""Peers of Unix sockets that only another process can be.

unix_peer.py stranger ADDRESS       as user nobody: tries to connect until its input ends, says "denied" the first time, and in the end how often it was "denied", "refused" and "connected"
unix_peer.py knock ADDRESS          as user nobody: connects once and prints "served BYTES" or "closed"
unix_peer.py descriptors ADDRESS N  sends N times 100 descriptors with a byte each, and prints "freed" once nobody holds them any more

An ADDRESS that begins with "@" is an abstract name.
"""

import os
import select
import socket
import sys

NOBODY = 65534
PER_MESSAGE = 100


def connect(address):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect("\0" + address[1:] if address.startswith("@") else address)
    return sock


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def be_stranger(address):
    become_nobody()
    print("ready", flush=True)
    counts = {"denied": 0, "refused": 0, "connected": 0}
    while not select.select([sys.stdin], [], [], 0)[0]:
        try:
            connect(address).close()
            counts["connected"] += 1
        except PermissionError:
            counts["denied"] += 1
            if counts["denied"] == 1:
                print("denied", flush=True)
        except (ConnectionRefusedError, FileNotFoundError):
            counts["refused"] += 1
    print(" ".join(f"{name} {count}" for name, count in counts.items()), flush=True)


def knock(address):
    become_nobody()
    with connect(address) as sock:
        try:
            sock.sendall(b"hello")
            answer = sock.recv(100)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
    print(f"served {len(answer)}" if answer else "closed", flush=True)


def send_descriptors(address, count):
    reader, writer = os.pipe()
    with connect(address) as sock:
        for _ in range(count):
            socket.send_fds(sock, [b"x"], [writer] * PER_MESSAGE)
        os.close(writer)
        ended = select.select([reader], [], [], 20)[0] and os.read(reader, 1) == b""
        print("freed" if ended else "held", flush=True)


{
    "stranger": lambda: be_stranger(sys.argv[2]),
    "knock": lambda: knock(sys.argv[2]),
    "descriptors": lambda: send_descriptors(sys.argv[2], int(sys.argv[3])),
}[sys.argv[1]]()
