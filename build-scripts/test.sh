#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the packages that the tests need, checks the sources, builds and runs all tests (test/README.md).
# shellcheck disable=SC2317 # most functions are called by part
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

usage() {
    cat <<'END'
usage: sudo build-scripts/test.sh [--all]
  --all   also run what takes long: clang-tidy on every source, builds without optimisation and of each source by
          itself, every tier and test on every kernel, more rounds of each race, unit tests of arm64, the portable
          release twice and for arm64, its package on a machine with systemd, and the whole command again in a Debian
          with nothing but the packages of setup.sh
END
    exit "$1"
}

fail() {
    echo "test.sh: $*" >&2
    exit 1
}

all=no
for argument in "$@"; do
    case $argument in
    --all) all=yes ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
done
[ "$(id -u)" = 0 ] || fail "the tests load eBPF programs; run them as root: sudo $0"

mount_if_absent() { # type, directory, its magic number
    [ "$(stat -f -c %t "$2" 2>/dev/null)" = "$3" ] && return
    mount -t "$1" "$1" "$2" || echo "test.sh: cannot mount $1 at $2" >&2
}

status=0
part() { # title, command...
    local title=$1 start=$SECONDS result=0
    shift
    echo "== $title"
    "$@" || result=$?
    echo "== $title: $([ $result = 0 ] && echo "done" || echo FAILED) after $((SECONDS - start)) s"
    return $result
}

build() { # folder, target, options for cmake...
    local folder=$1 target=$2 log=$logs/build
    shift 2
    EBT_BUILD=$folder EBT_TARGET=$target "${builder:-build-scripts/build.sh}" -DEBT_TESTS=ON "$@" >"$log" 2>&1 || {
        cat "$log"
        fail "the build in $folder failed: see above"
    }
}

run_tests() { # folder, options for ctest...
    local folder=$1
    shift
    rm -rf "$folder/test-results"
    mkdir -p "$folder/test-results"
    ctest --test-dir "$folder" --output-on-failure --no-tests=error \
        --output-junit "$PWD/$folder/test-results/ctest.xml" "$@"
}

# The tests that are repeated under sanitizers: the unit tests and the self-check of the engine.
short_tests='^(unit\.[0-9]|program\.self_check$)'

if [ $all = yes ]; then
    build-scripts/setup.sh --all || exit 1
else
    build-scripts/setup.sh --tests --arm64 || exit 1
fi
mount_if_absent tracefs /sys/kernel/tracing 74726163
mount_if_absent bpf /sys/fs/bpf cafe4a11
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

part "sources" build-scripts/check.sh --tidy "$([ $all = yes ] && echo all || echo changed)" ||
    fail "check.sh found faults in the sources: see above"

# The static programs and the release are made of the same objects, which ccache compiles once.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
once=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
part "build of static programs" build build-static vm_programs -DEBT_STATIC=ON "${once[@]}"
builder=build-scripts/arm64/build.sh part "build of static programs for arm64" build build-arm64 vm_programs "${once[@]}"
part "build with clang and sanitizers, and of the fuzzers" build build-sanitize unit_and_programs \
    -C build-scripts/sanitized.cmake -DCMAKE_BUILD_TYPE=Debug
part "release build" build build all -DEBT_BENCH=ON "${once[@]}"
part "unit tests under sanitizers" run_tests build-sanitize -R "$short_tests" --parallel "$(nproc)" || status=1

# Each virtual machine emulates on one processor; that of arm64 runs beside the others. Nothing else runs meanwhile,
# because other load delays threads by more than the tests allow.
kernels=build-static/vm/results.json kernels_arm64=build-arm64/vm/results.json
rm -f $kernels $kernels_arm64
results=("on other kernels=$kernels" "on arm64=$kernels_arm64")
rounds=10 seconds=2400 # rounds of each race of two threads; seconds for a kernel
spread=(--spread) chosen=(--spread --suite bookworm --program 0/8 --filter "-Offsets.*:Witnesses.*:Sharing.*")
if [ $all = yes ]; then
    rounds=1000 seconds=5400 spread=() chosen=(--suite bullseye --suite bookworm --suite trixie --suite trixie-16k)
fi
machines() { # how many at a time, options of vm-test.sh...
    build-scripts/vm-test.sh --rounds "$rounds" --timeout "$seconds" --jobs "$@" 2>&1 | tee -a "$logs/kernels"
    return "${PIPESTATUS[0]}"
}
machines_of_both() {
    local of_arm64 result=0
    machines 1 --arch arm64 "${chosen[@]}" &
    of_arm64=$!
    machines "$(nproc)" "${spread[@]}" || result=1
    wait "$of_arm64" || result=1
    return "$result"
}
part "kernels in virtual machines" machines_of_both || status=1
# Those that must have the machine to themselves are RUN_SERIAL; the longest of the others have a COST and come first.
# Most are RUN_SERIAL and leave all processors but one idle: the fuzzers take that, and give it back at once.
tests_and_fuzzers() {
    local of_fuzzers result=0
    chrt --idle 0 build-scripts/fuzz.sh --seconds 60 --jobs 1 >"$logs/fuzzers" 2>&1 &
    of_fuzzers=$!
    EBT_RACE_ROUNDS=$rounds run_tests build --parallel "$(nproc)" || result=1
    wait "$of_fuzzers" || result=1
    cat "$logs/fuzzers"
    return "$result"
}
part "all tests, and fuzzers, a minute each" tests_and_fuzzers || status=1

if [ $all = yes ]; then
    rm -f build-static/systemd-vm/results.json
    part "build without optimisation, with one-definition-rule check" build build-debug unit_and_programs -DEBT_LTO=ON \
        -DCMAKE_BUILD_TYPE=Debug
    part "tests without optimisation" run_tests build-debug -R "$short_tests" --parallel "$(nproc)" || status=1
    results+=("again without optimisation=build-debug/test-results")
    builder=build-scripts/arm64/build.sh part "build of arm64's unit tests" build build-arm64 unit_tests "${once[@]}"
    part "arm64's unit tests, emulated" run_tests build-arm64 -R '^unit\.[0-9]' --parallel "$(nproc)" || status=1
    results+=("arm64's, emulated=build-arm64/test-results")
    part "build of each source by itself" build build-single unit_and_programs -DEBT_UNITY=OFF "${once[@]}"
    part "a hundred kills of the program" test/delivery/kill_test.py build/ebpf_telemetry build/kafka_brokers 100 || status=1
    part "300 hosts whose receiver is away for ten minutes" test/fleet/return_test.py build/fleet_senders \
        build/ebpf_telemetry build/kafka_brokers 300 600 || status=1
    part "portable release, twice" test/package/release_test.sh || status=1
    part "the package on a machine with systemd" test/package/systemd_vm_test.sh \
        --deb build-package/release/ebpf-telemetry_*_amd64.deb || status=1
    results+=("with systemd=build-static/systemd-vm/results.json")
    part "portable release for arm64" test/package/arm64_test.sh || status=1
    part "clean room" build-scripts/clean-room.sh || status=1
fi

build-scripts/test-report.py "$SECONDS" "tests"=build/test-results \
    "again with clang under sanitizers"=build-sanitize/test-results "${results[@]}" >"$logs/report" || status=1
sed '$d' "$logs/report"
grep '^== vm-test.sh' "$logs/kernels"
tail -n 1 "$logs/report"
exit $status
