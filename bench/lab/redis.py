#!/usr/bin/env python3
"""Compares Redis clients: starts a redis-server on a Unix socket and lets one client after another load it, in rounds, so that what else the machine does meets all of them.

    lab/redis.py [--rounds 5] [--in-flight 50] [--seconds 3] [--warm 1] [--clients NAMES] [--strace]

Names: sluice-future, sluice-plain, sluice-sample, sluice-threads, sluice-invoke (bench/RedisClient), stackexchange and raw (lab/peers/dotnet-redis).
--strace counts system calls instead, one short run each. Needs redis-server (apt-get install -y redis-server); build.sh builds the peers.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
OUT = pathlib.Path(os.environ.get("BENCH_OUT", os.path.join(os.environ.get("TMPDIR", "/tmp"), "sluice-bench")))
OURS = HERE.parent / "RedisClient/bin/Release/net10.0/Sluice.RedisBench.dll"
PEERS = OUT / "dotnet-redis/client.dll"
ALL = ["sluice-future", "sluice-plain", "sluice-sample", "sluice-threads", "sluice-invoke", "stackexchange", "raw"]


def command(name, server, options):
    program, mode = (OURS, name.removeprefix("sluice-")) if name.startswith("sluice-") else (PEERS, name)
    return ["dotnet", str(program), "--server", server, "--mode", mode, "--in-flight", str(options.in_flight),
            "--seconds", str(options.seconds), "--warm", str(options.warm)]


def run(name, server, options):
    done = subprocess.run(command(name, server, options), capture_output=True, text=True, timeout=options.seconds + options.warm + 60, check=True)
    return json.loads(done.stdout)


def count_calls(name, server, options):
    with tempfile.NamedTemporaryFile("r") as table:
        subprocess.run(["strace", "-f", "-c", "-o", table.name, *command(name, server, options)], capture_output=True, timeout=300, check=True)
        calls = {line.split()[-1]: int(line.split()[3]) for line in table if len(line.split()) >= 5 and line.split()[3].isdigit()}
    return {call: calls.get(call, 0) for call in ("sendto", "sendmsg", "recvfrom", "recvmsg", "epoll_wait", "write", "futex")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--warm", type=float, default=1)
    parser.add_argument("--clients", default=",".join(ALL))
    parser.add_argument("--strace", action="store_true")
    options = parser.parse_args()
    names = options.clients.split(",")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "redis.sock")
        server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", folder],
                                  stdout=subprocess.DEVNULL)
        try:
            while not os.path.exists(path):
                time.sleep(0.05)
            if options.strace:
                for name in names:
                    print(f"{name:16}", *(f"{call} {count:,}" for call, count in count_calls(name, "unix:" + path, options).items() if count), sep="  ")
                return
            runs = {name: [] for name in names}
            for _ in range(options.rounds):
                for name in names:
                    runs[name].append(run(name, "unix:" + path, options))
            print(f"| {options.in_flight} in flight | commands/s, median | best | us per command, best | client's CPU per command, best, us | bytes allocated |")
            print("|---|--:|--:|--:|--:|--:|")
            for name, results in runs.items():
                rates = [result["commands_s"] for result in results]
                print(f"| {name} | {statistics.median(rates):,.0f} | {max(rates):,.0f} | {min(result['us_per_command'] for result in results):.2f} "
                      f"| {min(result['cpu_us_per_command'] for result in results):.2f} | {results[-1]['allocated_per_command']} |")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
