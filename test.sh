#!/usr/bin/env bash
# Builds, checks the format, runs every test project and packs. The last line is "N passed, N failed, N skipped".
#   SLUICE_INSTALL=1         installs the missing peers of the tests (Debian packages); nothing is installed otherwise
#   SLUICE_REQUIRE_PEERS=1   a missing peer is a failure; otherwise the tests that need it are skipped
# Everything it leaves behind is in artifacts/: results/ (xunit XML), log/ and packages/.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDTERMINALLOGGER=off MSBUILDDISABLENODEREUSE=1
export SLUICE_REQUIRE_PEERS="${SLUICE_REQUIRE_PEERS:-}"

# What the tests talk to, as command:package.
peers=(python3:python3 openssl:openssl curl:curl nc:netcat-openbsd strace:strace gcc:gcc redis-server:redis-server)

artifacts=$PWD/artifacts
rm -rf "$artifacts/results" "$artifacts/log" "$artifacts/packages"
mkdir -p "$artifacts/results" "$artifacts/log" "$artifacts/packages"

# step NAME COMMAND...: one line with the outcome and the duration; the whole output where it failed. Steps may run side by side, so each prints at its end.
step() {
  local name=$1 began=$SECONDS log code=0 outcome=ok
  log=$artifacts/log/${1// /-}.log
  shift
  "$@" >"$log" 2>&1 </dev/null || code=$?
  if [ $code -ne 0 ]; then
    outcome=FAILED
    echo "$name" >>"$artifacts/log/failed"
  fi
  printf '== %-30s%-6s %6d s\n' "$name" $outcome $((SECONDS - began))
  [ $code -eq 0 ] || cat "$log"
  return $code
}

missing_packages() {
  local peer
  for peer in "${peers[@]}"; do
    command -v "${peer%%:*}" >/dev/null || echo "${peer##*:}"
  done
}

install_peers() {
  local packages
  mapfile -t packages < <(missing_packages)
  [ ${#packages[@]} -eq 0 ] && return
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq "${packages[@]}" || { apt-get update -qq && apt-get install -y -qq "${packages[@]}"; }
}

no_peer_is_missing() {
  local packages
  packages=$(missing_packages)
  [ -z "$packages" ] || { echo "missing: ${packages//$'\n'/ }"; return 1; }
}

# A module's exit code is not enough: a file of results without tests is a failure too, and one with only skipped tests is none.
run_tests() {
  local name=$1 code=0
  dotnet "tests/$name/bin/Release/net10.0/$name.dll" --no-progress --no-ansi --timeout 20m \
    --results-directory "$artifacts/results" --report-xunit --report-xunit-filename "$name.xml" || code=$?
  [ -s "$artifacts/results/$name.xml" ] || { echo "$name wrote no results (exit code $code)"; return 1; }
  [ $code -eq 0 ] || [ $code -eq 8 ]
}

results() { dotnet run --file eng/results.cs -- "$@"; }

# One compiler serves the whole build, without the instrumentation that pays in programs that run for long: together they halve its cost. It has a name of its own, and ends with the build.
compiler=sluice-$$
build() {
  DOTNET_TieredPGO=0 dotnet build Sluice.slnx -c Release -p:UseSharedCompilation=true -p:SharedCompilationId=$compiler
}
end_compiler() {
  local sdk
  sdk=$(dirname "$(readlink -f "$(command -v dotnet)")")/sdk/$(dotnet --version)
  "$sdk/Roslyn/bincore/VBCSCompiler" -pipename:$compiler -shutdown >/dev/null 2>&1 || true
}
trap end_compiler EXIT

# The build's analyzers and the tests of the house judge the style; what is left is the white space, which needs no compiler.
format() { DOTNET_TieredPGO=0 dotnet format whitespace . --folder --verify-no-changes --exclude artifacts; }

# The tests that use the real kernel wait much; beside them there is time for the others.
kernel_lane() { step 'test Sluice.KernelTests' run_tests Sluice.KernelTests; }
other_lane() {
  local project name
  step 'format' format
  for project in tests/*/*.csproj; do
    name=$(basename "$project" .csproj)
    [ "$name" = Sluice.KernelTests ] || step "test $name" run_tests "$name"
  done
}

[ "${SLUICE_INSTALL:-}" = 1 ] && step 'install peers' install_peers
[ "$SLUICE_REQUIRE_PEERS" = 1 ] && step 'peers' no_peer_is_missing
step 'build' build || exit 1
end_compiler
if [ "$(nproc)" -gt 1 ]; then
  other_lane &
  kernel_lane
  wait $!
else
  kernel_lane
  other_lane
fi
step 'cases' eng/cases.sh
step 'pack' dotnet pack Sluice.slnx -c Release --no-build --disable-build-servers -o "$artifacts/packages"

summary=$(results summary "$artifacts/results") || echo results >>"$artifacts/log/failed"
[ ! -e "$artifacts/log/failed" ] || printf '== failed: %s\n' "$(paste -sd, "$artifacts/log/failed")"
printf '%s\n' "$summary"
[ ! -e "$artifacts/log/failed" ]
