#!/usr/bin/env bash
# Builds the load generator and the peers into $BENCH_OUT (default: sluice-bench in the temp folder).
#   build.sh        the default peers
#   build.sh all    Go too, which needs a whole toolchain
# Missing Debian packages are installed where that is allowed; a peer that cannot be built is left out, and a line says so.
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=${BENCH_OUT:-${TMPDIR:-/tmp}/sluice-bench}
mkdir -p "$out/certs"

# need PACKAGE...: tries to install what is missing. A failure shows in the build of the peer that needed it.
need() {
  local missing=() p
  for p in "$@"; do dpkg -s "$p" >/dev/null 2>&1 || missing+=("$p"); done
  [ ${#missing[@]} -eq 0 ] && return
  apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1 && return
  apt-get update -qq >/dev/null 2>&1
  apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1
}

# try NAME COMMAND...: builds one program, with its output in a log.
try() {
  local name=$1
  shift
  if "$@" >"$out/$name.log" 2>&1; then echo "built $name"; else echo "left out $name (see $out/$name.log)"; fi
}

need gcc libc6-dev libssl-dev openssl
if [ ! -f "$out/certs/cert.pfx" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout "$out/certs/key.pem" -out "$out/certs/cert.pem" 2>/dev/null
  openssl pkcs12 -export -inkey "$out/certs/key.pem" -in "$out/certs/cert.pem" -out "$out/certs/cert.pfx" -passout pass:x
fi

try load gcc -O2 -o "$out/load" "$here/load.c" -lssl -lcrypto
try fileload gcc -O2 -o "$out/fileload" "$here/fileload.c"
try c-sendfile gcc -O2 -o "$out/c-sendfile" "$here/peers/c-sendfile/server.c"
try c-epoll gcc -O2 -o "$out/c-epoll" "$here/peers/c-epoll/server.c" -lssl -lcrypto
need liburing-dev
try c-uring gcc -O2 -o "$out/c-uring" "$here/peers/c-uring/server.c" -luring
need libuv1-dev
try c-libuv gcc -O2 -o "$out/c-libuv" "$here/peers/c-libuv/server.c" -luv
need python3 python3-uvloop

if command -v dotnet >/dev/null; then
  for peer in dotnet-saea dotnet-stream dotnet-kestrel dotnet-udp dotnet-redis; do
    try "$peer" dotnet publish "$here/peers/$peer" -c Release -o "$out/$peer" --artifacts-path "$out/obj" --disable-build-servers --nologo -v q
  done
fi

if [ "${1:-}" = all ]; then
  need golang-go
  try go sh -c "cd '$here/peers/go' && GOCACHE='$out/gocache' go build -o '$out/go' ."
fi
echo "ready in $out"
