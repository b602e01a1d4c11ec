#!/bin/bash
# SPDX-License-Identifier: MIT
# Boots kernel images in QEMU and runs the tests there, to see whether the programs work on these kernels.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# shellcheck source=progress.sh
. "$here/progress.sh"
# shellcheck source=vm-machine.sh
. "$here/vm-machine.sh"

usage() {
    cat <<'END'
usage: build-scripts/vm-test.sh [OPTION]...
Boots each kernel in QEMU (software emulation: no KVM, no root) and runs the host's tests in it:
in every tier that the kernel accepts, and with the tiers compared.
Without --kernel: Debian's 5.10, 6.1, 6.12 and the newest in sid (see vm-kernels.sh); of arm64 6.1 alone.

  --arch ARCH       amd64 (default) or arm64, whose programs are cross-built
  --suite SUITE     the kernel of this suite of Debian's; may be repeated. Of arm64 also trixie-16k and sid-16k
  --kernel IMAGE    a kernel to test (bzImage, vmlinuz, Image); may be repeated, for one ARCH
  --offsets CONF    kernel offsets for the --kernel before it, made by get_offsets
  --vmlinux FILE    read them here from the BTF or DWARF of an uncompressed image
                    (without either: the kernel's BTF, or discovery)
  --headers DIR     the headers of the --kernel before it: the offsets that get_offsets reads
                    from them must equal the offsets that are used in the test
  --name TEXT       the name of the --kernel before it in docs/kernels.md
  --tier NAME       test only this tier, without the tests of the program; may be repeated
  --spread          test the first kernel in every tier, the others in two tiers each, by turns; each
                    test of the program itself in one that is neither the first nor the last, if
                    there are any; the cases in two tiers everywhere
  --filter PATTERN  run only these kernel tests, as for --gtest_filter (default: all but
                    Offsets.*, which start an engine for each wrong offset)
  --program SHARE   of the tests of the program only this share, as 0/8 for the first of eight, or none
  --rounds N        how often each race of two threads is run (default: 30; test.sh --all: 1000)
  --jobs N          how many kernels run at a time (default: half of the processors)
  --timeout SECONDS for each kernel (default: 1200; the verifiers of 4.14 and 4.15 are slow)
  --keep FOLDER     for results.json, the console logs and the files that the guests sent
                    (default: build-static/vm, of arm64 build-arm64/vm)
  --help            print this help

Prints one line per kernel and tier: whether the tier was chosen, the source of the offsets, the
numbers of events and tests, and the seconds. The exit status is 0 if all tests that ran have
passed and at least one ran on every kernel.
END
}

fail() {
    printf 'vm-test.sh: %s\n' "$@" >&2
    exit 2
}

images=() names=() offsets=() vmlinux=() headers=() wanted=() arch=''
tiers=possible spread=no program='' filter='-Offsets.*' jobs=$(($(nproc) / 2)) seconds=1200 rounds=30 keep=

add_kernel() { # name, image
    [ -r "$2" ] || fail "cannot read the kernel image $2"
    local of_image
    of_image=$(machine_of_image "$2")
    arch=${arch:-$of_image}
    [ "${of_image:-$arch}" = "$arch" ] || fail "$2 is a kernel for $of_image, not for $arch: each needs a run of its own"
    names+=("$1")
    images+=("$2")
    offsets+=("")
    vmlinux+=("")
    headers+=("")
}

# --offsets and --vmlinux belong to the kernel before them.
belongs() { # option, file
    [ ${#images[@]} -gt 0 ] || fail "$1 must follow the --kernel that it belongs to"
    [ -r "$2" ] || fail "cannot read $2"
    local last=$((${#images[@]} - 1))
    [ -z "${offsets[last]}${vmlinux[last]}" ] || fail "give only one of --offsets and --vmlinux for each kernel"
}

while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --spread) spread=yes && shift && continue ;;
    --arch | --suite | --kernel | --offsets | --vmlinux | --headers | --name | --tier | --filter | --program | --rounds | --jobs | --timeout | --keep)
        { [ $# -gt 1 ] && [ -n "$2" ]; } || fail "$1 needs a value; see --help" ;;
    *) fail "unknown option $1; see --help" ;;
    esac
    case $1 in
    --arch)
        [[ $2 =~ ^(amd|arm)64$ ]] || fail "--arch takes amd64 or arm64, not $2"
        [ "${arch:-$2}" = "$2" ] || fail "--arch $2 does not go with $arch before it"
        arch=$2
        ;;
    --suite) wanted+=("$2") ;;
    --kernel) add_kernel "" "$2" ;;
    --offsets) belongs "$1" "$2" && offsets[-1]=$2 ;;
    --vmlinux) belongs "$1" "$2" && vmlinux[-1]=$2 ;;
    --headers)
        { [ ${#images[@]} -gt 0 ] && [ -d "$2" ]; } || fail "--headers needs a directory, and must follow the --kernel that it belongs to"
        headers[-1]=$2
        ;;
    --name)
        [ ${#images[@]} -gt 0 ] || fail "$1 must follow the --kernel that it belongs to"
        names[-1]=$2
        ;;
    --tier) [ "$tiers" = possible ] && tiers=$2 || tiers+=,$2 ;;
    --filter) filter=$2 ;;
    --program)
        [[ $2 =~ ^(none|[0-9]+/[1-9][0-9]*)$ ]] || fail "--program takes none, or a share such as 0/8, not $2"
        program=$2
        ;;
    --rounds) rounds=$2 ;;
    --jobs) jobs=$2 ;;
    --timeout) seconds=$2 ;;
    --keep) keep=$2 ;;
    esac
    shift 2
