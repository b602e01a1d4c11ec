#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds and runs the benchmarks of test/bench on this host, as root. See docs/performance.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'END'
usage: build-scripts/bench.sh [--quick | --steady] [--page] [--out DIR] [--only NAME]...
  --quick      take three minutes instead of an hour: fewer pairs, shorter runs, no real workloads
  --steady     like --quick with 25 pairs instead of 5, and longer runs, in ten minutes: for machines whose CPUs are shared
  --page       make docs/performance.md of the report, with the figures in its words
  --out DIR    directory for report.md, raw.json and the charts (default: bench-results)
  --only NAME  run only this part (cost, throughput, user, rings, growth, work), or only what measures
               this tracer ("raw_tp", "floor empty", "program json", "bpftrace"); may be repeated
EBT_BUILD names the directory to build in (default: build-bench). With EBT_BENCH_SETUP=no, no
packages are installed.
END
    exit "$1"
}

out=bench-results
page=no
options=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick | --steady) options+=("$1") ;;
    --page) page=yes ;;
    --out | --only)
        [ $# -gt 1 ] || usage 2
        if [ "$1" = --out ]; then out=$2; else options+=(--only "$2"); fi
        shift
        ;;
    --help | -h) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done

[ "$(id -u)" = 0 ] || {
    echo "bench.sh: the benchmarks load eBPF programs; run this as root: sudo $0" >&2
    exit 1
}
[ "${EBT_BENCH_SETUP:-yes}" = no ] || build-scripts/setup.sh --tests

# shellcheck source=progress.sh
. build-scripts/progress.sh

folder=${EBT_BUILD:-build-bench}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export EBT_BUILD=$folder EBT_TARGET=bench
if ! progress_build "building (the first time this takes some minutes)" "$log" build-scripts/build.sh -DEBT_BENCH=ON; then
    cat "$log" >&2
    echo "bench.sh: the build failed: see above" >&2
    exit 1
fi

progress_follow "$folder/test/bench/ebpf_bench" --source "$PWD" --program "$folder/ebpf_telemetry" --out "$out" "${options[@]}"
echo "bench.sh: see $out/report.md" >&2
[ $page = no ] || build-scripts/pages/performance.py make "$out"
