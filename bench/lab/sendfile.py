#!/usr/bin/env python3
"""Servers that send a file, side by side: CPU time of the server per MiB, beside a server in C that calls sendfile itself.

  build.sh                                  builds fileload and c-sendfile
  sendfile.py --server 'sluice=dotnet PATH/Sluice.EchoServer.dll --listen tcp://127.0.0.1:{port} --sendfile {file}'

One core for the server, one for the client, rounds interleaved, medians. The ratio is between the best runs: what else runs on a
machine only ever adds. The server sends the file once for each byte that it is sent, and the client compares every byte."""
import argparse, json, os, shlex, socket, statistics, subprocess, sys, tempfile, time

OUT = os.environ.get('BENCH_OUT', os.path.join(tempfile.gettempdir(), 'sluice-bench'))
a = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
a.add_argument('--server', action='append', default=[], help='NAME=COMMAND with {port} and {file}')
a.add_argument('--sizes', default='16K,1M,16M', help='sizes of the file')
a.add_argument('--conns', type=int, default=4)
a.add_argument('--rounds', type=int, default=5)
a.add_argument('--secs', type=float, default=2)
a.add_argument('--warm', type=float, default=1)
A = a.parse_args()
servers = {'c-sendfile': f'{OUT}/c-sendfile {{port}} {{file}}'}
for s in A.server:
    name, _, command = s.partition('=')
    servers[name] = command


def start(command, file):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    words = [w.format(port=port, file=file) for w in shlex.split(command)]
    process = subprocess.Popen(['taskset', '-c', '0', *words], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    for _ in range(200):
        time.sleep(0.1)
        with socket.socket() as probe:
            if probe.connect_ex(('127.0.0.1', port)) == 0:
                return process, port
        if process.poll() is not None:
            break
    sys.exit(f'{command} did not start')


for size in A.sizes.split(','):
    count = int(size[:-1]) * {'K': 1 << 10, 'M': 1 << 20}[size[-1]]
    with tempfile.NamedTemporaryFile() as file:
        file.write(os.urandom(count))
        file.flush()
        up = {name: start(command, file.name) for name, command in servers.items()}
        runs = {name: [] for name in up}
        for _ in range(A.rounds):
            for name, (process, port) in up.items():
                words = ['taskset', '-c', '1', f'{OUT}/fileload', port, file.name, process.pid, A.conns, A.secs, A.warm]
                out = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=300)
                if out.returncode != 0:
                    sys.exit(f'{name}: {out.stderr}')
                runs[name].append(json.loads(out.stdout))
        for process, _ in up.values():
            process.terminate()
            process.wait()
    best = {name: min(run['us_mib'] for run in of) for name, of in runs.items()}
    print(f'\n{size} x {A.conns} connections\n{"server":22}{"us/MiB":>9}{"best":>9}{"ratio":>8}{"MiB/s":>10}{"srv cpu":>9}')
    for name, of in runs.items():
        middle = {key: statistics.median(run[key] for run in of) for key in of[0]}
        ratio = best[name] / best['c-sendfile']
        print(f'{name:22}{middle["us_mib"]:9.1f}{best[name]:9.1f}{ratio:8.3f}{middle["mib_s"]:10,.0f}{middle["srv_util"]:9.2f}', flush=True)
