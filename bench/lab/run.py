#!/usr/bin/env python3
"""Echo servers side by side: one core for the server, one for the load generator, rounds interleaved, medians.

  build.sh [all]                                   builds the load generator and the peers
  run.py                                           the default peers on the default matrix
  run.py --server 'ours=dotnet path/EchoServer.dll --listen {url}' [--vs c-epoll,py-uvloop] [--cfg tcp-1K-c10,...]
  run.py --idle ...                                memory per idle connection, 9,000 of them

{url} becomes tcp://127.0.0.1:PORT, unix:PATH, udp://127.0.0.1:PORT or tls://127.0.0.1:PORT (with $CERTS/cert.pem, key.pem and
cert.pfx, password x); {mode} and {addr} are its parts. The ratio compares the best CPU time per message with the best of the first
of --vs: what else runs on a machine only ever adds to the figure, so the best run says most. A run in which other programs or the
hypervisor took part of a core is not clean, and left out of the medians where two clean ones exist. In the churn configurations a
message is a short connection, 64 of them in flight: opened, echoed once where the name says so, and closed."""
import argparse, atexit, json, os, resource, shlex, shutil, socket, statistics, subprocess, sys, tempfile, time

OUT = os.environ.get('BENCH_OUT', os.path.join(tempfile.gettempdir(), 'sluice-bench'))
HERE = os.path.dirname(os.path.abspath(__file__))
CERTS = OUT + '/certs'
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def dll(name):
    return f'dotnet {OUT}/{name}/server.dll {{mode}} {{addr}}'


PY = f'/usr/bin/python3 {HERE}/peers/py/server.py'
PEERS = {  # name: (command, modes)
    'c-epoll': (f'{OUT}/c-epoll {{mode}} {{addr}}', 'tcp unix udp tls'),
    'c-epoll-mmsg': (f'{OUT}/c-epoll udpmm {{addr}}', 'udp'),
    'c-uring': (f'{OUT}/c-uring {{mode}} {{addr}}', 'tcp unix'),
    'c-libuv': (f'{OUT}/c-libuv {{mode}} {{addr}}', 'tcp unix udp'),
    'go': (f'{OUT}/go {{mode}} {{addr}}', 'tcp unix udp tls'),
    'node': (f'node {HERE}/peers/node/server.js {{mode}} {{addr}}', 'tcp unix udp tls'),
    'py-asyncio': (f'{PY} proto {{mode}} {{addr}}', 'tcp unix udp tls'),
    'py-uvloop': (f'{PY} proto {{mode}} {{addr}} uvloop', 'tcp unix udp tls'),
    'dotnet-saea': (dll('dotnet-saea'), 'tcp unix'),
    'dotnet-stream': (dll('dotnet-stream'), 'tcp unix tls'),
    'dotnet-kestrel': (dll('dotnet-kestrel'), 'tcp unix tls'),
    'dotnet-udp': (dll('dotnet-udp'), 'udp'),
}
CFG = {
    'tcp-64B-c10': ('tcp', '--size 64'),
    'tcp-1K-c10': ('tcp', '--size 1024'),
    'tcp-16K-c10': ('tcp', '--size 16384'),
    'tcp-100K-c10': ('tcp', '--size 102400'),
    'tcp-1K-c1': ('tcp', '--size 1024 --conns 1'),
    'tcp-1K-c1000': ('tcp', '--size 1024 --conns 1000'),
    'tcp-64B-c10-p32': ('tcp', '--size 64 --pipeline 32'),
    'unix-1K-c10': ('unix', '--size 1024'),
    'tcp-churn': ('tcp', '--mode churn --conns 64 --size 0'),
    'tcp-churn-echo': ('tcp', '--mode churn --conns 64 --size 64'),
    'unix-churn': ('unix', '--mode churn --conns 64 --size 0'),
    'unix-churn-echo': ('unix', '--mode churn --conns 64 --size 64'),
    'udp-1K-c10-p4': ('udp', '--size 1024 --udp --pipeline 4'),
    'tls-1K-c10': ('tls', '--size 1024 --tls'),
    'tls-16K-c10': ('tls', '--size 16384 --tls'),
}
a = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
a.add_argument('--server', action='append', default=[])
a.add_argument('--vs', default='c-epoll,c-libuv,py-uvloop,py-asyncio,dotnet-saea,dotnet-kestrel')
a.add_argument('--cfg', default='tcp-64B-c10,tcp-1K-c10,tcp-16K-c10,tcp-100K-c10,tcp-1K-c1,tcp-1K-c1000,tcp-64B-c10-p32,unix-1K-c10')
a.add_argument('--rounds', type=int, default=5)
a.add_argument('--secs', type=float, default=2)
a.add_argument('--warm', type=float, default=1)
a.add_argument('--idle', action='store_true')
a.add_argument('--json', action='store_true', help='print one JSON object instead of tables')
A = a.parse_args()
servers = {}
for s in A.server:
    name, _, cmd = s.partition('=')
    servers[name] = (cmd, 'tcp unix udp tls')
for v in filter(None, A.vs.split(',')):
    servers[v] = PEERS[v]
