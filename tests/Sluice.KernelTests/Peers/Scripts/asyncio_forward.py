"""Both ends of a port forwarder, on CPython's asyncio.

asyncio_forward.py exchange ADDRESS   sends 16 MiB each way at the same time
asyncio_forward.py slow ADDRESS       sends 128 MiB to a target that does not read. At the first line typed, says how much was taken while
                                      others got 16 MiB echoed; at the second, lets the target read

Serves the target at ADDRESS, prints "at ADDRESS", and reads the forwarder's address. Prints what was sent and received.
"""
import asyncio
import hashlib
import random
import sys

from addresses import open_connection, start_server

MEBIBYTE = 1 << 20
CHUNK = 64 * 1024


def report(who, what, size, digest):
    print(who, what, size, digest.hexdigest(), flush=True)


async def typed():
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


async def receive(who, reader):
    size, digest = 0, hashlib.sha256()
    while data := await reader.read(CHUNK):
        size += len(data)
        digest.update(data)
    report(who, "received", size, digest)


async def exchange(address):
    async def send(who, writer):
        data = random.Random(who).randbytes(16 * MEBIBYTE)
        for begin in range(0, len(data), CHUNK):
            writer.write(data[begin : begin + CHUNK])
            await writer.drain()
        writer.write_eof()
        report(who, "sent", len(data), hashlib.sha256(data))

    async def talk(who, reader, writer):
        await asyncio.gather(receive(who, reader), send(who, writer))
        writer.close()
        await writer.wait_closed()

    done = asyncio.get_running_loop().create_future()

    async def accepted(reader, writer):
        await talk("target", reader, writer)
        done.set_result(None)

    await start_server(accepted, address)
    await talk("client", *await open_connection(await typed()))
    await done


async def slow(address):
    may_read = asyncio.Event()
    done = asyncio.get_running_loop().create_future()
    taken = 0

    async def accepted(reader, writer):
        if await reader.read(1) == b"E":
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()
        else:
            await may_read.wait()
            await receive("target", reader)
            done.set_result(None)
        writer.close()

    async def send(forwarder):
        nonlocal taken
        _, writer = await open_connection(forwarder)
        writer.write(b"S")
        digest, numbers = hashlib.sha256(), random.Random(1)
        while taken < 128 * MEBIBYTE:
            data = numbers.randbytes(CHUNK)
            digest.update(data)
            writer.write(data)
            await writer.drain()
            taken += len(data)
        report("client", "sent", taken, digest)
        writer.close()
        await done

    async def echo(forwarder):
        reader, writer = await open_connection(forwarder)
        writer.write(b"E")
        for _ in range(16 * MEBIBYTE // CHUNK):
            writer.write(bytes(CHUNK))
            await writer.drain()
            await reader.readexactly(CHUNK)
        writer.close()
        await writer.wait_closed()

    await start_server(accepted, address)
    forwarder = await typed()
    sending = asyncio.create_task(send(forwarder))
    await typed()
    await echo(forwarder)
    print("taken", taken, flush=True)
    await typed()
    may_read.set()
    await sending


asyncio.run(globals()[sys.argv[1]](sys.argv[2]))
