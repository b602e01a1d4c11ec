# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# For the scripts beside it: a scratch folder, and checks that say what failed.
set -euo pipefail
: "${SOURCE:?run this with ctest}" "${BUILD:?}" "${CMAKE:?}" "${CXX:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    printf 'FAILED: %s\n' "$@" >&2
    exit 1
}

# expect_status N command...: runs it, its output in $scratch/out and $scratch/err
expect_status() {
    local expected=$1 status=0
    shift
    "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" = "$expected" ] ||
        fail "exit status $status instead of $expected: $*" "$(cat "$scratch/out" "$scratch/err")"
}

# expect_text FILE TEXT: the file has it
expect_text() {
    grep -qF -e "$2" "$1" || fail "no \"$2\" in:" "$(cat "$1")"
}

expect_empty() {
    [ ! -s "$1" ] || fail "this should be empty:" "$(cat "$1")"
}