base = next((v for v in A.vs.split(',') if v), None)
port = 13000 + os.getpid() % 20000
tmp = tempfile.mkdtemp()
atexit.register(shutil.rmtree, tmp, True)


def start(name, cmd, mode):
    global port
    port += 1
    addr = f'{tmp}/{name}.sock' if mode == 'unix' else str(port)
    url = f'unix:{addr}' if mode == 'unix' else f'{mode}://127.0.0.1:{port}'
    argv = ['taskset', '-c', '0'] + [w.format(mode=mode, addr=addr, url=url) for w in shlex.split(cmd)]
    log = open(f'{tmp}/{name}-{mode}.log', 'wb')
    p = subprocess.Popen(argv, env={**os.environ, 'CERTS': CERTS}, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    for _ in range(200):
        time.sleep(0.1)
        if p.poll() is not None:
            break
        try:
            if mode == 'udp':
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(0.2)
                s.connect(('127.0.0.1', port))
                s.send(b'x')
                s.recv(10)
            else:
                s = socket.socket(socket.AF_UNIX if mode == 'unix' else socket.AF_INET)
                s.connect(addr if mode == 'unix' else ('127.0.0.1', port))
            s.close()
            return p, (['unix:' + addr] if mode == 'unix' else ['127.0.0.1', addr])
        except OSError:
            s.close()
    print(f'!! {name} did not start for {mode}: {open(log.name).read()[-300:]}', file=sys.stderr)
    if p.poll() is None:
        p.kill()
    return None


def load(p, addr, *args):
    r = subprocess.run(
        ['taskset', '-c', '1', OUT + '/load', *addr, '--pid', str(p.pid), *args], capture_output=True, text=True, timeout=300
    )
    try:
        return json.loads(r.stdout.strip().splitlines()[-1])
    except Exception:
        return {'error': (r.stdout + r.stderr)[-300:]}


result = {}
if A.idle:
    for name, (cmd, _) in servers.items():
        s = start(name, cmd, 'tcp')
        if not s:
            continue
        time.sleep(1)
        j = load(*s, '--mode', 'idle', '--conns', '9000', '--seconds', '1.5', '--touch')
        s[0].kill()
        s[0].wait()
        if 'error' in j:
            result[name] = j
            continue
        n = j['conns']
        result[name] = {
            'rss_mib_0': round(j['rss0_kb'] / 1024, 1),
            'bytes_per_idle': round((j['rss1_kb'] - j['rss0_kb']) * 1024 / n),
            'bytes_after_one_echo': round((j['rss2_kb'] - j['rss0_kb']) * 1024 / n),
        }
        if not A.json:
            print(name, result[name], flush=True)
    if A.json:
        print(json.dumps(result))
    sys.exit(0)
for c in A.cfg.split(','):
    mode, args = CFG[c]
    up = {n: start(n, cmd, mode) for n, (cmd, modes) in servers.items() if mode in modes.split()}
    up = {n: s for n, s in up.items() if s}
    runs = {n: [] for n in up}
    for n, s in up.items():
        load(*s, '--seconds', '1.5', '--warm', '0.5', *args.split())
    for _ in range(A.rounds):
        for n, s in up.items():
            j = load(*s, '--seconds', str(A.secs), '--warm', str(A.warm), *args.split())
            if 'error' in j or j.get('errors'):
                print(f'!! {c} {n}: {j}', file=sys.stderr)
                continue
            j['clean'] = j['cpu0'] - j['srv_util'] < 0.10 and j['cpu1'] - j['load_util'] < 0.10 and max(j['steal0'], j['steal1']) < 0.05
            runs[n].append(j)
    for s in up.values():
        s[0].kill()
        s[0].wait()

    def med(n, k):
        clean = [r for r in runs[n] if r['clean']]
        return statistics.median(r[k] for r in (clean if len(clean) >= 2 else runs[n]))

    def best(n):
        return min(r['srv_us_msg'] for r in runs[n])

    if not A.json:
        print(
            f'\n{c}\n{"server":22}{"us/msg":>9}{"best":>8}{"ratio":>8}{"msgs/s":>12}{"p50 us":>9}{"p99 us":>9}{"srv cpu":>9}{"load cpu":>9}  clean'
        )
    for n in up:
        if not runs[n]:
            continue
        us = med(n, 'srv_us_msg')
        ratio = best(n) / best(base) if base in runs and runs[base] else float('nan')
        result.setdefault(c, {})[n] = {
            'us_per_message': us,
            'best': best(n),
            'ratio': round(ratio, 3),
            'messages_per_second': med(n, 'msgs_s'),
            'p99_us': med(n, 'p99'),
        }
        if not A.json:
            print(
                f'{n:22}{us:9.2f}{best(n):8.2f}{ratio:8.2f}{med(n, "msgs_s"):12,.0f}{med(n, "p50"):9,.0f}{med(n, "p99"):9,.0f}{med(n, "srv_util"):9.2f}{med(n, "load_util"):9.2f}  {sum(r["clean"] for r in runs[n])}/{len(runs[n])}',
                flush=True,
            )
if A.json:
    print(json.dumps(result))
