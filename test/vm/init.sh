#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: MIT
# The first process of a guest of build-scripts/vm-test.sh. It moves from the initramfs
# to a tmpfs, since a root that is no mount of its own is like no real machine's, mounts
# what a machine has, runs /t/guest.sh and sends what that left in /results through a
# serial line, as a compressed tar archive.
export PATH=/bin HOME=/root TERM=dumb
/bin/busybox --install -s /bin

if [ ! -e /moved ]; then
    mkdir -p /new
    mount -t tmpfs -o mode=755,size=80% root /new || exec sh -c 'echo "no tmpfs in this kernel"; poweroff -f'
    for entry in /*; do
        [ "$entry" = /new ] || cp -a "$entry" /new
    done
    touch /new/moved
    exec switch_root /new /init
fi

cd /
mkdir -p dev proc sys tmp run root home var/cache results
chmod 1777 tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t mqueue mqueue /dev/mqueue 2>/dev/null
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for link in fd: stdin:/0 stdout:/1 stderr:/2; do
    ln -sf "/proc/self/fd${link#*:}" "/dev/${link%:*}"
done
hostname vm
ip link set lo up
ulimit -n 65536

# A session of its own: job control and terminals behave as they do under a login.
setsid sh /t/guest.sh
dmesg >/results/dmesg
echo "sending the results"
results=$(sed -n 's/^results=//p' /t/settings)
stty -F "$results" raw
tar -c -C /results . | gzip >"$results"
sync
poweroff -f
