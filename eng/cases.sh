#!/usr/bin/env bash
# Which behaviours of tests/catalogue.tsv the last run of test.sh covered: a test tagged [Case("ID")] that passed, or was skipped for want of a peer.
#   eng/cases.sh [AREA...]      default: the areas whose parts are built
# Fails where a row that applies is uncovered, and where a test names an id that the catalogue lacks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# -gt 0 ] || set -- PROTO TCP BUF FLOW LOOP RUN CTX CONN SRV UNIX UDP PIPE SUB DNS SIG SENDFILE SOCK TLS STARTTLS BUG
exec dotnet run --file eng/results.cs -- cases artifacts/results tests/catalogue.tsv "$@"
