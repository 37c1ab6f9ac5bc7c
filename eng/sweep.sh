#!/usr/bin/env bash
# Runs random worlds on the simulated kernel, every invariant checked after every event (docs/testing.md).
#   eng/sweep.sh COUNT [FIRST_SEED]        seeds FIRST_SEED (default: 1) and the following; exit code 1 if one breaks an invariant
#   eng/sweep.sh --seed N [--trace]        one seed again, with its whole trace
#   eng/sweep.sh --checks SEEDS            instead: every check of the conformance suite over that many seeds
#                                          (SLUICE_CHECK=ID or NAME in the environment runs only the checks of that case)
# A seed that fails is a bug to mend; pin it as a test: tests/Sluice.Sweep/SweepTests.cs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# -gt 0 ] || { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }
if [ "$1" = --checks ]; then
  SLUICE_SEEDS=${2:-1000} exec dotnet run --project tests/Sluice.Tests -c Release -- --filter-class '*.TransportChecksOnSimulation' --no-progress
fi
exec dotnet run --project tests/Sluice.Sweep -c Release -- sweep "$@"
