"""Plays scenarios between two asyncio protocols over loopback and prints the callbacks of both.

One line a scenario: NAME | client's callbacks | server's callbacks. Runs of data_received count as one: the kernel decides how bytes are cut.
"""
import asyncio

BIG = bytes(32 << 20)


class Recorder(asyncio.Protocol):
    def __init__(self, **hooks):
        self.hooks = hooks
        self.trace = []
        self.received = 0
        self.lost = asyncio.get_running_loop().create_future()

    def note(self, name, detail=""):
        if name != "data_received" or self.trace[-1] != name:
            self.trace.append(name + detail)

    def hook(self, name):
        return self.hooks[name](self) if name in self.hooks else None

    def connection_made(self, transport):
        self.transport = transport
        self.note("connection_made")
        self.hook("made")

    def data_received(self, data):
        self.received += len(data)
        self.note("data_received")
        self.hook("data")

    def eof_received(self):
        self.note("eof_received")
        return self.hook("eof")

    def pause_writing(self):
        self.note("pause_writing")

    def resume_writing(self):
        self.note("resume_writing")

    def connection_lost(self, exc):
        self.note("connection_lost", f"({type(exc).__name__ if exc else None})")
        self.lost.set_result(exc)


def fail(protocol):
    raise ValueError("from a callback")


def resume_later(protocol):
    protocol.transport.pause_reading()
    asyncio.get_running_loop().call_soon(protocol.transport.resume_reading)


def write_and_close(data):
    def act(protocol):
        protocol.transport.write(data)
        protocol.transport.close()
    return act


def write_and_abort(data):
    def act(protocol):
        protocol.transport.write(data)
        protocol.transport.abort()
    return act


def say(data):
    return lambda protocol: protocol.transport.write(data)


def close(protocol):
    protocol.transport.close()


def answer_and_keep_open(protocol):
    protocol.transport.write(b"answer")
    asyncio.get_running_loop().call_soon(protocol.transport.close)
    return True


def say_and_end(protocol):
    protocol.transport.write(b"question")
    protocol.transport.write_eof()


SCENARIOS = {
    "the server answers and closes": (dict(made=say(b"hello")), dict(data=write_and_close(b"hello back"))),
    "the end of the stream kept open": (dict(made=say_and_end), dict(eof=answer_and_keep_open)),
    "close with a full queue": (dict(made=resume_later), dict(made=write_and_close(BIG))),
    "abort with a full queue": (dict(made=resume_later), dict(made=write_and_abort(BIG))),
    "an exception in data_received": (dict(made=say(b"hello")), dict(data=fail)),
    "an exception in eof_received": (dict(made=say_and_end), dict(eof=fail)),
    "a pause in connection_made": (dict(made=resume_later), dict(made=write_and_close(b"early"))),
    "a close in connection_made": (dict(made=close), dict()),
}


async def play(client_hooks, server_hooks):
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)
    client, server = Recorder(**client_hooks), Recorder(**server_hooks)
    listener = await loop.create_server(lambda: server, "127.0.0.1", 0)
    await loop.create_connection(lambda: client, *listener.sockets[0].getsockname())
    await client.lost
    await server.lost
    listener.close()
    return client, server


for name, (client_hooks, server_hooks) in SCENARIOS.items():
    played = asyncio.run(play(client_hooks, server_hooks))
    print(name, *(", ".join(protocol.trace) for protocol in played), sep=" | ", flush=True)
