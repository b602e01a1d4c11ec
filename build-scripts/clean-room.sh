#!/bin/bash
# SPDX-License-Identifier: MIT
# Checks that a machine with only the packages of setup.sh is enough: makes a Debian 12 with debootstrap,
# using the mirror and proxy of this machine's apt, and runs the commands of README.md in it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'END'
usage: sudo build-scripts/clean-room.sh [--keep FOLDER] [COMMAND...]
  --keep FOLDER   make the Debian in FOLDER and do not remove it; use the one that is there, if any
  COMMAND         run this in the copy of the sources (default: run.sh for five seconds, then test.sh)
The sources are those of this tree with its uncommitted changes. The kernels that vm-kernels.sh has
downloaded are mounted into the Debian.
END
    exit "$1"
}

fail() {
    printf 'clean-room.sh: %s\n' "$@" >&2
    exit 1
}

suite=bookworm
root='' keep=no
while [ $# -gt 0 ]; do
    case $1 in
    --keep)
        [ $# -gt 1 ] || usage 2 >&2
        root=$2 keep=yes
        shift
        ;;
    -h | --help) usage 0 ;;
    -*) usage 2 >&2 ;;
    *) break ;;
    esac
    shift
done
command=${*:-build-scripts/run.sh --duration 5 -Q && build-scripts/test.sh}

[ "$(id -u)" = 0 ] || fail "this makes a root file system; run it as root: sudo $0"
build-scripts/setup.sh --all

# The mirror, and the proxy of this machine's apt.
# shellcheck source=mirror.sh
. build-scripts/mirror.sh
mirror=$(debian_mirror) || fail "the packages of the room cannot be fetched"
proxy_of() { # scheme
    local PROXY=''
    eval "$(apt-config shell PROXY "Acquire::$1::Proxy")"
    [ "$PROXY" = DIRECT ] || echo "$PROXY"
}

make_root() {
    local proxy name
    for name in http https; do
        proxy=$(proxy_of $name)
        [ -z "$proxy" ] || export "${name}_proxy=$proxy"
    done
    echo "clean-room.sh: making a Debian $suite in $root" >&2
    debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
        fail "debootstrap failed:" "$(tail -n 20 "$root.log")"
    rm -f "$root.log"
    # The apt in it needs the same settings and certificates as this machine's to reach the mirror.
    apt-config dump Acquire >"$root/etc/apt/apt.conf.d/90machine"
    if compgen -G '/usr/local/share/ca-certificates/*' >/dev/null; then
        mkdir -p "$root/usr/local/share/ca-certificates"
        cp /usr/local/share/ca-certificates/* "$root/usr/local/share/ca-certificates/"
    fi
    touch "$root/.made"
}

copy_sources() {
    rm -rf "$root/src"
    mkdir "$root/src"
    { git -c safe.directory='*' ls-files -co --exclude-standard -z | while read -rd '' file; do
        [ ! -e "$file" ] || printf '%s\0' "$file"
    done; } | tar --null -T - -c | tar -x -C "$root/src" --no-same-owner
}

# Uses a mount namespace of its own, so that nothing stays mounted, however this ends. The root is
# changed with pivot_root as in a container: with chroot, the kernel's paths would begin at the root
# of this machine, and the tests expect theirs.
inside() {
    local kernels=${EBT_KERNELS:-/var/cache/ebpf_telemetry-kernels}
    mkdir -p "$kernels" "$root/var/cache/ebpf_telemetry-kernels"
    cp /etc/resolv.conf /etc/hosts "$root/etc/"
    # shellcheck disable=SC2016 # the inner shell expands them
    unshare --mount --propagation private bash -euc '
        root=$1 kernels=$2 command=$3
        mount --bind "$root" "$root" # pivot_root wants a mount point
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/run"
        mount --bind "$kernels" "$root/var/cache/ebpf_telemetry-kernels"
        cd "$root"
        pivot_root . .
        umount --lazy . # the root before
        exec env -i HOME=/root TERM=dumb LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            bash -euc "cd /src && $command"' - "$root" "$kernels" "$command"
}

if [ -z "$root" ]; then
    root=$(mktemp -d /var/tmp/clean-room.XXXXXX)
    chmod 755 "$root" # unprivileged programs run in it too
    trap 'rm -rf --one-file-system "$root"' EXIT
fi
mkdir -p "$root"
root=$(cd "$root" && pwd)
[ -e "$root/.made" ] || make_root
copy_sources
echo "clean-room.sh: $command" >&2
start=$SECONDS result=0
inside || result=$?
echo "clean-room.sh: $([ $result = 0 ] && echo passed || echo "FAILED, status $result") after $((SECONDS - start)) s" >&2
[ $keep = no ] || echo "clean-room.sh: kept in $root" >&2
exit $result
