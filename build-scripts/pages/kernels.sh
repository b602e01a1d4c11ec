#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes docs/kernels.md from the results of vm-test.sh:
#   build-scripts/pages/kernels.sh build-static/vm/results.json [FURTHER.json]... > docs/kernels.md
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
`build-scripts/pages/kernels.sh`: change those, not this.

## Tried

END
echo "On $(LC_ALL=C date -u -r "$1" '+%-d %B %Y'):"
echo
jq -r -f "$here/kernels.jq" <<<"$results"
cat <<'END'

- **tier**: the one that the program chooses there by itself. Those in brackets load too, with
  `--tier`, and gave the same events for the same workload, field by field.
- **offsets**: where the kernel's offsets came from in that run, and how many of them discovery found
  at the same place by observation alone, and how many the kernel's headers name the same.
- **tests**: those that passed, of those that ran inside: each tier's, the tiers compared, the program's.
  A run with `--spread`, or of one `--tier`, runs fewer.
- **calls it lacks** of those that the default rules name: their failure is reported like any other's.

Kernels that Debian does not have were built for it. 5.4.33, on 29 November 2026: all four tiers, `raw_tp` chosen, 79 of 79
offsets, 748 of 764 tests of calls, witnesses, cases and imds-tracker; the others want what that kernel was built without
(`CONFIG_SECURITY_NETWORK`, SYN cookies, io_uring's connect of 5.5). 5.8.18, the same day: all four tiers, `raw_tp` chosen with
all that can be selected, 79 of 79 offsets; single calls, witnesses, an eighth of the program's tests, cases and imds-tracker's:
all pass. These were last tried on 22 November 2026, when there were 64 offsets and no witnesses:

| kernel | release | tier | offsets | as discovered | as headers | tests | calls it lacks |
|---|---|---|---|---|---|---|---|
| vanilla 4.14 | 4.14.177 | `tp` | DWARF | 64 of 64 | 64 of 64 | 159 of 159 | clock_adjtime64 clock_settime64 clone3 create_module fchmodat2 file_setattr fsmount io_uring_setup kexec_file_load mount_setattr move_mount open_tree open_tree_attr openat2 pidfd_getfd pidfd_send_signal removexattrat setxattrat uselib |
| Ubuntu 18.04 | 4.15.18 | `tp` | DWARF | 64 of 64 | 64 of 64 | 159 of 159 | clock_adjtime64 clock_settime64 clone3 create_module fchmodat2 file_setattr fsmount io_uring_setup kexec_file_load mount_setattr move_mount open_tree open_tree_attr openat2 pidfd_getfd pidfd_send_signal removexattrat setxattrat uselib |
| RHEL 8.1 | 4.18.0 | `raw_tp_sub4096` (tp) | DWARF | 64 of 64 | 64 of 64 | 290 of 290 | clock_adjtime64 clock_settime64 clone3 create_module fchmodat2 file_setattr fsmount io_uring_setup kexec_file_load mount_setattr move_mount open_tree open_tree_attr openat2 pidfd_getfd pidfd_send_signal removexattrat setxattrat uselib |
| vanilla 4.19 | 4.19.48 | `raw_tp_sub4096` (tp) | DWARF | 64 of 64 | 64 of 64 | 290 of 290 | clock_adjtime64 clock_settime64 clone3 create_module fchmodat2 file_setattr fsmount io_uring_setup kexec_file_load mount_setattr move_mount open_tree open_tree_attr openat2 pidfd_getfd pidfd_send_signal removexattrat setxattrat uselib |
| vanilla 5.2 | 5.2.1 | `raw_tp_noloops` (raw_tp_sub4096, tp) | DWARF | 64 of 64 | 64 of 64 | 420 of 420 | clone3 create_module fchmodat2 file_setattr kexec_file_load mount_setattr open_tree_attr openat2 pidfd_getfd removexattrat setxattrat uselib |

## Which kernels are booted

Without `--kernel`, `vm-test.sh` boots Debian's 5.10 (bullseye), 6.1 (bookworm), 6.12 (trixie) and the
newest in sid. Any other kernel is named with `--kernel IMAGE`. With `--spread` the first kernel is
tested in all four tiers (`tp`, `raw_tp_sub4096`, `raw_tp_noloops`, `raw_tp`), the others in two each, and each test
of the program itself runs on one of those in between.

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
- Linux before 4.14 is not served: 4.12 reads the offsets, but its verifier follows every path of the hook at the
  end of calls by itself and gives up ("BPF program is too large. Processed 98305 insn"). Whoever makes programs
  small enough for it has to leave no call of an unknown helper in code that is never reached: 4.12 crashes over it.

## arm64

64-bit programs are reported as `arch=aarch64`, 32-bit ones as `arch=arm`. All is run under emulation, with 48 bits of
address and, where nothing else is said, 4 KiB pages. `build-scripts/vm-test.sh --arch arm64` cross-builds static programs and boots Debian's
kernel with them; the test command runs the tests of single calls, an eighth of those of the program, and
imds-tracker's on 6.1, in every tier, and the cases of the field in two; `test.sh --all` runs everything on 5.10, 6.1 and 6.12,
and on 6.12 with pages of 16 KiB.

The tests of single calls are the same as on x86-64. Calls that arm64 has under another name alone are made by that:
`openat` for `open`, `unlinkat` for `unlink`, `clone` for `fork` (`test/kernel/spelling.cpp`).

| what | state |
|---|---|
| tiers | all four load, and in each every call's event has the fields that it has on x86-64; the tiers are compared; `raw_tp` with its ring buffer is chosen. The last time on 6.12, all tiers, witnesses and an eighth of the program's tests among them: 745 of 745, on 29 November 2026 |
| offsets | from BTF; observation finds the same for all that it looks for |
| self-check | passes, with machine code of its own; it cannot make calls of 32-bit programs |
| witnesses | as on x86-64: races, scripts, addresses, io_uring |
| 32-bit programs | calls, arguments, results, identities and execs are right, also of an exec from a 32-bit program to a 64-bit one and back |
| the program | its tests, but for those that storm |
| imds-tracker | requests of curl and of its test client, of 64 and of 32 bits, by 18 ways to move bytes and in every tier |
| `--user-stack-trace` | frames and names of shared and stripped programs, of a shared library between, of threads and of code that no file has are right, also where addresses to return to are signed (tried on 6.12 with 16 KiB pages); 32-bit programs have no frames but the first |
| `get_offsets --headers` | reads headers of x86-64 alone |
| 16 KiB pages | Debian's 6.12 of that kind (`--suite trixie-16k`), on 29 November 2026: all four tiers load, 79 of 79 offsets are found by observation too, and single calls, cases of the field and callers' stacks are reported right; witnesses and the program's own tests were not run there |
| 64 KiB pages, 52 bits of address | provided for, untried: Debian has no such kernel |
| build on arm64 itself | `build.sh` on Debian 12, emulated, with g++'s compiler proper cross: library, eBPF objects and programs are built, and the programs start |
| unit tests | built by `test.sh --all`, run by `qemu-aarch64`: what an emulator may lack is tried, and a test that needs it is skipped by name: bpf(2), filters of seccomp(2), Landlock, openat2(2), limits of memory, user namespaces, executable mappings in /proc/PID/maps, a /proc/self/exe that is executed, programs of arm64 in /bin |
| packages, portable release | `build-scripts/package.sh --arch arm64` cross-builds them, but for the packages of the library |

What was found, for who goes on:

- `struct pt_regs` begins with what ptrace(2) shows (x0 to x30, sp, pc, pstate), then `orig_x0` at 272 and
  `syscallno`, 32 bits, at 280. At sys_exit x0 is the result and `orig_x0` the first argument; x1 to x5 are
  as the caller had them, and so are all in a 32-bit program's r0 to r5.
- The result of a 32-bit call is shown as it is (5.10) or with its sign (6.1): an address from mmap2 may look like an
  error, or an error like an address (`result_of()`).
- A successful exec leaves zeroes in all of them but `syscallno`, which stays that of the call. Where the new
  program is of the other kind, 64 or 32 bits, the thread's flag is the new one's and the number the old
  one's: `changed_its_kind()` of `kern/arch/arm64/abi.h` tells that by x8 or r7, which every caller sets.
- By the kernel's source rt_sigreturn ends with `syscallno` -1; it is taken at sys_enter, as on x86-64.
- While a call is under way nothing like x86-64's -ENOSYS stands in the registers: that x0 still equals
  `orig_x0` stands for it.
- The flag of 32-bit code is bit 22 of `thread_info.flags`, which every task_struct begins with. It is the
  thread's, not the call's. The kernel's own `syscalls:` tracepoints leave such threads out, as on x86-64.
- The top byte of a user pointer may be a tag. Bit 55 says whose half of the addresses it is in.
- Kernel stacks are in vmalloc, task_struct and files in the linear map. `is_heap_pointer()` of the loader takes
  all of the kernel's half, so observation has more places to look at.
- There is no `exceptions:` tracepoint: observation takes kmem_cache_alloc.
- socketcall(2) and ipc(2) do not exist; sync_file_range2, arm_fadvise64_64, send and recv do, in 32-bit programs.

## Will it work on our kernel?

See the README: one command and the kernel's image.
END
