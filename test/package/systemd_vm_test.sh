#!/bin/bash
# SPDX-License-Identifier: MIT
# The Debian package on a Debian 12 with systemd, in QEMU (software emulation): it is installed, upgraded, and its services
# are reloaded, rotated, killed, exhausted, stopped, booted with, removed and purged.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
    cat <<'END_OF_USAGE'
usage: sudo test/package/systemd_vm_test.sh [OPTION]...
  --deb FILE         the package (default: one made of the programs in build-static, which are built if need be)
  --only PATTERN     of the tests that are named in systemd_guest.sh only those that match this, an extended regular
                     expression, besides installing and starting
  --timeout SECONDS  for all of it (default: 2400)
  --keep FOLDER      for the console's log and results.json (default: build-static/systemd-vm)
The Debian is made once of some 100 packages from this machine's mirror, and kept where vm-kernels.sh keeps kernels.
END_OF_USAGE
    exit "$1"
}

fail() {
    progress_clear
    printf 'systemd_vm_test.sh: %s\n' "$@" >&2
    exit 1
}

# shellcheck source=../../build-scripts/progress.sh source-path=SCRIPTDIR
. build-scripts/progress.sh
# shellcheck source=../../build-scripts/mirror.sh source-path=SCRIPTDIR
. build-scripts/mirror.sh

deb='' only='' timeout=2400 keep=build-static/systemd-vm
while [ $# -gt 0 ]; do
    case $1 in
    --deb | --only | --timeout | --keep)
        [ $# -gt 1 ] || usage 2 >&2
        declare "${1#--}=$2"
        shift
        ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || fail "this makes a root file system; run it as root: sudo $0"
command -v mmdebstrap qemu-system-x86_64 mke2fs dpkg-deb jq >/dev/null ||
    fail "this needs mmdebstrap, qemu-system-x86, e2fsprogs, dpkg and jq: build-scripts/setup.sh --all"

guest=test/package/systemd_guest.sh
packages=(systemd-sysv dbus logrotate procps apparmor)
mkdir -p "$keep"
keep=$(cd "$keep" && pwd)
rm -f "$keep"/{console.log,results,results.json}
scratch=$(mktemp -d /var/tmp/systemd-vm.XXXXXX)
machine=''
trap '[ -z "$machine" ] || kill "$machine" 2>/dev/null; rm -rf --one-file-system "$scratch"' EXIT
trap 'exit 130' INT TERM

logged() {
    "$@" >"$keep/log" 2>&1 || fail "this failed: $*" "$(tail -n 20 "$keep/log")"
}

# A Debian as an archive, made again when what it has changes.
debian() {
    local cache file
    cache=$(debian_cache) || exit 1
    file=$cache/systemd-root-$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c1-12).tar
    if [ ! -s "$file" ]; then
        rm -f "$file.new"
        logged mmdebstrap --quiet --format=tar --variant=minbase --include="$(
            IFS=,
            echo "${packages[*]}"
        )" --dpkgopt=force-unsafe-io bookworm "$file.new" "$(debian_mirror)"
        mv "$file.new" "$file"
    fi
    echo "$file"
}

make_package() {
    logged env EBT_BUILD=build-static EBT_TARGET=programs build-scripts/build.sh -DEBT_STATIC=ON -DEBT_TESTS=ON \
        -DCMAKE_INSTALL_PREFIX=/usr # which units have
    (cd build-static && logged cpack -G DEB -D CPACK_COMPONENTS_ALL=programs -B "$scratch/packages")
    echo "$scratch"/packages/ebpf-telemetry_*.deb
}

# The same package as a version before.
earlier() { # package, file to make
    dpkg-deb -R "$1" "$scratch/earlier"
    sed -i 's/^Version: .*/Version: 0.0.1/' "$scratch/earlier/DEBIAN/control"
    logged dpkg-deb -Zgzip -z1 --root-owner-group -b "$scratch/earlier" "$2"
}

