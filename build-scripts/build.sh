#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds everything in build/, with ninja if it is installed. EBT_BUILD names another directory, EBT_TARGET
# a single target. Arguments are passed to cmake: build-scripts/build.sh -DCMAKE_BUILD_TYPE=Debug
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${EBT_BUILD:-build}
generator=()
if [ ! -e "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null; then
    generator=(-G Ninja)
fi
cmake -S . -B "$folder" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release "$@"
cmake --build "$folder" --parallel "$(nproc)" ${EBT_TARGET:+--target "$EBT_TARGET"}

# After a build under sudo, the owner of the source tree owns the directory, so that later builds need no sudo.
if [ "$(id -u)" = 0 ]; then
    chown -hR --reference=. "$folder"
fi
