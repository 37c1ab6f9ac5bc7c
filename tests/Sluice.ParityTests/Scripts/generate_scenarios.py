"""Writes Scenarios/generated.json: conversations between two ends, made by chance from a fixed seed.

    generate_scenarios.py        writes the file
    generate_scenarios.py -      writes it to standard output

The two ends take turns, and each acts only when it has all that the other has sent: whatever the kernel does, there is one order. In its
turn an end may pause and resume, change limits, exchange its protocol, queue callbacks and put its answer off; the last turn ends the
connection in one of several ways. Only random() is asked, whose numbers are the same in every version of Python.
"""
import json
import os
import random
import sys

SEED = 20240229
COUNT = 150
SIZES = [1, 2, 5, 17, 100, 999, 1000, 4095, 4096, 5000, 9000]
LARGE = 1048576
BUFFERS = [1000, 4096, 65536]
ENDINGS = ["close", "close", "close", "write_eof", "write_eof, kept open", "abort", "exception", "close later", "close by the reader"]
OVER = ["tcp", "tcp", "unix", "pair"]


class Dice:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, probability):
        return self.random.random() < probability

    def below(self, count):
        return int(self.random.random() * count)

    def one_of(self, items):
        return items[self.below(len(items))]


class End:
    """One end of a conversation: the actor that holds it now, and what that has been sent so far."""

    def __init__(self, dice, name, actors):
        self.dice = dice
        self.name = name
        self.actors = actors
        self.generations = 0
        self.take_over(name)

    def take_over(self, actor):
        self.actor = actor
        self.expects = 0
        self.generations += 1
        self.actors[actor] = {}
        if self.dice.chance(0.35):
            self.actors[actor] = {"kind": "buffered", "buffer": self.dice.one_of(BUFFERS)}

    def add(self, actions):
        """Actions for the moment when this end has all that was sent to it."""
        orders = self.actors[self.actor]
        if self.expects == 0 and self.generations == 1:
            orders["made"] = actions
        else:
            orders.setdefault("data", []).append({"after": self.expects, "do": actions})

    def next_actor(self):
        return f"{self.name}_{'abcdefgh'[self.generations]}"


def writes(dice, size):
    """One or more actions that write so many bytes."""
    kind = dice.below(4)
    if kind == 0 and size >= 2:
        part = 1 + dice.below(size - 1)
        return [{"write": part}, {"write": size - part}]
    if kind == 1 and size >= 3 and size < LARGE:
        part = 1 + dice.below(size - 2)
        return [{"writelines": [part, 1, size - part - 1]}]
    return [{"write": size}]


def extras(dice):
    """What an end may do beside its answer."""
    kinds = [
        lambda: ["pause_reading", "resume_reading"],
        lambda: ["pause_reading", {"facts": ["is_reading"]}, {"call_soon": ["resume_reading", {"facts": ["is_reading"]}]}],
        lambda: [{"facts": ["is_closing", "is_reading"]}],
        lambda: [{"facts": ["protocol", "can_write_eof"]}],
        lambda: [{"limits": {"high": 65536 + dice.below(1000), "low": dice.below(5000)}}, {"facts": ["limits"]}],
        lambda: [{"call_soon": [{"note": "queued"}]}],
        lambda: [{"note": "acts"}, {"write": ""}],
        lambda: ["resume_reading"],
        lambda: [{"limits": {"high": 10, "low": 20}}],
    ]
    return dice.one_of(kinds)()


def turn(dice, end, peer, size):
    actions = []
    while dice.chance(0.45):
        actions += extras(dice)
    answer = writes(dice, size)
    put_off = dice.below(6)
    if put_off == 0:
        answer = [{"call_soon": answer}]
    elif put_off == 1:
        answer = [{"call_later": {"ms": 1, "do": answer}}]
    # The exchange comes first in the turn, and the next actor gets what comes after it.
    exchanges = dice.chance(0.2)
    end.add(([{"set_protocol": end.next_actor()}] if exchanges else []) + actions + answer)
    if exchanges:
        end.take_over(end.next_actor())
    peer.expects += size


def end_with(dice, ending, end, peer):
    size = dice.one_of(SIZES)
    final = {
        "close": [{"write": size}, "close"],
        "write_eof": [{"write": size}, "write_eof"],
        "write_eof, kept open": [{"write": size}, "write_eof"],
        "abort": ["abort"],
        "exception": [{"raise": dice.one_of(["ValueError", "RuntimeError"])}],
        "close later": [{"call_soon": [{"write": size}, {"call_soon": ["close"]}]}],
        "close by the reader": [{"write": size}],
    }[ending]
    end.add(final)
    peer.expects += size
    orders = peer.actors[peer.actor]
    if ending == "write_eof, kept open":
        orders["keep_open"] = True
        orders["eof"] = [{"write": 7}, {"call_soon": ["close"]}]
    elif ending == "close by the reader":
        peer.add(["close"])


def scenario(dice, number):
    actors = {}
    ends = [End(dice, "client", actors), End(dice, "server", actors)]
    over = dice.one_of(OVER)
    turns = 1 + dice.below(4)
    large = dice.below(turns) if dice.chance(0.2) else None
    for index in range(turns):
        turn(dice, ends[index % 2], ends[(index + 1) % 2], LARGE if index == large else dice.one_of(SIZES))
    ending = dice.one_of(ENDINGS)
    end_with(dice, ending, ends[turns % 2], ends[(turns + 1) % 2])
    start = [{"pair": ["client", "server"]}] if over == "pair" else ["serve", {"connect": "client"}]
    made = {"name": f"talk {number}: {turns} turns over {over}, ends with {ending}"}
    if over != "tcp":
        made["over"] = over
    made.update({name: actors.pop(name) for name in ("client", "server")})
    if actors:
        made["others"] = actors
    made["script"] = start + [{"wait": f"{end.actor} lost"} for end in ends]
    return made


def main(to_standard_output):
    dice = Dice(SEED)
    text = "[\n" + ",\n".join(json.dumps(scenario(dice, number)) for number in range(1, COUNT + 1)) + "\n]\n"
    if to_standard_output:
        sys.stdout.write(text)
        return
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(home, "Scenarios", "generated.json"), "w", encoding="utf-8") as stream:
        stream.write(text)


if __name__ == "__main__":
    main(sys.argv[1:] == ["-"])
