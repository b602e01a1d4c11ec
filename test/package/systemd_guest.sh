#!/bin/bash
# SPDX-License-Identifier: MIT
# In the guest of systemd_vm_test.sh, after each of its two boots: installs the packages beside this file, and does with
# the services what administrators and accidents do. Prints a line for each test, which goes to a serial line.
# shellcheck disable=SC2317 # tests are called by name
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LC_ALL=C TZ=UTC SYSTEMD_PAGER='' SYSTEMD_COLORS=0 DEBIAN_FRONTEND=noninteractive

events=/var/log/ebpf-telemetry/events.json
conf=/etc/ebpf-telemetry/ebpf-telemetry.conf
unit=ebpf-telemetry.service

fail() {
    echo "$*"
    return 1
}

# Under `set -e` a command behind ! never fails.
not() {
    ! "$@"
}

# Everything takes its time in an emulated machine.
await() { # seconds, command...
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "in vain waited for: $*" || return
        sleep 0.5
    done
}

property() { # unit, name
    systemctl show -P "$2" "$1"
}

is_running_anew() { # unit, its process before
    local pid
    pid=$(property "$1" MainPID)
    [ "$pid" != 0 ] && [ "$pid" != "$2" ] && systemctl is-active -q "$1"
}

# A process with a name that no other has is reported, once it has been executed.
sees_exec() { # name, file (default: the events)
    grep -qF "\"/tmp/$1\"" "${2:-$events}"
}
execute() { # name
    cp /bin/true "/tmp/$1"
    "/tmp/$1"
    rm "/tmp/$1"
}
reports() { # name: until it does, since events are written in batches
    execute "$1"
    await 20 sees_exec "$1"
}

journal_has() { # unit, text; since the last boot
    journalctl -b -o cat --no-pager -u "$1" | grep -qF -e "$2"
}

