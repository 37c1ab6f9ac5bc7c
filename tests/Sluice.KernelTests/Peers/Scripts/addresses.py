"""Addresses as the samples print them: 127.0.0.1:8888, [::1]:8888, or the path of a Unix socket."""
import asyncio


def split(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


async def open_connection(address):
    if address.startswith("/"):
        return await asyncio.open_unix_connection(address)
    return await asyncio.open_connection(*split(address))


async def start_server(accepted, address):
    """Also prints "at ADDRESS", with the port that the system chose."""
    if address.startswith("/"):
        server = await asyncio.start_unix_server(accepted, address)
    else:
        server = await asyncio.start_server(accepted, *split(address))
        host, port = server.sockets[0].getsockname()[:2]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    print("at", address, flush=True)
    return server