done
case "$jobs$seconds$rounds" in *[!0-9]*) fail "--jobs, --timeout and --rounds take numbers" ;; esac
[ "$jobs" -gt 0 ] || jobs=1

use_machine "${arch:=amd64}"
[ ${#wanted[@]} = 0 ] || suites=("${wanted[@]}")

prepare() {
    local log
    log=$(mktemp)
    "$here/setup.sh" "${setup[@]}" || exit 2
    export EBT_BUILD=${build##*/} EBT_TARGET=vm_programs
    if ! progress_build "building static programs" "$log" "${build_command[@]}"; then
        cat "$log" >&2
        rm -f "$log"
        fail "the build failed: see above"
    fi
    rm -f "$log"
    if [ ${#images[@]} = 0 ]; then
        local suite image tree list
        list=$("$here/vm-kernels.sh" --arch "$arch" "${suites[@]}") || exit 2
        while read -r suite image tree; do
            add_kernel "Debian $suite" "$image"
            headers[-1]=$tree
        done <<<"$list"
    fi
}

archive() { # folder
    (cd "$1" && find . | LC_ALL=C sort | busybox cpio -o -H newc -R 0:0 2>/dev/null | gzip -1)
}

# Makes the archive that is the same for all kernels.
make_base() {
    local root=$work/root
    rm -rf "$root" # may be left from a run that was killed
    mkdir -p "$root"/{bin,etc,t}
    cp "$(busybox_of "$arch")" "$root/bin/busybox"
    cp "$here/../test/vm/init.sh" "$root/init"
    cp "$here/../test/vm/guest.sh" "$programs"/* "$root/t/"
    local program # the tests look for the programs in the build directory
    mkdir -p "$root$build/get_offsets"
    for program in "$programs"/*; do
        case ${program##*/} in
        *.expect) ;;
        get_offsets) ln -s /t/get_offsets "$root$build/get_offsets/get_offsets" ;;
        *) ln -s "/t/${program##*/}" "$root$build/${program##*/}" ;;
        esac
    done
    # On amd64 the tests of this machine have curl ask, in every tier.
    [ "$arch" = amd64 ] || copy_from_root usr/bin/curl "$root"
    chmod 755 "$root/init"
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
    archive "$root" >"$work/base.cpio.gz"
}

# The tiers of a kernel after the first, with --spread.
pairs=("raw_tp_sub4096,raw_tp_noloops" "tp,raw_tp")

tiers_of() { # index
    if [ $spread = yes ] && [ "$1" -gt 0 ]; then
        echo "${pairs[$1 % 2]}"
    else
        echo "$tiers"
    fi
}

# Which share of the tests of the program itself runs there, as GoogleTest's shards: its many starts take minutes
# under emulation. With --spread neither the first has one, which tests every tier, nor the newest, whose verifier is
# slow, if there are others.
program_share() { # index
    if [ -n "$program" ]; then
        echo "$program"
    elif [ "$tiers" != possible ]; then
        echo none
    elif [ $spread = yes ] && [ ${#images[@]} -gt 2 ]; then
        if [ "$1" = 0 ] || [ "$1" = $((${#images[@]} - 1)) ]; then
            echo none
        else
            echo "$(($1 - 1))/$((${#images[@]} - 2))"
        fi
    elif [ $spread = yes ]; then
        echo "$1/${#images[@]}"
    else
        echo 0/1
    fi
}

# The cases start the program again and again, which takes seconds in the newest kernel.
case_tiers_of() { # index
    local all
    all=$(tiers_of "$1")
    [ $spread = yes ] && [ "$all" = "$tiers" ] && all=${pairs[1]}
    echo "$all"
}

# Appends a second archive, with the settings of this kernel.
make_initramfs() { # index, folder
    local own=$2/own
    mkdir -p "$own/t"
    if [ -n "${vmlinux[$1]}" ]; then
        "${run[@]}" "$programs/get_offsets" --vmlinux "${vmlinux[$1]}" >"$own/t/offsets.conf" || return 1
    elif [ -n "${offsets[$1]}" ]; then
        cp "${offsets[$1]}" "$own/t/offsets.conf"
    fi
    printf "tiers='%s'\ncase_tiers='%s'\nprogram=%s\nfilter='%s'\nseconds=%d\nrounds=%d\nresults=%s\n" "$(tiers_of "$1")" \
        "$(case_tiers_of "$1")" "$(program_share "$1")" "${filter//\'/}" "$seconds" \
        "$rounds" "$results" >"$own/t/settings"
    archive "$own" | cat "$work/base.cpio.gz" - >"$2/initramfs"
    rm -rf "$own"
}

# Boots a kernel and writes result.json into its directory. QEMU uses one thread for all processors of the guest: with
# one thread for each, a processor may run an instruction that another one is patching (to enable a tracepoint), and
# the kernel panics because of a breakpoint (int3) that was removed meanwhile.
run_kernel() { # index, folder
    local index=$1 folder=$2 ended=ended start=$SECONDS status
    make_initramfs "$index" "$folder" 2>"$folder/console.log" || {
        ended="no initramfs: $(head -1 "$folder/console.log")"
        report_json "$index" "$folder" "$ended" 0
        return
    }
    timeout --kill-after=10 "$seconds" "${qemu[@]}" -accel tcg,thread=single -m 1024 -smp 2 -nographic -nodefaults \
        -monitor none -no-reboot -serial "file:$folder/console.log" \
        -chardev "file,id=sent,path=${folder//,/,,}/sent.tar.gz" -kernel "${images[index]}" -initrd "$folder/initramfs" \
        "${sender[@]}" -append "console=$console panic=-1 syscall.x32=y rdinit=/init loglevel=4" \
        </dev/null >"$folder/qemu.log" 2>&1 &
    echo $! >"$folder/pid"
    wait $!
    status=$?
    rm -f "$folder/pid" "$folder/initramfs"
    if [ $status = 124 ] || [ $status = 137 ]; then
        ended="did not end within $seconds seconds"
    elif ! tar -xzf "$folder/sent.tar.gz" -C "$folder" 2>/dev/null; then
        ended="died without results"
    fi
    report_json "$index" "$folder" "$ended" $((SECONDS - start))
}

# Compares the offsets from the headers with those that the guest used.
compare_headers() { # index, folder
    [ -n "${headers[$1]}" ] && [ -s "$2/offsets.conf" ] || return 0
    "${run[@]}" "$programs/get_offsets" --headers "${headers[$1]}" >"$2/headers.conf" || return 0
    # struct mnt_namespace is in no header, but in a source file of the kernel's.
    values() { sed '/^#/d; /^release/d; /^$/d; /^mnt_namespace\.inum /d' "$1" | sort; }
    echo "$(comm -12 <(values "$2/headers.conf") <(values "$2/offsets.conf") | wc -l) of" \
        "$(values "$2/offsets.conf" | wc -l) fields from headers are as used"
    comm -3 <(values "$2/headers.conf") <(values "$2/offsets.conf")
}

report_json() { # index, folder, how it ended, seconds
    local file
    for file in probe.json kernel_tests.json program_tests.json imds_tests.json case_tests.json kernel_tests.log check.log \
        probe.log offsets.conf statuses dmesg release; do
        [ -e "$2/$file" ] || : >"$2/$file"
    done
    compare_headers "$1" "$2" >"$2/headers.log" 2>&1
    jq -n -f "$here/vm-report.jq" --arg image "${images[$1]##*/}" --arg suite "${names[$1]}" \
        --arg ended "$3" --arg seconds "$4" --arg given "${offsets[$1]}${vmlinux[$1]}" --arg wanted "$(tiers_of "$1")" \
        --arg program "$(program_share "$1")" \
        --slurpfile probe "$2/probe.json" --slurpfile kernel_tests "$2/kernel_tests.json" \
        --slurpfile program_tests "$2/program_tests.json" --slurpfile imds_tests "$2/imds_tests.json" \
        --slurpfile case_tests "$2/case_tests.json" \
        --rawfile log "$2/kernel_tests.log" --rawfile dmesg "$2/dmesg" \
        --rawfile release "$2/release" --rawfile check "$2/check.log" --rawfile statuses "$2/statuses" \
        --rawfile probe_log "$2/probe.log" \
        --rawfile offsets_conf "$2/offsets.conf" --rawfile headers "$2/headers.log" >"$2/result.json"
}

show() { # folder
    jq -r -f "$here/vm-lines.jq" "$1/result.json" || echo "vm-test.sh: there is no result in $1"
    if [ "$(jq '.problems | length' "$1/result.json")" != 0 ]; then
        echo "  the end of $1/console.log:"
        tail -n 40 "$1/console.log" | tr -d '\r' | cut -c1-300 | sed 's/^/  | /'
    fi
}

stop_guests() {
    local file
    for file in "$work"/*/pid; do
        [ -e "$file" ] && kill "$(cat "$file")" 2>/dev/null
    done
    wait
    rm -rf "$work/root" "$work"/base.cpio.gz "$work"/*/initramfs "$work"/*/own
}

# Those that take longest come first, so that at the end no processor waits for one of them: the first has the most
# tiers, the newest has the slowest verifier.
by_length() {
    local last=$((${#images[@]} - 1))
    echo 0
    [ $last = 0 ] || echo $last
    seq 1 $((last - 1))
}

# Until one of those that run has ended. Uses the variables of run_all.
await_kernel() {
    progress_step $((ended + 1)) ${#images[@]} "kernels are tested, $running at a time; each takes some minutes"
    wait -n -p done_pid
    progress_clear
    show "${folder_of[$done_pid]}"
    running=$((running - 1)) ended=$((ended + 1))
}

run_all() {
    local index folder running=0 ended=0 done_pid
    declare -A folder_of
    for index in $(by_length); do
        [ "$running" -lt "$jobs" ] || await_kernel
        folder=$work/$((index + 1))-$(basename "${images[index]}")
        mkdir -p "$folder"
        run_kernel "$index" "$folder" &
        folder_of[$!]=$folder
        running=$((running + 1))
    done
    while [ "$running" -gt 0 ]; do
        await_kernel
    done
}

prepare
work=${keep:-$build/vm}
rm -rf "$work"/[0-9]*-*/ "$work/results.json"
mkdir -p "$work" && work=$(cd "$work" && pwd) || exit 2
trap stop_guests EXIT
trap 'exit 130' INT TERM

make_base
echo "vm-test.sh: ${#images[@]} kernels, $jobs at a time; tests: $filter; logs in $work"
run_all
jq -s . "$work"/*/result.json >"$work/results.json"
jq -r '"== vm-test.sh: \(map(select(.problems == [])) | length) of \(length) kernels passed, "
       + "\(map(.passed) | add) of \(map(.ran) | add) tests: "
       + (map("\(if .release == "" then .image else .release end) \(if .problems == [] then "passed" else "FAILED" end)")
          | join(", "))' "$work/results.json"
[ "$(jq 'map(select(.problems != [])) | length' "$work/results.json")" = 0 ]
