#!/bin/bash
# SPDX-License-Identifier: MIT
# The portable release: made twice, in different folders and one time without any cache, it has the same bytes; and
# its programs run in a root that has nothing but /proc and /sys.
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
    echo "usage: sudo test/package/release_test.sh [--release FOLDER]    # a release that is there, not two new ones" >&2
    exit 2
    ;;
esac
[ "$(id -u)" = 0 ] || fail "the programs load eBPF: run this as root"
scratch=$(mktemp -d /var/tmp/release-test.XXXXXX)
trap 'rm -rf --one-file-system "$scratch"' EXIT

if [ -z "$release" ]; then
    build-scripts/package.sh --build build-package
    release=build-package/release
    build-scripts/package.sh --build "$scratch/another/folder"
    diff "$release/SHA256SUMS" "$scratch/another/folder/release/SHA256SUMS" || fail "two runs gave different bytes"
    rm -rf "$scratch/another"
fi
(cd "$release" && sha256sum --quiet -c SHA256SUMS)
name=$(basename "$release"/*.spdx.json .spdx.json)
for part in "$name" "$name-debug" "$name-relink"; do
    tar -C "$scratch" -xf "$release/$part.tar.zst"
done
top=$scratch/$name
for file in sbin/ebpf_telemetry sbin/imds-tracker bin/get_offsets share/man/man8/ebpf_telemetry.8 licences/glibc.txt \
    licences/curl.txt share/ebpf_telemetry/rules/syscalls.rules \
    share/ebpf_telemetry/rules/minimal.rules share/ebpf_telemetry/rules/forensic.rules lib/systemd/system/ebpf-telemetry.service \
    share/doc/ebpf_telemetry/docs/install.md; do
    [ -s "$top/$file" ] || fail "not in the release: $file" "$(cd "$top" && find . -type f)"
done
! grep -rlaF -e "$PWD/telemetry" -e "$scratch" "$top" "$scratch/$name-debug" "$release/$name.spdx.json" ||
    fail "these files have paths of the machine that built them"
jq -e '.spdxVersion == "SPDX-2.3" and ([.packages[].name] | contains(["glibc", "libbpf", "elfutils", "curl", "openssl"]))' \
    "$release/$name.spdx.json" >/dev/null || fail "the SPDX document lacks libraries"
(cd "$scratch/$name-relink" && sh ./link.sh 2>/dev/null) || fail "link.sh does not link"
"$scratch/$name-relink/imds-tracker" --version >/dev/null

# Who maintains a package is what its maker sets; without that the address is not one that lintian takes.
lintian --allow-root --fail-on error,warning --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog \
    "$release"/*.deb || fail "lintian has found faults"

# Nothing but the program, /proc and /sys; not even /dev.
mkdir -p "$scratch/root"/{proc,sys}
cp "$top"/sbin/* "$top"/bin/* "$scratch/root/"
in_empty_root() { # program, arguments...: its output in $scratch/out and $scratch/err
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount sh -c 'mount --rbind /proc "$1/proc" && mount --rbind /sys "$1/sys" && root=$1 && shift && exec chroot "$root" "$@"' \
        sh "$scratch/root" "$@" >"$scratch/out" 2>"$scratch/err" ||
        fail "status $? in an empty root: $*" "$(tail -n 20 "$scratch/err")"
}
for program in ebpf_telemetry imds-tracker; do
    in_empty_root /$program --version
    in_empty_root /$program --help
    in_empty_root /$program --probe
    in_empty_root /$program --duration 2 -f json -o /events
    grep -qF 'info: reporting' "$scratch/err" || fail "$program does not report" "$(cat "$scratch/err")"
    [ $program = imds-tracker ] || jq -es 'length > 0 and all(.event.id)' "$scratch/root/events" >/dev/null ||
        fail "$program wrote no events" "$(tail -n 3 "$scratch/root/events")"
    rm -f "$scratch/root/events"
done
in_empty_root /get_offsets
grep -qF 'task_struct.real_parent = ' "$scratch/out" || fail "get_offsets printed no offsets"
# The output to Datadog is there: its refusal is of the missing key, not of a missing library.
if in_chroot=$(env -u DD_API_KEY chroot "$scratch/root" /imds-tracker --datadog --duration 1 2>&1); then
    fail "--datadog without a key should be refused"
fi
[[ $in_chroot == *DD_API_KEY* ]] || fail "--datadog is missing:" "$in_chroot"
echo "release: all as it should be"
