#!/bin/bash
# SPDX-License-Identifier: MIT
# The portable release for arm64: it is cross-built, complete and of that machine, its packages are without fault, and
# its programs start in an emulator of the processor. build-scripts/vm-test.sh --arch arm64 has them on a kernel.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
    printf 'FAILED: %s\n' "$@" >&2
    exit 1
}

case ${1-} in
'') release='' ;;
--release) release=${2:?} ;;
*)
    echo "usage: test/package/arm64_test.sh [--release FOLDER]    # a release that is there, not a new one" >&2
    exit 2
    ;;
esac
if [ -z "$release" ]; then
    build-scripts/package.sh --arch arm64
    release=build-package-arm64/release
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(cd "$release" && sha256sum --quiet -c SHA256SUMS)
name=$(basename "$release"/*.spdx.json .spdx.json)
for part in "$name" "$name-relink"; do
    tar -C "$scratch" -xf "$release/$part.tar.zst"
done
jq -e '[.packages[].name] | contains(["glibc", "libbpf", "elfutils", "curl", "openssl"])' "$release/$name.spdx.json" \
    >/dev/null || fail "the SPDX document lacks libraries"
root=$(build-scripts/arm64/root.sh)
(cd "$scratch/$name-relink" && sh ./link.sh "$root") || fail "link.sh does not link"
for program in "$scratch/$name"/sbin/{ebpf_telemetry,imds-tracker} "$scratch/$name-relink/ebpf_telemetry"; do
    [[ $(file -b "$program") = *aarch64*static* ]] || fail "$program is no static program for arm64"
    qemu-aarch64 "$program" --version | grep -q " $(cut -d- -f2 <<<"${name#ebpf_telemetry}")" || fail "$program does not start"
done
[ "$(dpkg-deb -f "$release"/ebpf-telemetry_*.deb Architecture)" = arm64 ] || fail "the package is not for arm64"
[ "$(rpm -qp --qf '%{arch}' "$release"/ebpf-telemetry-[0-9]*.rpm)" = aarch64 ] || fail "the rpm is not for aarch64"
lintian --allow-root --fail-on error,warning --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog \
    "$release"/*.deb || fail "lintian has found faults"
echo "arm64_test.sh: $name is as it should be"
