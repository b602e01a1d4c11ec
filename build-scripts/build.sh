#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds everything into build/, with ninja where there is one. EBT_BUILD names another folder,
# EBT_TARGET a single target; arguments go to cmake: build-scripts/build.sh -DCMAKE_BUILD_TYPE=Debug
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${EBT_BUILD:-build}
generator=()
if [ ! -e "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null; then
    generator=(-G Ninja)
fi
cmake -S . -B "$folder" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release "$@"
cmake --build "$folder" --parallel "$(nproc)" ${EBT_TARGET:+--target "$EBT_TARGET"}

# Built under sudo, the folder still belongs to the owner of the tree, who may go on with it.
if [ "$(id -u)" = 0 ]; then
    chown -hR --reference=. "$folder"
fi
