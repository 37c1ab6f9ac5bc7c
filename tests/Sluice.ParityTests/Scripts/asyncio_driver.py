"""Plays the scenarios on asyncio and records the traces.

    asyncio_driver.py          each scenario 5 times, into Traces/cpython-MAJOR.MINOR.json
    asyncio_driver.py -        each scenario once, to standard output

A scenario must give the same traces each time: what a kernel leaves to chance has no place in one.
The language is described in docs/testing.md, section "Parity with asyncio"; the C# side of it is the folder Playing.
"""
import asyncio
import builtins
import hashlib
import json
import logging
import os
import socket
import sys
import tempfile
import warnings

PATIENCE = 10
PERIOD = 65536
PATTERN = bytes(((i * 31) ^ (i >> 8)) & 0xFF for i in range(PERIOD))
EXCEPTIONS = {name: getattr(builtins, name) for name in ("ValueError", "RuntimeError", "OSError")}


def pattern(start, count):
    """Bytes of an endless pattern, whose place in the stream shows in them."""
    start %= PERIOD
    return (PATTERN[start:] + PATTERN * (count // PERIOD + 1))[:count]


def name_of(exception):
    return "None" if exception is None else type(exception).__name__


def call_of(action):
    """An action is a word, or a word with what it acts on."""
    return (action, None) if isinstance(action, str) else next(iter(action.items()))


class Trace:
    """What one actor saw and did, in order. Bytes that follow each other are one entry, however the kernel cut them."""

    def __init__(self):
        self.entries = []
        self.run = bytearray()

    def note(self, entry):
        self.end_run()
        self.entries.append(entry)

    def data(self, data):
        self.run += data

    def end_run(self):
        if self.run:
            self.entries.append(f"data {len(self.run)} {hashlib.sha256(self.run).hexdigest()[:8]}")
            self.run = bytearray()


class Actor:
    """One protocol of a scenario: its trace, and what it does in which callback."""

    def __init__(self, world, name, spec):
        self.world = world
        self.name = name
        self.spec = spec
        self.trace = world.traces.setdefault(name, Trace())
        self.transport = None
        self.received = 0
        self.written = 0
        self.ran = set()
        self.facts = set()
        self.base = 0.0
        buffered = spec.get("kind") == "buffered"
        self.is_datagram = spec.get("kind") == "datagram"
        self.is_child = False
        self.protocol = DatagramProtocol(self) if self.is_datagram else BufferedProtocol(self) if buffered else PlainProtocol(self)

    def happened(self, fact):
        self.facts.add(fact)
        self.world.changed.set()

    def once(self, hook):
        """A hook's actions, the first time that it is reached."""
        if hook in self.spec and hook not in self.ran:
            self.ran.add(hook)
            self.act(self.spec[hook])

    def made(self, transport):
        self.transport = transport
        if transport.get_extra_info("socket"):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131072)
        self.trace.note("connection_made")
        self.happened("made")
        self.once("made")

    def data(self, data):
        self.received += len(data)
        self.trace.data(data)
        self.happened("received")
        if self.spec.get("echo"):
            self.transport.write(bytes(data))
        self.run_data_hooks()

    def run_data_hooks(self):
        for index, hook in enumerate(self.spec.get("data", ())):
            if self.received >= hook["after"] and index not in self.ran:
                self.ran.add(index)
                self.act(hook["do"])

    def endpoint_made(self, transport):
        self.transport = transport
        self.trace.note("connection_made")
        self.happened("made")
        self.once("made")

    def datagram(self, data, address):
        self.received += 1
        self.trace.note(f"datagram {len(data)} {hashlib.sha256(data).hexdigest()[:8]} from {self.world.name_of_address(address)}")
        self.happened("received")
        if self.spec.get("echo"):
            self.transport.sendto(data, address)
        self.run_data_hooks()

    def error(self, exception):
        self.trace.note(f"error_received {name_of(exception)}")
        self.happened("error")
        self.once("error")

    def eof(self):
        self.trace.note("eof_received")
        self.happened("eof")
        self.once("eof")
        return self.spec.get("keep_open", False)

    def flow(self, name):
        self.trace.note(f"{name}_writing")
        self.happened(name + "d")
        self.once(name)

    def lost(self, exception):
        self.trace.note(f"connection_lost {name_of(exception)}")
        self.happened("lost")
        self.once("lost")

    def bytes_of(self, content):
        if isinstance(content, str):
            return content.encode()
        self.written += content
        return pattern(self.written - content, content)

    def act(self, actions):
        for action in actions:
            word, value = call_of(action)
            if word == "raise":
                raise EXCEPTIONS[value]("from a scenario")
            try:
                getattr(self, "do_" + word)(value)
            except Exception as exception:
                self.trace.note(f"{word} {name_of(exception)}")

    def child_made(self, transport):
        self.is_child = True
        self.made(transport)

    def trace_of(self, fd):
        """What one of a child's pipes brings; how that mixes with the others is chance."""
        return self.world.traces.setdefault(f"{self.name} fd {fd}", Trace())

    def pipe_data(self, fd, data):
        self.trace_of(fd).data(data)
        if fd == 1:
            self.received += len(data)
            self.happened("received")
            self.run_data_hooks()

    def pipe_flow(self, name):
        self.trace_of(0).note(f"{name}_writing")
        self.happened(name + "d")
        self.once(name)

    def pipe_lost(self, fd, exception):
        self.trace_of(fd).note(f"pipe_connection_lost {name_of(exception)}")
        self.happened(f"lost{fd}")
        self.once(f"lost{fd}")

    def exited(self):
        self.trace.note("process_exited")
        self.happened("exited")
        self.once("exited")

    def pipe(self, fd):
        """What an action is about: a child's pipe, or the transport."""
        return self.transport.get_pipe_transport(fd) if self.is_child else self.transport

    def do_kill(self, _):
        self.transport.kill()

    def do_terminate(self, _):
        self.transport.terminate()

    def do_send_signal(self, number):
        self.transport.send_signal(number)

    def do_close_pipe(self, fd):
        self.pipe(fd).close()

    def do_send(self, content):
        self.transport.sendto(self.bytes_of(content))

    def do_send_to(self, target):
        self.transport.sendto(self.bytes_of(target["data"]), self.world.address_of(target["actor"]))

    def do_write(self, content):
        self.pipe(0).write(self.bytes_of(content))

    def do_writelines(self, parts):
        self.pipe(0).writelines([self.bytes_of(part) for part in parts])

    def do_write_eof(self, _):
        self.pipe(0).write_eof()

    def do_close(self, _):
        self.transport.close()

    def do_abort(self, _):
        self.pipe(0).abort()

    def do_pause_reading(self, _):
        self.pipe(1).pause_reading()

    def do_resume_reading(self, _):
        self.pipe(1).resume_reading()

    def do_limits(self, limits):
        self.pipe(0).set_write_buffer_limits(**limits)

    def do_set_protocol(self, name):
        other = self.world.actor(name)
        other.transport = self.transport
        self.transport.set_protocol(other.protocol)

    def do_sendfile(self, order):
        self.world.tasks.append(asyncio.get_running_loop().create_task(self.send_file(order)))

    async def send_file(self, order):
        with tempfile.TemporaryFile() as file:
            file.write(pattern(0, order["size"]))
            file.seek(order.get("position", 0))
            try:
                end = await asyncio.get_running_loop().sendfile(self.transport, file, order.get("offset", 0), order.get("count"))
            except Exception as exception:
                end = name_of(exception)
            self.trace.note(f"sendfile {end} at {file.tell()}")
        self.happened("note")
        self.act(order.get("do", ()))

    def do_facts(self, names):
        for name in names:
            self.trace.note(f"{name} {self.fact(name)}")

    def do_note(self, text):
        self.trace.note(text)
        self.happened("note")

    def do_at(self, target):
        self.world.actors[target["actor"]].act(target["do"])

    def do_server(self, word):
        self.world.on_server(word)

    def do_call_soon(self, actions):
        asyncio.get_running_loop().call_soon(self.act, actions)

    def do_threadsafe(self, actions):
        asyncio.get_running_loop().call_soon_threadsafe(self.act, actions)

    def do_cancelled(self, actions):
        asyncio.get_running_loop().call_soon(self.act, actions).cancel()

    def do_cancelled_timer(self, timer):
        asyncio.get_running_loop().call_at(self.base + timer["ms"] / 1000, self.act, timer["do"]).cancel()

    def do_base(self, _):
        self.base = asyncio.get_running_loop().time()

    def do_call_at(self, timer):
        asyncio.get_running_loop().call_at(self.base + timer["ms"] / 1000, self.act, timer["do"])

    def do_call_later(self, timer):
        asyncio.get_running_loop().call_later(timer["ms"] / 1000, self.act, timer["do"])

    def do_busy(self, ms):
        end = asyncio.get_running_loop().time() + ms / 1000
        while asyncio.get_running_loop().time() < end:
            pass

    def fact(self, name):
        if name == "limits":
            return "{} {}".format(*self.transport.get_write_buffer_limits())
        if name == "is_buffering":
            return self.transport.get_write_buffer_size() > 0
        if name == "protocol":
            protocol = self.transport.get_protocol()
            return protocol.actor.name if protocol else None
        if name.startswith("extra "):
            return self.transport.get_extra_info(name[6:]) is not None
        if name.startswith("pipe "):
            return self.pipe(int(name[5:])) is not None
        if name == "returncode":
            return self.transport.get_returncode()
        if name == "received":
            return self.received
        return getattr(self.transport, name)()


class PlainProtocol(asyncio.Protocol):
    def __init__(self, actor):
        self.actor = actor

    def connection_made(self, transport):
        self.actor.made(transport)

    def data_received(self, data):
        self.actor.data(data)

    def eof_received(self):
        return self.actor.eof()

    def pause_writing(self):
        self.actor.flow("pause")

    def resume_writing(self):
        self.actor.flow("resume")

    def connection_lost(self, exc):
        self.actor.lost(exc)


class BufferedProtocol(asyncio.BufferedProtocol):
    def __init__(self, actor):
        self.actor = actor
        self.buffer = bytearray(actor.spec.get("buffer", 65536))

    connection_made = PlainProtocol.connection_made
    eof_received = PlainProtocol.eof_received
    pause_writing = PlainProtocol.pause_writing
    resume_writing = PlainProtocol.resume_writing
    connection_lost = PlainProtocol.connection_lost

    def get_buffer(self, sizehint):
        self.actor.once("get_buffer")
        return self.buffer

    def buffer_updated(self, nbytes):
        self.actor.data(self.buffer[:nbytes])


class DatagramProtocol(asyncio.DatagramProtocol):
    def __init__(self, actor):
        self.actor = actor

    def connection_made(self, transport):
        self.actor.endpoint_made(transport)

    def datagram_received(self, data, address):
        self.actor.datagram(data, address)

    def error_received(self, exc):
        self.actor.error(exc)

    pause_writing = PlainProtocol.pause_writing
    resume_writing = PlainProtocol.resume_writing
    connection_lost = PlainProtocol.connection_lost


class SubprocessProtocol(asyncio.SubprocessProtocol):
    def __init__(self, actor):
        self.actor = actor

    def connection_made(self, transport):
        self.actor.child_made(transport)

    def pipe_data_received(self, fd, data):
        self.actor.pipe_data(fd, data)

    def pipe_connection_lost(self, fd, exc):
        self.actor.pipe_lost(fd, exc)

    def process_exited(self):
        self.actor.exited()

    def pause_writing(self):
        self.actor.pipe_flow("pause")

    def resume_writing(self):
        self.actor.pipe_flow("resume")

    connection_lost = PlainProtocol.connection_lost


class World:
    """One play of one scenario."""

    def __init__(self, scenario, folder):
        self.scenario = scenario
        self.path = os.path.join(folder, "socket")
        self.specs = {"client": {}, "server": {}, **{n: scenario[n] for n in ("client", "server") if n in scenario}, **scenario.get("others", {})}
        self.traces = {}
        self.actors = {}
        self.loop_actor = Actor(self, "loop", {})
        self.accepted = []
        self.ends = []
        self.server = None
        self.tasks = []
        self.nobody = None
        self.paths = 0

    def actor(self, name):
        # The second connection of a server is "server2", with the server's own orders unless it has others.
        spec = self.specs.get(name) or self.specs.get(name.rstrip("0123456789"), {})
        actor = self.actors[name] = Actor(self, name, spec)
        return actor

    def make(self, name):
        spec = self.specs.get(name, {})
        if "factory" in spec:
            raise EXCEPTIONS[spec["factory"]]("from a factory")
        return self.actor(name).protocol

    def accept(self):
        name = f"server{len(self.accepted) + 1}" if self.accepted else "server"
        self.accepted.append(name)
        return self.make(name)

    def on_server(self, word):
        if word == "facts":
            self.loop_actor.trace.note(f"is_serving {self.server.is_serving()}")
            self.loop_actor.trace.note(f"sockets {len(self.server.sockets)}")
        else:
            getattr(self.server, word)()

    async def play(self):
        self.changed = asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(self.handle)
        for step in self.scenario.get("script", self.default_script()):
            word, value = call_of(step)
            await getattr(self, "step_" + word)(value)
        for _ in range(3):
            await asyncio.sleep(0)
        for trace in self.traces.values():
            trace.end_run()
        traces = {name: list(trace.entries) for name, trace in self.traces.items() if trace.entries}
        await self.clean_up()
        return traces

    def default_script(self):
        over = self.scenario.get("over")
        start = [{over: ["client", "server"]}] if over in ("pair", "pipe") else ["serve", {"connect": "client"}]
        return start + [{"wait": "client lost"}, {"wait": "server lost"}]

    def handle(self, loop, context):
        self.loop_actor.trace.note(f"exception_handler {name_of(context.get('exception'))}")
        self.changed.set()

    async def clean_up(self):
        for actor in self.actors.values():
            if actor.transport and "lost" not in actor.facts:
                # The reading end of a pipe cannot be aborted.
                getattr(actor.transport, "abort", actor.transport.close)()
        await self.step_close_end(None)
        if self.server:
            self.server.close()
        for task in self.tasks:
            task.cancel()
        for _ in range(3):
            await asyncio.sleep(0)

    async def step_serve(self, options):
        start = (options or {}).get("start", True)
        loop = asyncio.get_running_loop()
        if self.scenario.get("over") == "unix":
            self.server = await loop.create_unix_server(self.accept, self.path, start_serving=start)
        else:
            self.server = await loop.create_server(self.accept, "127.0.0.1", 0, start_serving=start)
            self.address = self.server.sockets[0].getsockname()

    async def step_connect(self, name):
        await self.outcome(f"connect {name}", name, self.connect(lambda: self.make(name)))

    def connect(self, factory):
        loop = asyncio.get_running_loop()
        return loop.create_unix_connection(factory, self.path) if self.scenario.get("over") == "unix" else loop.create_connection(factory, *self.address)

    async def step_pair(self, names):
        loop = asyncio.get_running_loop()
        for name, end in zip(names, socket.socketpair()):
            await self.outcome(f"connect {name}", name, loop.create_connection(lambda name=name: self.make(name), sock=end))

    async def step_pipe(self, names):
        """A pipe from the first actor to the second; where one is null, that end stays bare until close_end."""
        loop = asyncio.get_running_loop()
        reader, writer = os.pipe()
        ends = (names[0], loop.connect_write_pipe, os.fdopen(writer, "wb", 0)), (names[1], loop.connect_read_pipe, os.fdopen(reader, "rb", 0))
        for name, connect, end in ends:
            if name is None:
                self.ends.append(end)
            else:
                await self.outcome(f"connect {name}", name, connect(lambda name=name: self.make(name), end))

    async def step_close_end(self, _):
        for end in self.ends:
            end.close()
        self.ends = []

    def address_of(self, name):
        """Where an actor receives datagrams."""
        if name == "nobody":
            if not self.nobody:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
                    unused.bind(("127.0.0.1", 0))
                    self.nobody = unused.getsockname()
            return self.nobody
        return self.actors[name].transport.get_extra_info("sockname")

    def name_of_address(self, address):
        if not address:
            return None
        for name, actor in self.actors.items():
            if actor.is_datagram and actor.transport and actor.transport.get_extra_info("sockname") == address:
                return name
        return "a stranger"

    async def step_datagram(self, step):
        """An endpoint: at an address of its own unless it is unnamed, and connected to another actor where that is said."""
        name = step["actor"]
        options = {}
        if "to" in step:
            options["remote_addr"] = self.address_of(step["to"])
        if self.scenario.get("over") == "unix":
            options["family"] = socket.AF_UNIX
        if not step.get("unnamed"):
            self.paths += 1
            options["local_addr"] = f"{self.path}{self.paths}" if self.scenario.get("over") == "unix" else ("127.0.0.1", 0)
        if step.get("broadcast"):
            options["allow_broadcast"] = True
        loop = asyncio.get_running_loop()
        await self.outcome(f"datagram {name}", name, loop.create_datagram_endpoint(lambda: self.make(name), **options))

    async def step_datagram_pair(self, names):
        loop = asyncio.get_running_loop()
        for name, end in zip(names, socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)):
            end.setblocking(False)
            await self.outcome(f"datagram {name}", name, loop.create_datagram_endpoint(lambda name=name: self.make(name), sock=end))

    async def step_accepted(self, name):
        """A program that accepts by itself gives the socket to the loop."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = listener.getsockname()
        peer = socket.create_connection(self.address)
        accepted, _ = listener.accept()
        listener.close()
        loop = asyncio.get_running_loop()
        await self.outcome("connect client", "client", loop.create_connection(lambda: self.make("client"), sock=peer))
        await self.outcome(f"accepted {name}", name, loop.connect_accepted_socket(lambda: self.make(name), accepted))

    async def step_child(self, step):
        """A child process: a command line of the shell, or a program with arguments. Its streams are pipes unless they are "null" or "stdout"."""
        name = step["actor"]
        streams = {"null": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.STDOUT}
        options = {stream: streams[step[stream]] for stream in ("stdin", "stdout", "stderr") if stream in step}
        if "cwd" in step:
            options["cwd"] = step["cwd"]
        loop = asyncio.get_running_loop()

        def factory():
            self.make(name)
            return SubprocessProtocol(self.actors[name])
        try:
            if "shell" in step:
                await loop.subprocess_shell(factory, step["shell"], **options)
            else:
                await loop.subprocess_exec(factory, *step["exec"], **options)
        except Exception as exception:
            self.loop_actor.trace.note(f"child {name} {name_of(exception)}")

    async def outcome(self, what, name, connecting):
        try:
            await connecting
            self.actors[name].trace.note("connected")
        except Exception as exception:
            self.loop_actor.trace.note(f"{what} {name_of(exception)}")

    async def step_wait(self, condition):
        name, fact, *count = condition.split(" ")
        while not self.holds(name, fact, *count):
            self.changed.clear()
            await self.changed.wait()

    def holds(self, name, fact, count="0"):
        if name == "loop":
            return len(self.loop_actor.trace.entries) >= int(count)
        actor = self.actors.get(name)
        return actor is not None and fact in actor.facts and (fact != "received" or actor.received >= int(count))

    async def step_turns(self, count):
        for _ in range(count):
            await asyncio.sleep(0)

    async def step_at(self, target):
        self.actors[target["actor"]].act(target["do"])

    async def step_do(self, actions):
        self.loop_actor.act(actions)

    async def step_server(self, word):
        """Server calls that return something to wait for are watched: their end is an entry of the loop's trace."""
        if word == "wait_closed":
            self.watch(word, self.server.wait_closed())
        elif word == "serve_forever":
            self.watch(word, self.server.serve_forever())
        elif word == "start_serving":
            await self.report(word, self.server.start_serving())
        else:
            self.on_server(word)

    def watch(self, word, awaitable):
        self.tasks.append(asyncio.get_running_loop().create_task(self.report(word, awaitable)))

    async def report(self, word, awaitable):
        try:
            await awaitable
            end = "done"
        except (asyncio.CancelledError, Exception) as exception:
            end = name_of(exception)
        lost = [name for name in self.accepted if name in self.actors and "lost" in self.actors[name].facts]
        self.loop_actor.trace.note(" ".join([word, end, "after", *(lost or ["none"])]))
        self.changed.set()


