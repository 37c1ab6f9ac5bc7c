#!/usr/bin/env bash
# Runs every check on the simulated kernel over many seeds.
#   eng/sweep.sh [SEEDS]      default: 1000
# SLUICE_CHECK=ID or NAME in the environment runs only the checks of that case.
# A seed that fails is named in the failing test; pin it as a test of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
SLUICE_SEEDS=${1:-1000} exec dotnet run --project tests/Sluice.Tests -c Release -- --filter-class '*.TransportChecksOnSimulation' --no-progress
