"""Clients of the chat sample, on CPython's asyncio.

asyncio_chat.py crowd ADDRESS COUNT   so many clients say hello to each other, all at once
asyncio_chat.py slow ADDRESS          two clients chat while a third does not read, until "go" is typed

Prints what they heard.
"""
import asyncio
import re
import socket
import sys

from addresses import open_connection, split

ROUNDS = 1500
LINES_A_ROUND = 32


async def join(connection, nick):
    reader, writer = connection
    writer.write(f"/nick {nick}\n".encode())
    while await reader.readline() != f"* You are {nick}\n".encode():
        pass
    return reader, writer


async def crowd(address, count):
    joined = 0
    all_joined = asyncio.Event()

    async def member(number):
        nonlocal joined
        reader, writer = await join(await open_connection(address), f"m{number}")
        joined += 1
        if joined == int(count):
            all_joined.set()
        await all_joined.wait()
        writer.write(f"hello from {number}\n".encode())
        heard = set()
        while len(heard) < int(count) - 1:
            if b": hello" in (line := await reader.readline()):
                heard.add(line)
        assert heard == {f"m{n}: hello from {n}\n".encode() for n in range(int(count)) if n != number}
        writer.write(b"/quit\n")
        assert (await reader.read()).endswith(b"* Goodbye.\n")
        writer.close()
        await writer.wait_closed()
        return len(heard)

    print("heard", sum(await asyncio.gather(*(member(n) for n in range(int(count))))))


async def slow(address):
    # A small receive buffer, set before the connect: the server is to feel soon that nobody reads.
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.connect(split(address))
    # A writer that nobody keeps is closed by asyncio.
    slow_reader, slow_writer = await join(await asyncio.open_connection(sock=sock), "slow")
    _, talker = await join(await open_connection(address), "talker")
    listener, listener_writer = await join(await open_connection(address), "listener")

    said = heard = 0
    line = b"x" * 1000 + b"\n"
    for _ in range(ROUNDS):
        # Less than a buffer's high mark at once, then all of it is read: the listener is never the slow one.
        talker.write(line * LINES_A_ROUND)
        said += LINES_A_ROUND
        while heard < said:
            heard += (await listener.readline()) == b"talker: " + line
    print("heard", heard, flush=True)

    await asyncio.to_thread(sys.stdin.readline)
    got = dropped = 0
    while got + dropped < said:
        line = await slow_reader.readline()
        got += line.startswith(b"talker: ")
        if notice := re.fullmatch(rb"\* (\d+) lines were dropped, because you did not read\n", line):
            dropped += int(notice[1])
    print("slow got", got, "was told of", dropped)
    for writer in (slow_writer, talker, listener_writer):
        writer.close()


asyncio.run(globals()[sys.argv[1]](*sys.argv[2:]))
