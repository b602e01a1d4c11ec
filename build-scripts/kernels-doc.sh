#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes docs/kernels.md from the results of vm-test.sh:
#   build-scripts/kernels-doc.sh build-static/vm/results.json [FURTHER.json]... > docs/kernels.md
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
{ [ $# -gt 0 ] && [ "${1:0:1}" != - ]; } || {
    sed -n '3,4s/^# //p' "${BASH_SOURCE[0]}" >&2
    exit 2
}
results=$(jq -s 'add | map(select(.release != "")) | sort_by(.release | [splits("[^0-9]+")] | map(tonumber? // 0))' "$@")

cat <<'END'
# Kernels

What `build-scripts/vm-test.sh` found on real kernels. This page is made from its results by
`build-scripts/kernels-doc.sh`: change those, not this.

## Tried

END
jq -r -f "$here/kernels-doc.jq" <<<"$results"
cat <<'END'

- **tier**: the one that the program chooses there by itself. Those in brackets load too, with
  `--tier`, and gave the same events for the same workload, field by field.
- **offsets**: where the kernel's offsets came from in that run, and how many of them discovery found
  at the same place by observation alone, and how many the kernel's headers name the same.
- **tests**: those that passed, of those that ran inside: each tier's, the tiers compared, the program's.
  A run with `--spread`, or of one `--tier`, runs fewer.
- **calls it lacks** of those that the default rules name: their failure is reported like any other's.

## Which kernels are booted

Without `--kernel`, `vm-test.sh` boots Debian's 5.10 (bullseye), 6.1 (bookworm), 6.12 (trixie) and the
newest in sid. Any other kernel is named with `--kernel IMAGE`. With `--spread` the first kernel is
tested in all four tiers (`tp`, `raw_tp_sub4096`, `raw_tp_noloops`, `raw_tp`), the others in two each.

The [witnesses](output.md#witnesses) are kprobes in an object beside the tier's. Where a kernel lacks them
the tier works without; `--probe` lists them.

## What differs

- From Linux 7.0 on a raw tracepoint's program can be preempted, and the kernel then skips it for the
  other tasks that come to the same tracepoint. Classic tracepoints have no such gap, so `tp` is chosen
  there. What is skipped with `--tier raw_tp` is counted, not reported.
- Before 5.1 a program cannot see that a perf buffer was full: such losses are counted
  a little later, when the buffer has room again, and exactly at the end.
- Before 5.5 the kernel has no way to read user memory only. Addresses of the kernel's that a process
  passes are reported as faults.
- Linux 4.15.0 as it was first released keeps the number of i386 after a 32-bit program executes a 64-bit
  one: that execve is not reported, its process_exec is. Later 4.15 does right.
- Linux 4.14 takes one eBPF program per tracepoint: where another tool has one, the start says so.

## Will it work on our kernel?

See the README: one command and the kernel's image.
END