make_disk() { # the Debian's archive
    local root=$scratch/root
    mkdir "$root"
    tar -C "$root" -xpf "$1" --exclude='./dev/*' # devtmpfs has them
    rm -rf "$root"/usr/share/{doc,locale,i18n} "$root"/var/{lib/apt/lists,cache/apt} "$root"/usr/share/man/*
    mkdir -p "$root/t" "$root/var/log/journal" "$root"/usr/share/{doc,man}
    cp "$deb" "$root/t/package.deb"
    earlier "$deb" "$root/t/earlier.deb"
    cp "$guest" "$root/t/guest.sh"
    cp test/package/systemd_guest_apparmor.sh "$root/t/apparmor.sh"
    echo "$only" >"$root/t/only"
    echo vm >"$root/etc/hostname"
    echo '/dev/nvme0n1 / ext4 defaults 0 0' >"$root/etc/fstab"
    : >"$root/etc/machine-id"
    sed -i 's/^root:[^:]*:/root::/' "$root/etc/shadow"
    # Somebody logs in at the console as soon as that is possible.
    mkdir -p "$root/etc/systemd/system/console-getty.service.d"
    # shellcheck disable=SC2016 # for systemd
    printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --noclear --autologin root --keep-baud console 115200,38400,9600 $TERM\n' \
        >"$root/etc/systemd/system/console-getty.service.d/login.conf"
    cat >"$root/etc/systemd/system/tests.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/bash /t/guest.sh
StandardOutput=file:/dev/ttyS1
StandardError=journal
KillMode=process
[Install]
WantedBy=graphical.target
UNIT
    mkdir -p "$root"/etc/systemd/system/{graphical,getty}.target.wants
    ln -s /etc/systemd/system/tests.service "$root/etc/systemd/system/graphical.target.wants/"
    ln -s /lib/systemd/system/console-getty.service "$root/etc/systemd/system/getty.target.wants/"
    ln -sf /dev/null "$root/etc/systemd/system/serial-getty@.service" # its device takes udev
    logged mke2fs -q -t ext4 -O ^has_journal -d "$root" "$scratch/disk" 1200M
    rm -rf "$root" "$scratch/earlier"
}

# A machine for each boot: under emulation a restarted one may stand still at the start of its second processor.
boot() { # kernel
    timeout --kill-after=10 $((timeout - (SECONDS - start))) qemu-system-x86_64 -accel tcg,thread=single -cpu "max,-cx16" \
        -m 1024 -smp 2 -no-reboot -nographic -nodefaults -monitor none \
        -chardev "file,id=console,path=$keep/console.log,append=on" -serial chardev:console \
        -chardev "file,id=results,path=$keep/results,append=on" -serial chardev:results \
        -drive "file=$scratch/disk,format=raw,if=none,id=disk,cache=unsafe" -device nvme,drive=disk,serial=disk \
        -kernel "$1" -append "console=ttyS0,115200 root=/dev/nvme0n1 rw panic=-1 loglevel=4 net.ifnames=0" \
        </dev/null >"$keep/qemu.log" 2>&1 &
    machine=$!
}

# Prints what the guest says, as it comes, and how far it is.
seen=0 done=0 # lines, and tests
follow() {
    local line
    progress_step $((done + 1)) "$expected" "the machine boots"
    while :; do
        local alive=yes
        kill -0 "$machine" 2>/dev/null || alive=no
        while IFS= read -r line; do
            seen=$((seen + 1))
            case $line in
            passed* | FAILED*)
                done=$((done + 1))
                progress_clear
                echo "  $line"
                ;;
            "  | "*)
                progress_clear
                echo "  $line"
                ;;
            esac
            ! progress_is_bar || progress_bar "$done" "$expected" "${line:0:60}"
        done < <(tr -d '\r' <"$keep/results" 2>/dev/null | tail -n +$((seen + 1)))
        [ $alive = yes ] || break
        sleep 1
    done
    progress_clear
}

# As vm-test.sh has them of a kernel.
results() {
    tr -d '\r' <"$keep/results" | jq -Rsc --argjson expected "$expected" '
        [split("\n")[] | select(test("^(passed|FAILED) ")) | capture("^(?<result>[a-zA-Z]+) (?<name>[^ ]+)")] as $ran |
        ($ran | map(select(.result == "FAILED").name)) as $failed |
        [{release: "Debian 12", tiers: [], passed: (($ran | length) - ($failed | length)),
          problems: ($failed + if ($ran | length) < $expected then ["\($expected - ($ran | length)) tests did not run"] else [] end)}]
        ' >"$keep/results.json"
}

progress_step 1 4 "a Debian"
archive=$(debian)
progress_step 2 4 "the package"
[ -n "$deb" ] || deb=$(make_package)
[ -s "$deb" ] || fail "there is no package $deb"
progress_step 3 4 "a disk"
make_disk "$archive"
kernel=$(build-scripts/vm-kernels.sh bookworm | cut -d' ' -f2)
expected=$(grep -cE '^test_[a-z_]*\(\) \{$' $guest)
[ -z "$only" ] || expected=$(grep -oE '^test_[a-z_]*' $guest | grep -cE "^test_(install_starts_nothing|enable_and_start)\$|$only")
: >"$keep/results"
start=$SECONDS
progress_step 4 4 "its tests"
status=0
for number in 1 2; do
    boot "$kernel"
    follow
    wait "$machine" || status=$?
    machine=''
    grep -q "^ends after boot $number" "$keep/results" || break # it has no more tests, or did not come so far
done
results
passed=$(jq '.[0].passed' "$keep/results.json")
echo "systemd_vm_test.sh: $passed of $expected tests passed after $((SECONDS - start)) s"
[ "$passed" = "$expected" ] || {
    [ $status = 0 ] || echo "QEMU ended with status $status"
    echo "the end of $keep/console.log:"
    tail -n 20 "$keep/console.log" | cut -c1-250 | sed 's/^/  | /'
    exit 1
}
