#!/usr/bin/env bash
# Looks for tests that fail by chance: runs every test project N times beside a load that keeps all cores busy, and lists what failed.
#   eng/flaky.sh N [PROJECT...]        default: all projects of tests/. The log of each run that failed stays in artifacts/flaky/.
#   SLUICE_LOAD=K                      so many busy processes; default: one per core
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# -gt 0 ] || { sed -n '2,4s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
runs=$1
shift
[ $# -gt 0 ] || set -- $(for project in tests/*/*.csproj; do basename "$project" .csproj; done)
logs=$PWD/artifacts/flaky
rm -rf "$logs"
mkdir -p "$logs"
dotnet build Sluice.slnx -c Release >"$logs/build.log" 2>&1 || { cat "$logs/build.log"; exit 1; }

# Each ends with this script, however that ends.
load=()
for ((i = 0; i < ${SLUICE_LOAD:-$(nproc)}; i++)); do
  (while kill -0 $$ 2>/dev/null; do for ((j = 0; j < 100000; j++)); do :; done; done) &
  load+=($!)
done
trap 'kill "${load[@]}" 2>/dev/null' EXIT

failed=0
for ((run = 1; run <= runs; run++)); do
  for name in "$@"; do
    log=$logs/$name-$run.log began=$SECONDS
    timeout 1800 dotnet "tests/$name/bin/Release/net10.0/$name.dll" --no-progress --no-ansi >"$log" 2>&1 </dev/null
    code=$?
    if [ $code -eq 0 ] || [ $code -eq 8 ]; then
      printf 'run %d of %d: %-28s ok     %5d s\n' $run "$runs" "$name" $((SECONDS - began))
      rm "$log"
    else
      failed=$((failed + 1))
      printf 'run %d of %d: %-28s FAILED %5d s, exit code %d\n' $run "$runs" "$name" $((SECONDS - began)) $code
      grep -a '^failed ' "$log"
    fi
  done
done
echo "$failed of $((runs * $#)) runs failed"
[ $failed -eq 0 ]
