/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What of the records and plans depends on the architecture that kernel and programs are built for.
 */
#ifndef EBT_ABI_MACHINE_H
#define EBT_ABI_MACHINE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/*
 * EBT_NATIVE_ABI is that of 64-bit programs, EBT_COMPAT_ABI that of 32-bit ones.
 * struct ebt_registers has the registers that a caller entered the kernel with: what ptrace(2)
 * shows, which also holds those of a 32-bit program.
 */
#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)

#define EBT_NATIVE_ABI EBT_AARCH64
#define EBT_COMPAT_ABI EBT_ARM

struct ebt_registers {
	__u64 x[31];
	__u64 sp, pc, pstate; /* `pstate` says whether it is a 32-bit program */
};

#elif defined(__TARGET_ARCH_x86) || defined(__x86_64__)

#define EBT_NATIVE_ABI EBT_X86_64
#define EBT_COMPAT_ABI EBT_I386

struct ebt_registers {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
	__u64 ip, cs, flags, sp, ss; /* `cs` says whether it is a 32-bit program */
};

#else
#error "kern/abi/machine.h knows no such architecture"
#endif

#endif
