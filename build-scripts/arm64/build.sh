#!/bin/bash
# SPDX-License-Identifier: MIT
# Cross-builds static programs for arm64 in build-arm64/, with the build root that root.sh makes. Environment and
# arguments are those of build-scripts/build.sh; EBT_ROOT names another build root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

root=${EBT_ROOT:-$(build-scripts/arm64/root.sh)}
export EBT_BUILD=${EBT_BUILD:-build-arm64}
exec build-scripts/build.sh -DCMAKE_TOOLCHAIN_FILE=build-scripts/arm64/toolchain.cmake -DEBT_ROOT="$root" \
    -DEBT_STATIC=ON "$@"
