#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes a folder with the libraries that a build for arm64 links, for build-scripts/arm64/toolchain.cmake: Debian's packages,
# unpacked, never run. Debian's cross compiler g++-aarch64-linux-gnu cannot be installed beside gcc-multilib,
# which the tests need; clang compiles for either machine.
set -euo pipefail

packages=(
    libc6-dev libstdc++-12-dev libgcc-12-dev libbpf-dev libelf-dev libdw-dev zlib1g-dev libzstd-dev
    libcurl4-openssl-dev libssl-dev libseccomp-dev librdkafka-dev libncurses-dev rapidjson-dev
    libboost-program-options-dev libboost-log-dev nlohmann-json3-dev liblzma-dev libbz2-dev busybox-static
)

usage() {
    cat <<END
usage: build-scripts/arm64/root.sh FOLDER
Makes FOLDER, which must not exist or be empty: 400 MB of Debian 12's arm64 packages. Then
  cmake -S . -B build-arm64 -DCMAKE_TOOLCHAIN_FILE=build-scripts/arm64/toolchain.cmake -DEBT_ROOT=FOLDER -DEBT_STATIC=ON
END
}

fail() {
    printf 'root.sh: %s\n' "$@" >&2
    exit 1
}

case ${1-} in
-h | --help) usage && exit ;;
'' | -*) usage >&2 && exit 2 ;;
esac
command -v mmdebstrap >/dev/null || fail "this needs mmdebstrap: apt-get install mmdebstrap"
[ -z "$(find "$1" -mindepth 1 -maxdepth 1 2>/dev/null | head -1)" ] || fail "$1 is not empty"

# shellcheck source=../mirror.sh
. "$(dirname "${BASH_SOURCE[0]}")/../mirror.sh"
mirror=$(debian_mirror) || fail "the packages cannot be fetched"
IFS=,
mmdebstrap --quiet --variant=extract --architectures=arm64 --include="${packages[*]}" bookworm "$1" \
    "$mirror" || fail "the packages could not be fetched: see above"
