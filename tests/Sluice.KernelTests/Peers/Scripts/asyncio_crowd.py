"""Many short conversations at once, on CPython's asyncio: AAAA, OK, BBBB, SPAM.

asyncio_crowd.py serve ADDRESS COUNT     serves so many, prints "at ADDRESS" first
asyncio_crowd.py connect ADDRESS COUNT   has so many

Nobody says BBBB before everybody has got OK, so that all connections are open at the same time. Prints how many it had.
"""
import asyncio
import sys

from addresses import open_connection, start_server


async def close(writer):
    writer.close()
    await writer.wait_closed()


async def serve(address, count):
    done = asyncio.get_running_loop().create_future()
    served = 0

    async def accepted(reader, writer):
        nonlocal served
        try:
            assert await reader.readexactly(4) == b"AAAA"
            writer.write(b"OK")
            assert await reader.readexactly(4) == b"BBBB"
            writer.write(b"SPAM")
            assert await reader.read() == b""
            await close(writer)
            served += 1
            if served == count:
                done.set_result(None)
        except Exception as error:
            if not done.done():
                done.set_exception(error)

    server = await start_server(accepted, address)
    await done
    server.close()
    print("had", served)


async def connect(address, count):
    greeted = 0
    all_greeted = asyncio.Event()

    async def converse():
        nonlocal greeted
        reader, writer = await open_connection(address)
        writer.write(b"AAAA")
        assert await reader.readexactly(2) == b"OK"
        greeted += 1
        if greeted == count:
            all_greeted.set()
        await all_greeted.wait()
        writer.write(b"BBBB")
        assert await reader.readexactly(4) == b"SPAM"
        await close(writer)

    await asyncio.gather(*(converse() for _ in range(count)))
    print("had", greeted)


asyncio.run(globals()[sys.argv[1]](sys.argv[2], int(sys.argv[3])))