# All threads of a process have this in their status.
threads_have() { # PID, name, value
    local status
    for status in /proc/"$1"/task/*/status; do
        grep -qx "$2:.$3" "$status" || fail "$status: $(grep "^$2:" "$status"), not $3" || return
    done
}

# What docs/security.md says of a run with output to files, on Linux 5.19 and later.
has_rights() { # unit
    local pid kept=0000000000080000 # CAP_SYS_PTRACE, of the main thread
    # CAP_DAC_READ_SEARCH: rules ask for environments. CAP_SYS_ADMIN: for the kprobe of io_uring's opens.
    [ "$1" = imds-tracker.service ] || kept=0000000000280004
    pid=$(property "$1" MainPID)
    grep -E '^Cap(Eff|Prm|Bnd)' "/proc/$pid/status"
    grep -qx "CapEff:.$kept" "/proc/$pid/status"
    grep -qx "CapPrm:.$kept" "/proc/$pid/status"
    threads_have "$pid" CapInh 0000000000000000
    threads_have "$pid" CapAmb 0000000000000000
    threads_have "$pid" NoNewPrivs 1
    threads_have "$pid" Seccomp 2
    [ "$(cat "/proc/$pid/oom_score_adj")" = -500 ]
    # The unit bounds it: CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF, CAP_CHECKPOINT_RESTORE.
    [ $((0x$(sed -n 's/^CapBnd:.//p' "/proc/$pid/status") & ~0x1c000280004)) = 0 ]
}

# shellcheck source=systemd_guest_apparmor.sh source-path=SCRIPTDIR
. "$here/apparmor.sh"

test_install_starts_nothing() {
    dpkg -i "$here"/earlier.deb
    [ "$(property $unit LoadState)" = loaded ]
    [ "$(property $unit UnitFileState)" = disabled ]
    [ "$(property $unit ActiveState)" = inactive ]
    [ "$(property imds-tracker.service ActiveState)" = inactive ]
    systemd-analyze verify --man=no /lib/systemd/system/{ebpf-telemetry,imds-tracker}.service
}

test_enable_and_start() {
    systemctl enable --now $unit # returns when it reports
    systemctl is-active $unit
    [ "$(property $unit StatusText)" = reporting ]
    reports first
    [ "$(stat -c %a:%U $events)" = 600:root ]
    [ "$(stat -c %a /var/log/ebpf-telemetry)" = 750 ]
}

test_rights() {
    has_rights $unit
}

test_status_of_the_service() {
    await 10 test -S /run/ebpf-telemetry/status.sock
    ebpf_telemetry --status --listen /run/ebpf-telemetry/status.sock | grep -q emitted
}

test_journal() {
    await 10 journal_has $unit 'ebpf_telemetry: info: reporting'
    journal_has $unit 'system calls: those on its list' # Seccomp says no more than that there is a filter, as the unit has one
    # Lines have their level as priority; what this kernel cannot show of io_uring is no more than a warning.
    journalctl -b -o cat -u $unit -p info..info | grep -F 'info: reporting'
    journalctl -b -o cat -u $unit -p warning..warning | grep -F 'warning: no hook sees what programs do through io_uring'
    not grep . <<<"$(journalctl -b -o cat -u $unit -p err)"
}

test_upgrade() {
    local pid lines
    pid=$(property $unit MainPID)
    lines=$(wc -l <$events)
    printf '# kept\nlog-level = debug\n' >>$conf
    dpkg --force-confold -i "$here"/package.deb
    is_running_anew $unit "$pid"
    [ "$(dpkg-query -W -f '${Version}' ebpf-telemetry)" != 0.0.1 ]
    [ "$(readlink "/proc/$(property $unit MainPID)/exe")" = /usr/sbin/ebpf_telemetry ] # not "(deleted)"
    [ "$(property $unit UnitFileState)" = enabled ]
    [ "$(property imds-tracker.service ActiveState)" = inactive ]
    grep -qx '# kept' $conf
    reports upgraded
    [ "$(wc -l <$events)" -gt "$lines" ] # those of before are there still
}

# A call that the rules of the package do not select, as it fails.
statfs() { # name
    not stat -f "/tmp/$1"
}
sees_statfs() { # name; the execution of stat has it as an argument
    grep -F '"statfs"' $events | grep -F "\"/tmp/$1\"" >/dev/null
}

test_reload() {
    local pid
    pid=$(property $unit MainPID)
    statfs unseen
    reports after_unseen
    not sees_statfs unseen
    echo 'statfs path ^ /tmp/' >/etc/ebpf-telemetry/rules.d/60-site.rules
    systemctl reload $unit
    await 30 journal_has $unit 'info: reloaded'
    statfs by-rule
    await 20 sees_statfs by-rule
    [ "$(property $unit MainPID)" = "$pid" ]
}

test_wrong_reload() {
    local pid
    pid=$(property $unit MainPID)
    cp /etc/ebpf-telemetry/rules.d/60-site.rules /tmp/right
    echo 'no_such_call' >/etc/ebpf-telemetry/rules.d/60-site.rules
    systemctl reload $unit
    await 30 journal_has $unit 'not reloaded'
    journalctl -b -o cat -u $unit -p err | grep -F 60-site.rules
    mv /tmp/right /etc/ebpf-telemetry/rules.d/60-site.rules
    statfs by-rule-again
    await 20 sees_statfs by-rule-again
    [ "$(property $unit MainPID)" = "$pid" ]
}

test_rotation() {
    local pid
    pid=$(property $unit MainPID)
    reports before_rotation
    execute while_rotating
    logrotate --force /etc/logrotate.d/ebpf-telemetry
    execute after_rotation
    await 20 sees_exec after_rotation
    sees_exec before_rotation $events.1
    grep -qF '"/tmp/while_rotating"' $events $events.1
    not sees_exec before_rotation
    [ "$(stat -c %a:%U $events)" = 600:root ]
    [ "$(property $unit MainPID)" = "$pid" ]
    # The second time, the older one is compressed.
    logrotate --force /etc/logrotate.d/ebpf-telemetry
    [ -s $events.2.gz ]
    [ -s $events.1 ]
    reports after_second
}

# Something ends the service: the manager starts it anew.
comes_back() { # result, command...; uses $unit
    local result=$1 pid restarts
    shift
    pid=$(property $unit MainPID)
    restarts=$(property $unit NRestarts)
    "$@" || return
    await 120 is_running_anew $unit "$pid"
    [ "$(property $unit NRestarts)" -gt "$restarts" ]
    journalctl -b -o cat _PID=1 -u $unit | grep -F "Failed with result '$result'"
    reports "after_$result"
}

test_kill() {
    comes_back signal systemctl kill -s KILL $unit
}

exhaust() {
    systemctl set-property --runtime "$unit" MemoryMax=4M
    await 60 journal_has "$unit" "Failed with result 'oom-kill'"
    systemctl set-property --runtime "$unit" MemoryMax=512M
}
test_out_of_memory() {
    comes_back oom-kill exhaust
}

# The thread that reads events stands still.
test_watchdog() {
    [ "$(property $unit WatchdogUSec)" = 30s ]
    comes_back watchdog kill -STOP "$(property $unit MainPID)"
}

# The drop-in for a user of its own: events go on in the same files, which systemd gives to that user and back.
test_own_user() {
    local pid
    useradd --system --no-create-home --shell /usr/sbin/nologin ebpf-telemetry
    install -D -m 644 -t /etc/systemd/system/$unit.d /usr/share/ebpf_telemetry/systemd/own-user.conf
    systemctl daemon-reload
    systemctl restart $unit
    pid=$(property $unit MainPID)
    [ "$(stat -c %U "/proc/$pid/fd")" = root ] # it is not dumpable
    grep -qxE "Uid:(.$(id -u ebpf-telemetry)){4}" "/proc/$pid/status"
    has_rights $unit
    reports as_own_user
    [ "$(stat -c %a:%U $events)" = 600:ebpf-telemetry ]
    logrotate --force /etc/logrotate.d/ebpf-telemetry
    reports rotated_as_own_user
    systemctl reload $unit
    rm -r /etc/systemd/system/$unit.d
    systemctl daemon-reload
    systemctl restart $unit
    reports as_root_again
    [ "$(stat -c %U $events)" = root ]
    userdel ebpf-telemetry
}

test_second_service() {
    local pid unit=imds-tracker.service
    systemctl enable --now $unit
    pid=$(property $unit MainPID)
    has_rights $unit
    echo '198.51.100.7 80 aws' >/etc/imds-tracker/site.conf
    echo 'endpoints = /etc/imds-tracker/site.conf' >/etc/imds-tracker/conf.d/site.conf
    systemctl reload $unit
    await 30 journal_has $unit 'info: reloaded'
    echo 'no endpoint' >/etc/imds-tracker/site.conf
    systemctl reload $unit
    await 30 journal_has $unit 'error: not reloaded'
    journalctl -b -o cat -u $unit -p err | grep -F /etc/imds-tracker/site.conf
    rm /etc/imds-tracker/site.conf /etc/imds-tracker/conf.d/site.conf
    [ "$(property $unit MainPID)" = "$pid" ]
    journal_has $unit 'imds-tracker: info: reporting'
    journal_has $unit 'system calls: those on its list'
}

test_apparmor() {
    confine_services
}

# After the second boot.

became_active() { # unit: in µs since the boot; 0: it is not
    property "$1" ActiveEnterTimestampMonotonic
}

test_up_before_the_first_login() {
    local service=0 other
    systemctl is-active $unit imds-tracker.service
    service=$(became_active $unit)
    [ "$service" -gt 0 ]
    echo "reports $((service / 1000)) ms after the kernel has begun"
    for other in sysinit.target basic.target systemd-user-sessions.service console-getty.service dbus.service; do
        [ "$(became_active $other)" -gt "$service" ] || fail "$other was before it, at $(became_active $other) µs"
    done
    who | grep -q '^root ' # somebody has logged in
}

test_events_of_the_boot() {
    local began name
    began=$(date -u -d "$(uptime -s)" +%FT%T)
    execute boot_ends
    await 20 sees_exec boot_ends
    for name in /usr/bin/dbus-daemon /sbin/agetty /bin/login /lib/systemd/systemd-logind \
        /lib/systemd/systemd-user-sessions; do
        grep -F "$name\"" $events | grep -F '"exec"' | grep -oE '"@timestamp":"[^"]*' | cut -d'"' -f4 |
            sort | tail -n 1 | grep -q . || fail "no event of $name"
        [[ $(grep -F "$name\"" $events | grep -F '"exec"' | tail -n 1 | grep -oE '"@timestamp":"[^"]*' | cut -d'"' -f4) > $began ]] ||
            fail "no event of $name after $began"
    done
    not grep . <<<"$(journalctl -b -o cat -u $unit -u imds-tracker.service -p err)"
    systemd-analyze blame --no-pager | head -n 5
}

test_rights_after_boot() {
    has_rights $unit
    has_rights imds-tracker.service
}

test_remove() {
    rm /etc/ebpf-telemetry/rules.d/60-site.rules
    dpkg -r ebpf-telemetry
    [ -z "$(pgrep -f 'ebpf_telemetry|imds-tracker')" ]
    [ ! -e /usr/sbin/ebpf_telemetry ]
    [ ! -e /lib/systemd/system/$unit ]
    [ ! -e /run/ebpf-telemetry ]
    [ "$(property $unit LoadState)" = not-found ]
    [ -s $conf ] # for who installs it again
    [ -s $events ]
}

test_purge() {
    local left
    dpkg -P ebpf-telemetry
    left=$(find / -xdev \( -path /proc -o -path "$here" -o -path /var/log/journal \) -prune -o \
        -regextype egrep -iregex '.*/[^/]*(ebpf.telemetry|imds.tracker)[^/]*' -print)
    [ -z "$left" ] || fail "left behind: $left"
    [ "$(systemctl list-unit-files --no-legend | grep -cE 'ebpf|imds')" = 0 ]
    [ "$(systemctl is-system-running)" != degraded ] || fail "$(systemctl --failed)"
}

