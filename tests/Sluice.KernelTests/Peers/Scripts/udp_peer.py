"""A UDP echo of asyncio's, or an asker: `serve` prints its port; `ask PORT` sends datagrams of several sizes and prints how many came back unchanged."""

import asyncio
import sys

SIZES = [0, 1, 100, 1472, 9000, 65507]


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


class Asker(asyncio.DatagramProtocol):
    def __init__(self):
        self.answers = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.answers.put_nowait(data)


async def serve():
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    print("port", transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def ask(port):
    transport, asker = await asyncio.get_running_loop().create_datagram_endpoint(Asker, remote_addr=("127.0.0.1", port))
    unchanged = 0
    for size in SIZES:
        data = bytes(i % 251 for i in range(size))
        # asyncio before 3.13 sends no empty datagrams.
        if data or sys.version_info >= (3, 13):
            transport.sendto(data)
        else:
            transport.get_extra_info("socket")._sock.send(data)
        unchanged += await asyncio.wait_for(asker.answers.get(), 20) == data
    print("unchanged", unchanged)
    transport.close()


asyncio.run(serve() if sys.argv[1] == "serve" else ask(int(sys.argv[2])))
