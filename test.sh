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
failures=()
rm -rf "$artifacts/results" "$artifacts/log" "$artifacts/packages"
mkdir -p "$artifacts/results" "$artifacts/log" "$artifacts/packages"

# step NAME COMMAND...: one line with the outcome and the duration; the whole output where it failed.
step() {
  local name=$1 began=$SECONDS code=0
  shift
  printf '== %-30s' "$name"
  "$@" >"$artifacts/log/${name// /-}.log" 2>&1 </dev/null || code=$?
  if [ $code -eq 0 ]; then
    printf 'ok      %4d s\n' $((SECONDS - began))
  else
    printf 'FAILED  %4d s\n' $((SECONDS - began))
    cat "$artifacts/log/${name// /-}.log"
    failures+=("$name")
  fi
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

[ "${SLUICE_INSTALL:-}" = 1 ] && step 'install peers' install_peers
[ "$SLUICE_REQUIRE_PEERS" = 1 ] && step 'peers' no_peer_is_missing
step 'build' dotnet build Sluice.slnx -c Release --disable-build-servers || exit 1
step 'format' dotnet format Sluice.slnx --verify-no-changes --no-restore
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  step "test $name" run_tests "$name"
done
step 'cases' eng/cases.sh
step 'pack' dotnet pack Sluice.slnx -c Release --no-build --disable-build-servers -o "$artifacts/packages"

summary=$(results summary "$artifacts/results") || failures+=('results')
[ ${#failures[@]} -eq 0 ] || printf '== failed: %s\n' "$(IFS=,; echo "${failures[*]}")"
printf '%s\n' "$summary"
[ ${#failures[@]} -eq 0 ]
