#!/bin/bash
# SPDX-License-Identifier: MIT
# Each man page has every option of its program's --help, and no other.
# shellcheck source=checks.sh
. "$(dirname "$0")/checks.sh"

for program in ebpf_telemetry imds-tracker get_offsets; do
    path=$BUILD/$program
    [ $program != get_offsets ] || path=$BUILD/get_offsets/get_offsets
    page=$SOURCE/packaging/man/$program.8
    expect_status 0 "$path" --help
    # An option's line begins with it; examples come later.
    sed '/^Examples:/,$d' "$scratch/out" | grep -E '^ +-' | grep -oE -- '--[a-z][a-z-]*' | sort -u >"$scratch/options"
    [ "$(wc -l <"$scratch/options")" -ge 8 ] || fail "--help of $program is not understood:" "$(cat "$scratch/out")"
    grep '^\.It Fl' "$page" | grep -oE 'Fl -[a-z][a-z-]*' | sed 's/^Fl -/--/' | sort -u >"$scratch/described"
    diff "$scratch/options" "$scratch/described" || fail "the page $program.8 and --help have different options"
done
# The page of the files of options names what only the command line has.
page=$SOURCE/packaging/man/ebpf-telemetry.conf.5
for option in check help list-syscalls print-config probe settings version; do
    grep -q "Cm .*\b$option\b" "$page" || fail "ebpf-telemetry.conf.5 does not name $option"
done
echo "man pages: every option is there"
