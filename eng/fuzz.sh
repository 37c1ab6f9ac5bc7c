#!/usr/bin/env bash
# Feeds random bytes to what reads the kernel's reports about strangers: addresses, control messages, answers of name lookups. test.sh does it with a million inputs from seed 1.
#   eng/fuzz.sh [INPUTS [SEED]]        default: 100000000 inputs, from a seed of the clock's; a failure names its seed and input
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export SLUICE_FUZZ_INPUTS="${1:-100000000}" SLUICE_FUZZ_SEED="${2:-$(date +%s)}"
echo "$SLUICE_FUZZ_INPUTS inputs, seed $SLUICE_FUZZ_SEED"
exec dotnet run --project tests/Sluice.KernelTests -c Release -- --filter-namespace Sluice.KernelTests.Fuzzing --no-progress
