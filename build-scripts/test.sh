#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is needed, builds, and runs every test: first the unit tests under the
# address and undefined behaviour sanitizers, then all tests as the program ships, then
# those that need a kernel on Debian's kernels in virtual machines.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

fail() {
    echo "test.sh: $*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || fail "the tests load eBPF programs; run them as root: sudo $0"

mount_if_absent() { # type, folder, its magic number
    [ "$(stat -f -c %t "$2" 2>/dev/null)" = "$3" ] && return
    mount -t "$1" "$1" "$2" || echo "test.sh: cannot mount $1 at $2" >&2
}

# Prints how many tests ran and how many failed, from the closing line of ctest's output.
count() {
    sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\2 \1/p' "$1" | tail -1
}

build-scripts/setup.sh --tests || exit 1
mount_if_absent tracefs /sys/kernel/tracing 74726163
mount_if_absent bpf /sys/fs/bpf cafe4a11

EBT_BUILD=build-sanitize EBT_TARGET=unit_tests build-scripts/build.sh -DEBT_TESTS=ON \
    -DEBT_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS=-O1 ||
    fail "the build with sanitizers failed"
build-scripts/build.sh -DEBT_TESTS=ON -DEBT_BENCH=ON || fail "the build failed"

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
status=0

echo "== unit tests under sanitizers"
ctest --test-dir build-sanitize --output-on-failure --no-tests=error --tests-regex '^unit\.' \
    --parallel "$(nproc)" 2>&1 | tee "$logs/sanitized" || status=1
echo "== all tests"
ctest --test-dir build --output-on-failure --no-tests=error 2>&1 | tee "$logs/all" || status=1

echo "== kernels in virtual machines"
kernels=build-static/vm/results.json
rm -f $kernels
build-scripts/vm-test.sh 2>&1 | tee "$logs/kernels" || status=1

read -r sanitized sanitized_failed < <(count "$logs/sanitized")
read -r all all_failed < <(count "$logs/all")
read -r in_kernels in_kernels_failed < <(jq -r '"\(map(.ran) | add) \(map(.ran - .passed) | add)"' $kernels)
total=$((${sanitized:-0} + ${all:-0} + ${in_kernels:-0}))
failed=$((${sanitized_failed:-0} + ${all_failed:-0} + ${in_kernels_failed:-0}))
[ -n "${sanitized:-}" ] && [ -n "${all:-}" ] && [ "${in_kernels:-0}" -gt 0 ] || status=1
echo "== test.sh: $((total - failed)) of $total tests passed, $failed failed" \
    "(${all:-no} tests, ${sanitized:-no} unit tests again under sanitizers," \
    "${in_kernels:-no} on other kernels; $((SECONDS / 60)) min $((SECONDS % 60)) s)"
grep '^== vm-test.sh' "$logs/kernels"
exit $status
