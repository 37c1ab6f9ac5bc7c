"""The other end of a TLS connection, on CPython's asyncio and ssl.

tls_peer.py serve SCENARIO FOLDER VERSION          listens on a free port of 127.0.0.1, prints "port N", serves one connection
tls_peer.py connect SCENARIO FOLDER VERSION PORT   connects to 127.0.0.1 and asks for "localhost"

FOLDER has root.pem, server.pem and client.pem, the latter two with their keys; VERSION is 1.2 or 1.3.
Prints what it saw, one fact a line.
"""
import asyncio
import hashlib
import socket
import ssl
import sys

MEBIBYTE = bytes((i * 31 ^ i >> 8) & 0xFF for i in range(1 << 20))
ROLE, SCENARIO, FOLDER, VERSION = sys.argv[1:5]


def context(is_server):
    made = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH if is_server else ssl.Purpose.SERVER_AUTH, cafile=f"{FOLDER}/root.pem")
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_2 if VERSION == "1.2" else ssl.TLSVersion.TLSv1_3
    made.load_cert_chain(f"{FOLDER}/server.pem" if is_server else f"{FOLDER}/client.pem")
    made.set_alpn_protocols(["sluice-test"])
    return made


def report(what, data):
    print(what, len(data), hashlib.sha256(data).hexdigest().upper(), flush=True)


async def echo(reader, writer):
    """Sends back what comes, until the end."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def ask(reader, writer):
    """Sends a mebibyte and reads as much back, both at the same time."""
    writer.write(MEBIBYTE)
    report("received", await reader.readexactly(len(MEBIBYTE)))


async def send_and_close(reader, writer):
    """Sends a mebibyte and says goodbye."""
    writer.write(MEBIBYTE)


async def send_and_end(reader, writer):
    """Sends a word, and ends the connection without TLS's goodbye."""
    writer.write(b"hello")
    writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
    try:
        await reader.read()
    except OSError:
        pass


async def wait_for_end(reader, writer):
    """Says how the connection ended."""
    writer.write(b"go")
    try:
        report("received", await reader.read())
    except OSError as error:
        print("failed", type(error).__name__, flush=True)


async def say_facts(reader, writer):
    """Says what was agreed on, once the peer has said something."""
    await reader.readexactly(2)
    agreed = writer.get_extra_info("ssl_object")
    subject = dict(part[0] for part in (agreed.getpeercert() or {}).get("subject", ()))
    print(agreed.version(), agreed.selected_alpn_protocol(), subject.get("commonName"), flush=True)


async def upgrade(reader, writer):
    """Agrees on TLS in plain text first. The server says when."""
    if ROLE == "connect":
        writer.write(b"upgrade\n")
        print("answer", (await reader.readline()).decode().strip(), flush=True)
        await writer.start_tls(context(False), server_hostname="localhost")
        await ask(reader, writer)
    else:
        print("asked", (await reader.readline()).decode().strip(), flush=True)
        writer.write(b"ready\n")
        await writer.start_tls(context(True))
        await echo(reader, writer)


def strict(port):
    """Reads to the end, and takes no bare end for one."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        with context(False).wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as secured:
            secured.sendall(b"go")
            received = bytearray()
            try:
                while data := secured.recv(65536):
                    received += data
                report("received", received)
            except OSError as error:
                print("failed", type(error).__name__, flush=True)


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

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=None if scenario is upgrade else context(True))
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await done
    server.close()


async def connect(scenario, port):
    plain = {} if scenario is upgrade else {"ssl": context(False), "server_hostname": "localhost"}
    await converse(scenario, *await asyncio.open_connection("127.0.0.1", port, **plain))


if SCENARIO == "strict":
    strict(int(sys.argv[5]))
elif ROLE == "serve":
    asyncio.run(serve(globals()[SCENARIO]))
else:
    asyncio.run(connect(globals()[SCENARIO], int(sys.argv[5])))