class Unfit(Exception):
    """A scenario that is no good."""


def play(scenario):
    with tempfile.TemporaryDirectory() as folder:
        world = World(scenario, folder)
        try:
            return asyncio.run(asyncio.wait_for(world.play(), PATIENCE))
        except asyncio.TimeoutError:
            raise Unfit(f"{scenario['name']} did not end: { {n: t.entries for n, t in world.traces.items()} }") from None


def play_steadily(scenario, repeat):
    first = play(scenario)
    for _ in range(repeat - 1):
        again = play(scenario)
        if again != first:
            raise Unfit(f"{scenario['name']} is not steady:\n{first}\n{again}")
    return first


def is_known(scenario):
    since = scenario.get("since", "3.0")
    return sys.version_info[:2] >= tuple(int(part) for part in since.split("."))


def lines(groups):
    """One scenario a line: a difference between two recordings is readable."""
    for number, (name, group) in enumerate(groups):
        yield ("" if number == 0 else ",\n") + f"  {json.dumps(name)}: {{\n    \"sha256\": {json.dumps(group['sha256'])},\n    \"traces\": {{\n"
        yield ",\n".join(f"      {json.dumps(scenario)}: {json.dumps(trace)}" for scenario, trace in group["traces"].items())
        yield "\n    }\n  }"


def record(folder, repeat):
    groups, unfit = [], []
    for file in sorted(f for f in os.listdir(folder) if f.endswith(".json")):
        with open(os.path.join(folder, file), "rb") as stream:
            content = stream.read()
        traces = {}
        for scenario in filter(is_known, json.loads(content)):
            try:
                traces[scenario["name"]] = play_steadily(scenario, repeat)
            except Unfit as reason:
                unfit.append(str(reason))
        groups.append((file, {"sha256": hashlib.sha256(content).hexdigest(), "traces": traces}))
    if unfit:
        sys.exit("\n".join(unfit))
    return "{\n" + f"  \"python\": {json.dumps(sys.version)},\n" + "".join(lines(groups)) + "\n}\n"


def main(to_standard_output):
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    text = record(os.path.join(home, "Scenarios"), 1 if to_standard_output else 5)
    if to_standard_output:
        sys.stdout.write(text)
        return
    name = "cpython-{}.{}.json".format(*sys.version_info)
    with open(os.path.join(home, "Traces", name), "w", encoding="utf-8") as stream:
        stream.write(text)


if __name__ == "__main__":
    main(sys.argv[1:] == ["-"])
