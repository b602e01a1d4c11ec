#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the packages that the build needs, builds, and runs ebpf_telemetry with the given arguments.
# Only the program writes to standard output.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

"$scripts/setup.sh" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "run.sh: building (the first time this takes a minute)" >&2
if ! "$scripts/build.sh" -DEBT_TESTS=OFF >"$log" 2>&1; then
    cat "$log" >&2
    echo "run.sh: the build failed: see above" >&2
    exit 1
fi
rm -f "$log"
exec "$scripts/../build/ebpf_telemetry" "$@"
