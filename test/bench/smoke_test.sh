#!/bin/bash
# SPDX-License-Identifier: MIT
# Does the benchmark suite still work? Its figures are not looked at, but that there are some.
set -euo pipefail

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

fail() {
    echo "smoke_test.sh: $*" >&2
    cat "$out/report.md" >&2
    exit 1
}

"$BUILD/test/bench/ebpf_bench" --smoke --source "$SOURCE" --program "$BUILD/ebpf_telemetry" --out "$out"

# has_row SECTION NAME: a table of the section has a row of that name whose cells hold figures.
has_row() {
    sed -n "/^## $1/,/^## /p" "$out/report.md" | grep -E "^\| $2 \|" | grep -Eq '[0-9]' ||
        fail "no figures of $2 in \"$1\""
}

for name in nothing "floor empty" "floor empty_tp" "floor bitmap" "floor record_ring" "floor record_perf" \
    raw_tp raw_tp_noloops raw_tp_sub4096 tp "program json"; do
    has_row "Cost on the workload" "$name"
done
for name in nothing "floor record_ring" "floor record_perf" raw_tp raw_tp_noloops raw_tp_sub4096 tp \
    "program null" "program text" "program json" "program syslog"; do
    has_row "Throughput and loss" "$name"
done
for name in openat unlink connect execve; do
    has_row "User side alone" "$name"
done
has_row "Rings" "1 | 1"
has_row "Rings" 256
for name in "1 call" "50 calls" "every call, getppid and close too"; do
    has_row "Growth" "$name"
done

! grep -q '"failure"' "$out/raw.json" || fail "something could not be measured"
grep -q 'no less seen than issued, in [1-9][0-9]* runs\.$' "$out/report.md" || fail "the ledger does not balance"
for chart in cost-{getppid,open_read,open_write,unlink,connect,exec} throughput user-side \
    growth-{depth,argv,processes}; do
    [ "$(tail -n 1 "$out/$chart.svg")" = "</svg>" ] || fail "no $chart.svg"
done
