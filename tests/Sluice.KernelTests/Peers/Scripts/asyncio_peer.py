"""The other end of a connection, on CPython's asyncio.

asyncio_peer.py serve SCENARIO          listens on a free port of 127.0.0.1, prints "port N", serves one connection
asyncio_peer.py connect SCENARIO PORT   connects to 127.0.0.1

Prints what it saw, one fact a line.
"""
import asyncio
import hashlib
import socket
import struct
import sys

MEBIBYTE = bytes((i * 31 ^ i >> 8) & 0xFF for i in range(1 << 20))


def report(what, data):
    print(what, len(data), hashlib.sha256(data).hexdigest().upper(), flush=True)


async def read_all(reader):
    return await reader.read()


async def echo(reader, writer):
    """Sends back what comes, until the end."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def ask(reader, writer):
    """Sends a mebibyte and reads as much back, both at the same time."""
    writer.write(MEBIBYTE)
    report("received", await reader.readexactly(len(MEBIBYTE)))


async def half_close(reader, writer):
    """Ends its own side first, then reads to the end."""
    writer.write(MEBIBYTE)
    writer.write_eof()
    report("received", await read_all(reader))


async def answer_after_end(reader, writer):
    """Reads to the end, and only then answers."""
    report("received", await read_all(reader))
    writer.write(MEBIBYTE)
    await writer.drain()


async def count_after_end(reader, writer):
    """Reads to the end, and only then says how much it was."""
    writer.write(b"%d bytes" % len(await read_all(reader)))
    await writer.drain()


async def wait_for_end(reader, writer):
    """Says how the connection ended."""
    writer.write(b"go")
    try:
        report("received", await read_all(reader))
    except OSError as error:
        print("failed", type(error).__name__, flush=True)


async def reset(reader, writer):
    """Resets the connection once it has begun."""
    await reader.read(1)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def talk_on(reader, writer):
    """Leaves input unread at the peer, and goes on sending while it reads to the end."""
    writer.write(bytes(64 * 1024))
    received = bytearray()
    while data := await reader.read(32 * 1024):
        received += data
        writer.write(bytes(512))
    report("received", received)


async def converse(scenario, reader, writer):
    await scenario(reader, writer)
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass


async def serve(scenario):
    done = asyncio.get_running_loop().create_future()

    async def accepted(reader, writer):
        try:
            await converse(scenario, reader, writer)
            done.set_result(None)
        except Exception as error:
            done.set_exception(error)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await done
    server.close()


async def connect(scenario, port):
    await converse(scenario, *await asyncio.open_connection("127.0.0.1", port))


scenario = globals()[sys.argv[2]]
asyncio.run(serve(scenario) if sys.argv[1] == "serve" else connect(scenario, int(sys.argv[3])))
