#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the packages that the build needs, builds, and runs ebpf_telemetry with the given arguments.
# Only the program writes to standard output.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# shellcheck source=progress.sh
. "$scripts/progress.sh"

"$scripts/setup.sh" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! progress_build "building (the first time this takes some minutes)" "$log" "$scripts/build.sh" -DEBT_TESTS=OFF; then
    cat "$log" >&2
    echo "run.sh: the build failed: see above" >&2
    exit 1
fi
rm -f "$log"
exec "$scripts/../build/ebpf_telemetry" "$@"
