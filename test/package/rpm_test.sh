#!/bin/bash
# SPDX-License-Identifier: MIT
# The rpm of the programs: rpmlint has nothing against it, its payload unpacks, and its scriptlets do with systemd what the
# Debian package's do.
set -euo pipefail

fail() {
    printf 'FAILED: %s\n' "$@" >&2
    exit 1
}

if [ $# != 1 ] || [ ! -s "$1" ]; then
    echo "usage: sudo test/package/rpm_test.sh FILE.rpm" >&2
    exit 2
fi
rpm=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

rpmlint --config packaging/rpm/rpmlint.toml "$rpm" >"$scratch/rpmlint" || fail "rpmlint has found faults:" "$(cat "$scratch/rpmlint")"
grep -q ' 0 errors' "$scratch/rpmlint" || fail "rpmlint has checked nothing:" "$(cat "$scratch/rpmlint")"

mkdir "$scratch/root"
(cd "$scratch/root" && rpm2cpio "$rpm" | cpio -idm --quiet)
for file in usr/sbin/ebpf_telemetry usr/sbin/imds-tracker usr/bin/get_offsets usr/lib/systemd/system/ebpf-telemetry.service \
    usr/lib/systemd/system/imds-tracker.service etc/ebpf-telemetry/rules.d/50-default.rules etc/logrotate.d/imds-tracker; do
    [ -s "$scratch/root/$file" ] || fail "not in the rpm: $file"
done
for unit in "$scratch"/root/usr/lib/systemd/system/*.service; do
    program=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")
    [ -x "$scratch/root$program" ] || fail "${unit##*/} starts $program, which is not there"
done
"$scratch/root/usr/sbin/ebpf_telemetry" --version >/dev/null
[ -d "$scratch/root/etc/ebpf-telemetry/conf.d" ]
# What users change is kept: the same files as of the Debian package.
diff <(rpm -qpc "$rpm" | sort) <(sort packaging/deb/conffiles) || fail "the configuration files are others"

# Scriptlets, where systemd runs and where it does not: what they call, and that they never fail.
mkdir -p "$scratch/bin"
printf '#!/bin/sh\necho "$@" >>"%s/calls"\nexit 1\n' "$scratch" >"$scratch/bin/systemctl"
chmod 755 "$scratch/bin/systemctl"
called_by() { # tag of the scriptlet, its argument, "systemd" or ""
    : >"$scratch/calls"
    rpm -qp --qf "%{$1}" "$rpm" >"$scratch/scriptlet"
    [ -s "$scratch/scriptlet" ] || fail "there is no $1"
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount sh -c 'mount -t tmpfs tmpfs /run && { [ -z "$1" ] || mkdir -p /run/systemd/system; } &&
        PATH=$2:$PATH exec sh -e "$3" "$4"' sh "$3" "$scratch/bin" "$scratch/scriptlet" "$2" || fail "$1 $2 ends with status $?"
    cat "$scratch/calls"
}
expect_calls() { # tag, argument, where, calls
    local called
    called=$(called_by "$1" "$2" "$3")
    [ "$called" = "$4" ] || fail "$1 $2 calls:" "$called" "instead of:" "$4"
}
units='ebpf-telemetry.service imds-tracker.service'
expect_calls POSTIN 1 systemd 'daemon-reload' # nothing starts by itself
expect_calls POSTIN 2 systemd 'daemon-reload'
expect_calls PREUN 0 systemd "--no-reload disable --now $units"
expect_calls PREUN 1 systemd ''
expect_calls POSTUN 0 systemd 'daemon-reload'
expect_calls POSTUN 1 systemd $'daemon-reload\n'"try-restart $units" # after an upgrade, what runs
for scriptlet in POSTIN PREUN POSTUN; do
    for argument in 0 1 2; do
        expect_calls $scriptlet $argument '' ''
    done
done
echo "rpm_test.sh: ${rpm##*/} is as it should be"
