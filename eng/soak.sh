#!/usr/bin/env bash
# Runs the tests of what must not grow for longer than test.sh can: today 10,000 loops that start, serve and end (under a minute).
#   eng/soak.sh [LOOPS]      default: 10000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export SLUICE_SOAK_LOOPS="${1:-10000}"
dotnet build tests/Sluice.KernelTests -c Release --disable-build-servers
exec dotnet tests/Sluice.KernelTests/bin/Release/net10.0/Sluice.KernelTests.dll --no-progress --no-ansi \
  --filter-class Sluice.KernelTests.Loops.CostTests
