#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes a folder with the libraries that a build for arm64 links, for build-scripts/arm64/toolchain.cmake: Debian's packages,
# unpacked, never run. Debian's cross compiler g++-aarch64-linux-gnu cannot be installed beside gcc-multilib,
# which the tests need; clang compiles for either machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

packages=(
    libc6-dev libstdc++-12-dev libgcc-12-dev libbpf-dev libelf-dev libdw-dev zlib1g-dev libzstd-dev
    libcurl4-openssl-dev libssl-dev libseccomp-dev librdkafka-dev libncurses-dev rapidjson-dev
    libboost-program-options-dev libboost-log-dev nlohmann-json3-dev liblzma-dev libbz2-dev libc-ares-dev
    libgtest-dev libgmock-dev busybox-static curl
    libc6-dev:armhf libgcc-12-dev:armhf # 32-bit programs of the tests
)

usage() {
    cat <<END
usage: build-scripts/arm64/root.sh [FOLDER]
Makes FOLDER, which must not exist or be empty: 500 MB of Debian 12's arm64 packages. Without FOLDER it is in the cache
directory of build-scripts/vm-kernels.sh, where it is made once. Prints its path, for EBT_ROOT:
  cmake -S . -B build-arm64 -DCMAKE_TOOLCHAIN_FILE=build-scripts/arm64/toolchain.cmake -DEBT_ROOT=FOLDER -DEBT_STATIC=ON
END
}

fail() {
    printf 'root.sh: %s\n' "$@" >&2
    exit 1
}

# shellcheck source=../mirror.sh
. "$here/../mirror.sh"
folder=${1-}
case $folder in
-h | --help) usage && exit ;;
-*) usage >&2 && exit 2 ;;
'')
    folder=$(debian_cache) || exit 1
    folder+=/arm64-root-$(cat "$here"/root.sh "$here"/register.sh | sha256sum | cut -c1-12) # changed ones make another folder
    exec 9>"$folder.lock"
    flock 9
    [ ! -e "$folder" ] || { echo "$folder" && exit; }
    ;;
esac
command -v mmdebstrap >/dev/null || fail "this needs mmdebstrap: apt-get install mmdebstrap"
[ -z "$(find "$folder" -mindepth 1 -maxdepth 1 2>/dev/null | head -1)" ] || fail "$folder is not empty"

mirror=$(debian_mirror) || fail "the packages cannot be fetched"
rm -rf "$folder.new" # may be left from a run that was killed
IFS=,
mmdebstrap --quiet --variant=extract --architectures=arm64,armhf --include="${packages[*]}" bookworm "$folder.new" \
    --extract-hook="$here/register.sh" "$mirror" >&2 || fail "the packages could not be fetched: see above"
rm -rf "$folder"
mv "$folder.new" "$folder"
echo "$folder"
