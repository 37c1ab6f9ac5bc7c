#!/usr/bin/env bash
# Breaks the library on purpose and demands that the sweep sees it: each patch in tests/Sluice.Sweep/Mutations is applied to a copy of the tree, and
# some of its first seeds must break the invariant that the patch's first line names.
#   eng/mutations.sh [NAME...]     default: all of them
#   SLUICE_SWEEP_SEEDS=N           how many seeds each gets; default: 5000
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
seeds=${SLUICE_SWEEP_SEEDS:-5000}
patches=$PWD/tests/Sluice.Sweep/Mutations
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
cd "$copy" || exit 1

# Broken on purpose: style does not matter, time does.
build() {
  dotnet build tests/Sluice.Sweep -c Release --disable-build-servers "$@" \
    -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false -p:GenerateDocumentationFile=false >build.log 2>&1
}
build || { cat build.log; exit 1; }

[ $# -gt 0 ] || set -- $(basename -s .patch -a "$patches"/*.patch)
missed=0
for name in "$@"; do
  patch=$patches/$name.patch
  expected=$(sed -n '1s/^Invariant \([0-9]*\):.*/\1/p' "$patch")
  seen='' verdict=MISSED
  if ! git apply "$patch" 2>apply.log; then
    verdict="does not apply: $(head -1 apply.log)"
  elif ! build --no-restore; then
    verdict="does not build: $(grep -m1 -o 'error.*' build.log)"
  else
    timeout 300 dotnet tests/Sluice.Sweep/bin/Release/net10.0/Sluice.Sweep.dll sweep "$seeds" >run.log 2>&1
    seen=$(grep -aoE '^seed [0-9]+: invariant [0-9]+' run.log | sed -E 's/seed ([0-9]+): invariant ([0-9]+)/\2 (seed \1)/' | paste -sd, | sed 's/,/, /g')
    grep -qaE "^seed [0-9]+: invariant $expected " run.log && verdict=seen
  fi
  [ "$verdict" = seen ] || missed=$((missed + 1))
  printf '%-14s invariant %-3s %-7s %s\n' "$name" "$expected" "$verdict" "$seen"
  git apply -R "$patch" 2>>apply.log || { rm -rf src && cp -r "$OLDPWD/src" src; }
done
[ $missed -eq 0 ] || { echo "$missed of $# were not seen"; exit 1; }
echo "all $# were seen"
