# usage: server.py proto|buffered tcp|unix|udp|tls ADDR [uvloop]
import sys, asyncio, ssl, os, socket

kind, mode, addr = sys.argv[1:4]
uv = len(sys.argv) > 4 and sys.argv[4] == 'uvloop'


class Echo(asyncio.Protocol):
    __slots__ = ('t',)

    def connection_made(self, t):
        self.t = t

    def data_received(self, d):
        self.t.write(d)

    def connection_lost(self, e):
        self.t = None


SB = bytearray(65536)
SM = memoryview(SB)


class Buf(asyncio.BufferedProtocol):
    # one shared 64 KiB buffer for all connections; replaced when the transport kept a view of it
    __slots__ = ('t',)

    def connection_made(self, t):
        self.t = t

    def get_buffer(self, hint):
        return SB

    def buffer_updated(self, n):
        global SB, SM
        t = self.t
        t.write(SM[:n])
        if t.get_write_buffer_size():
            SB = bytearray(65536)
            SM = memoryview(SB)

    def connection_lost(self, e):
        self.t = None


class Udp(asyncio.DatagramProtocol):
    def connection_made(self, t):
        self.t = t

    def datagram_received(self, d, a):
        self.t.sendto(d, a)


async def main():
    loop = asyncio.get_running_loop()
    P = Buf if kind == 'buffered' else Echo
    if mode == 'udp':
        await loop.create_datagram_endpoint(Udp, ('127.0.0.1', int(addr)))
    elif mode == 'unix':
        if os.path.exists(addr):
            os.unlink(addr)
        await loop.create_unix_server(P, addr, backlog=4096)
    else:
        c = None
        if mode == 'tls':
            c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            c.minimum_version = ssl.TLSVersion.TLSv1_3
            c.load_cert_chain(os.environ['CERTS'] + '/cert.pem', os.environ['CERTS'] + '/key.pem')
        await loop.create_server(P, '0.0.0.0', int(addr), backlog=4096, ssl=c)
    await asyncio.Event().wait()


if uv:
    import uvloop

    uvloop.install()
asyncio.run(main())
