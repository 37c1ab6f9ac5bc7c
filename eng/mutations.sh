#!/usr/bin/env bash
# Breaks the library on purpose and demands that each break is seen: tests/Sluice.Sweep/Breaks/breaks.txt says what is broken, and by what it must be seen. Everything
# happens in a copy of the tree. Takes a build of the library and a few tests for each.
#   eng/mutations.sh [NAME...]     default: all of them
#   SLUICE_SWEEP_SEEDS=N           how many seeds the sweep gets for those that it must see; default: 5000
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
seeds=${SLUICE_SWEEP_SEEDS:-5000}
tree=$PWD
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
cd "$copy" || exit 1
list=$PWD/tests/Sluice.Sweep/Breaks/breaks.txt

# Broken on purpose: style does not matter, time does.
build() {
  dotnet build "$@" -c Release -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false -p:GenerateDocumentationFile=false -p:TreatWarningsAsErrors=false >build.log 2>&1
}
of() { echo "$copy/tests/$1/bin/Release/net10.0"; }
for project in Sluice.Sweep Sluice.Tests Sluice.KernelTests; do
  build "tests/$project" || { cat build.log; exit 1; }
done

# A copy that nothing breaks: it reads the list and plants.
cp -r "$(of Sluice.Sweep)" "$copy/planter"
breaks() { dotnet "$copy/planter/Sluice.Sweep.dll" breaks "$list" "$@"; }

# see PROJECT KIND NAME: runs the tests that must see it. A run without tests, or that finds no rows, has seen nothing.
see() {
  local filter=(--filter-class "*.$3") code=0
  [ "$2" = class ] || filter=(--filter-class '*.TransportChecksOn*')
  [ "$2" = class ] || export SLUICE_CHECK=$3
  timeout 300 dotnet "$(of "$1")/$1.dll" --no-progress --no-ansi --stop-on-fail on "${filter[@]}" >run.log 2>&1 || code=$?
  unset SLUICE_CHECK
  [ $code -ne 0 ] && [ $code -ne 8 ] && ! grep -q 'No data found' run.log && verdict=seen
  seen=$(grep -m1 '^failed' run.log | cut -c8-120)
}

# sweep N: some of the first seeds must break that invariant.
sweep() {
  timeout 300 dotnet "$(of Sluice.Sweep)/Sluice.Sweep.dll" sweep "$seeds" >run.log 2>&1
  seen=$(grep -aoE '^seed [0-9]+: invariant [0-9]+' run.log | sed -E 's/seed ([0-9]+): invariant ([0-9]+)/\2 (seed \1)/' | paste -sd, | sed 's/,/, /g')
  grep -qaE "^seed [0-9]+: invariant $1 " run.log && verdict=seen
}

[ $# -gt 0 ] || set -- $(breaks)
missed=0
for name in "$@"; do
  verdict=MISSED seen=''
  if ! plan=$(breaks "$name" "$copy"); then
    verdict='DOES NOT APPLY' seen=$plan
  else
    mapfile -t lines <<<"$plan"
    read -ra by <<<"${lines[0]}"
    if ! build src/Sluice.Testing --no-restore; then
      verdict='DOES NOT BUILD' seen=$(grep -m1 -o 'error.*' build.log)
    else
      project=${by[0]}
      [ "$project" = sweep ] && project=Sluice.Sweep
      cp src/Sluice.Testing/bin/Release/net10.0/Sluice*.dll "$(of "$project")"
      if [ "${by[0]}" = sweep ]; then sweep "${by[1]}"; else see "${by[@]}"; fi
    fi
    for file in "${lines[@]:1}"; do cp "$tree/$file" "$file"; done
  fi
  [ "$verdict" = seen ] || missed=$((missed + 1))
  printf '%-18s %-14s by %-60s %s\n' "$name" "$verdict" "${by[*]:-}" "$seen"
  by=()
done
[ $missed -eq 0 ] || { echo "$missed of $# were not seen"; exit 1; }
echo "all $# were seen"
