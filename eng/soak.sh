#!/usr/bin/env bash
# Runs the tests of what must not grow for longer than test.sh can: loops that start, serve and end; short connections in every way in which
# one can end, with what the process holds after each tenth of them; peers that send and close at once; child processes.
#   eng/soak.sh [LOOPS [CONNECTIONS [ENDS [CHILDREN]]]]      default: 10000 1000000 100000 100000, some minutes; 0 leaves a part out
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export SLUICE_SOAK_LOOPS="${1:-10000}" SLUICE_SOAK_CONNECTIONS="${2:-1000000}" SLUICE_SOAK_ENDS="${3:-100000}" SLUICE_SOAK_CHILDREN="${4:-100000}"
dotnet build tests/Sluice.KernelTests -c Release --disable-build-servers

# part COUNT TEST...: runs the tests, unless the count is 0.
part() {
  local count=$1
  shift
  [ "$count" -eq 0 ] || dotnet tests/Sluice.KernelTests/bin/Release/net10.0/Sluice.KernelTests.dll --no-progress --no-ansi "$@"
}

part "$SLUICE_SOAK_LOOPS" --filter-class Sluice.KernelTests.Loops.CostTests
part "$SLUICE_SOAK_CONNECTIONS" --filter-class Sluice.KernelTests.Transports.ChurnTests --filter-class Sluice.KernelTests.Transports.LeakTests
part "$SLUICE_SOAK_ENDS" --filter-method Sluice.KernelTests.Transports.PeerEndTests.Bytes_that_come_together_with_the_end_are_all_delivered
part "$SLUICE_SOAK_CHILDREN" --filter-class Sluice.KernelTests.Subprocesses.ReapingTests
