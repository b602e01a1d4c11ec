#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes a static libcurl from Debian's source package: Debian's own archive needs forty libraries, many of which
# have no archive. It has HTTP and HTTPS by OpenSSL, and c-ares, so that it does not need the C library's resolver.
set -euo pipefail

usage() {
    cat <<'END'
usage: packaging/portable/curl.sh FOLDER [OPTION OF CMAKE...]
Leaves lib/, include/, version and copyright in FOLDER; does nothing if they are there already. The source comes
from the Debian mirror of this machine's apt, which checks its signature.
END
    exit "$1"
}

fail() {
    printf 'curl.sh: %s\n' "$@" >&2
    exit 1
}

case ${1-} in
-h | --help) usage 0 ;;
'' | -*) usage 2 >&2 ;;
esac
folder=$1
shift
[ ! -e "$folder/version" ] || exit 0
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# apt with lists of its own: most machines have no lists of sources, and this one's stay as they are.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e $keyring ] || fail "$keyring is missing: install debian-archive-keyring"
apt-get indextargets --format "deb-src [signed-by=$keyring] \$(REPO_URI) \$(RELEASE) main" \
    'Created-By: Packages' 'Origin: Debian' | sort -u >"$scratch/sources.list"
[ -s "$scratch/sources.list" ] ||
    fail "this machine's apt has no Debian mirror; add one to its sources and run: apt-get update"
mkdir -p "$scratch/lists/partial"
own_apt() {
    apt-get -q -o Dir::Etc::SourceList="$scratch/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$scratch/lists" -o Dir::Cache::srcpkgcache="$scratch/sources.bin" \
        -o Dir::Cache::pkgcache="$scratch/packages.bin" -o APT::Sandbox::User="$(id -un)" \
        -o APT::Get::List-Cleanup=false "$@" >"$scratch/log" 2>&1 || fail "apt-get $1 failed:" "$(tail -n 20 "$scratch/log")"
}
own_apt update
cd "$scratch"
own_apt source curl
source=$(echo curl-*/)
source=${source%/}
[ -e "$source/CMakeLists.txt" ] || fail "Debian's source package of curl is not where it is expected"

cmake -G Ninja -S "$source" -B made -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
    -DCMAKE_C_FLAGS="-g -fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$scratch/made/= -ffile-prefix-map=$scratch/=" \
    -DCMAKE_INSTALL_PREFIX="$folder" -DCMAKE_INSTALL_LIBDIR=lib \
    -DBUILD_SHARED_LIBS=OFF -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DENABLE_MANUAL=OFF -DHTTP_ONLY=ON \
    -DENABLE_ARES=ON -DCURL_USE_OPENSSL=ON -DCURL_ZLIB=OFF -DCURL_ZSTD=OFF -DCURL_BROTLI=OFF -DUSE_NGHTTP2=OFF \
    -DUSE_LIBIDN2=OFF -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF -DCURL_USE_LIBSSH=OFF \
    -DCURL_DISABLE_NETRC=ON -DCURL_DISABLE_NTLM=ON -DCURL_DISABLE_COOKIES=ON -DCURL_DISABLE_ALTSVC=ON \
    -DCURL_DISABLE_HSTS=ON -DCURL_DISABLE_DOH=ON -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none -DCURL_CA_FALLBACK=ON "$@" \
    >"$scratch/log" 2>&1 || fail "libcurl cannot be configured:" "$(tail -n 30 "$scratch/log")"
cmake --build made --parallel "$(nproc)" >"$scratch/log" 2>&1 ||
    fail "libcurl does not compile:" "$(tail -n 30 "$scratch/log")"
cmake --install made >"$scratch/log"
cp "$source/debian/copyright" "$folder/copyright"
dpkg-parsechangelog -l "$source/debian/changelog" -S Version >"$folder/version"
