#!/bin/bash
# SPDX-License-Identifier: MIT
# In namespaces and a root of its own the program says what of the machine it lacks, and finds it where it is told.
# shellcheck source=checks.sh
. "$(dirname "$0")/checks.sh"

root=$scratch/root
mkdir -p "$root"/{proc,sys,usr,lib,lib64,dev,tmp,etc,host/proc,host/etc,build}
printf 'machineroot:x:0:0::/:/bin/sh\n' >"$root/host/etc/passwd"
printf 'machinewheel:x:0:\n' >"$root/host/etc/group"
echo 0123456789abcdef0123456789abcdef >"$root/host/etc/machine-id"
printf 'ID=machine\nNAME=Machine\n' >"$root/host/etc/os-release"
printf 'execve uid = machineroot\n' >"$root/tmp/rules"
printf 'execve\n' >"$root/tmp/plain"

# in_container PROC program, arguments...: in a root and in mount and PID namespaces of its own, with the machine's
# /proc at /host/proc; PROC: new, or the machine's, is at /proc
in_container() {
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --pid --fork sh -c '
        for folder in usr lib lib64 sys dev; do mount --rbind "/$folder" "$1/$folder"; done
        mount --bind "$2" "$1/build" && mount --rbind /proc "$1/host/proc"
        if [ "$3" = new ]; then mount -t proc proc "$1/proc"; else mount --rbind /proc "$1/proc"; fi
        root=$1; shift 3; LD_LIBRARY_PATH=/build exec chroot "$root" "$@"' sh "$root" "$BUILD" "$@"
}
run=(--settings none --duration 2 -q -f json -o /tmp/events --nice 0)

# Something that ran before, and executes while the program reports.
sh -c 'while :; do /bin/true; sleep 0.2; done' &
busy=$!
trap 'kill $busy 2>/dev/null; rm -rf --one-file-system "$scratch"' EXIT

expect_status 0 in_container new /build/ebpf_telemetry "${run[@]}" -r /tmp/plain
expect_text "$scratch/err" "/proc shows the processes of a PID namespace, not those of the machine"
expect_text "$scratch/err" "hostPID: true"
expect_text "$scratch/err" "reporting"

rm -f "$root/tmp/events"
for program in imds-tracker ebpf_telemetry; do
    rules=(-r /tmp/rules)
    [ $program != imds-tracker ] || rules=()
    expect_status 0 in_container new /build/$program "${run[@]}" "${rules[@]}" --host-proc /host/proc --host-root /host/
    ! grep -F "not those of the machine" "$scratch/err" || fail "$program has not looked into --host-proc"
    expect_text "$scratch/err" "reporting"
done
jq -es --argjson busy $busy 'map(select(.process.parent.pid == $busy and .event.action == "exec")) | length > 2 and
    all(.user.name == "machineroot" and .group.name == "machinewheel" and .host.os.platform == "machine" and
        .host.id == "0123456789abcdef0123456789abcdef" and (.process.parent.executable | startswith("/")))' \
    "$root/tmp/events" >/dev/null || fail "names and parents are not the machine's:" "$(tail -n 2 "$root/tmp/events")"

expect_status 8 in_container machine /build/ebpf_telemetry "${run[@]}" -r /tmp/plain
expect_text "$scratch/err" "PID namespace of its own"
! grep -F offsets "$scratch/err" | grep -F wrong || fail "offsets are blamed"
for program in ebpf_telemetry imds-tracker; do
    expect_status 2 "$BUILD/$program" --settings none --duration 1 -q --host-proc "$root/host/etc"
    expect_text "$scratch/err" "no proc file system is mounted at '$root/host/etc'"
    expect_status 2 "$BUILD/$program" --settings none --duration 1 -q --host-root "$root/tmp"
    expect_text "$scratch/err" "there is no folder $root/tmp/etc"
    expect_status 2 "$BUILD/$program" --settings none --host-proc proc
    expect_text "$scratch/err" "--host-proc takes the path of a folder"
done
echo "container: all as it should be"
