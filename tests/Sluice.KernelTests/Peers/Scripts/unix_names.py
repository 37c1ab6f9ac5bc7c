"""Peers whose Unix names are no text. `connect PATH NAME...` connects once from each hexadecimal name and prints what comes back; `ask PATH NAME...` sends a datagram
from each and prints the answer."""

import os
import socket
import sys


def main():
    kind = socket.SOCK_STREAM if sys.argv[1] == "connect" else socket.SOCK_DGRAM
    for name in sys.argv[3:]:
        with socket.socket(socket.AF_UNIX, kind) as one:
            one.settimeout(20)
            one.bind(bytes.fromhex(name))
            one.connect(sys.argv[2])
            one.send(b"hello")
            print(one.recv(100).decode(), flush=True)
        if not name.startswith("00"):
            os.unlink(bytes.fromhex(name))


main()