run() { # test: in a shell of its own that ends at the first failure
    local start=$SECONDS status
    (
        set -e
        "$1"
    ) >/tmp/output 2>&1
    status=$?
    if [ $status = 0 ]; then
        echo "passed ${1#test_} $((SECONDS - start)) s"
        ! grep -q '^reports ' /tmp/output || grep '^reports ' /tmp/output
    else
        echo "FAILED ${1#test_} $((SECONDS - start)) s, status $status"
        {
            tail -n 15 /tmp/output
            journalctl -b -o short-monotonic --no-pager -n 15
        } | cut -c1-250 | sed 's/^/  | /'
    fi
}

# The tests of this boot, in the order of this file; of them those that are asked for.
names() { # number of the boot
    sed -n 's/^\(test_[a-z_]*\)() {$/\1/p' "$here/guest.sh" |
        awk -v boot="$1" '/^test_up_before_the_first_login$/ { second = 1 } (boot == 2) == second' |
        grep -E "^test_(install_starts_nothing|enable_and_start)\$|$(cat "$here/only")"
}

mkdir -p /var/lib/vm-test
boot=$(($(cat /var/lib/vm-test/boots 2>/dev/null || echo 0) + 1))
echo $boot >/var/lib/vm-test/boots
sync
echo "boot $boot"
for name in $(names $boot); do
    run "$name"
done
sync
if [ $boot = 1 ] && [ -n "$(names 2)" ]; then
    echo "ends after boot $boot"
    systemctl reboot
else
    systemctl poweroff
fi
