/* SPDX-License-Identifier: GPL-2.0 */
/* The exec that a task is in, for which the kernel has no tracepoint: that of 32-bit code. */
#ifndef EBT_ARCH_X86_EXEC_H
#define EBT_ARCH_X86_EXEC_H

#include "kern/arch/x86/abi.h"
#include "kern/arch/x86/memory.h"
#include "kern/arch/x86/registers.h"
#include "kern/base/uapi.h"

INLINE int is_exec_number(__u32 abi, __s32 nr)
{
	if (abi == EBT_I386)
		return nr == 11 || nr == 358;
	return nr == (abi == EBT_X32 ? 520 : 59) || nr == (abi == EBT_X32 ? 545 : 322);
}

/*
 * Once the new image is certain: 0 when the task is in no exec. The registers are those of the
 * call until the new program begins, but before 5.8 number and ABI are the new image's
 * already: with a 64-bit number here and nothing kept, the caller was 32-bit code. It was
 * execveat then if the first argument cannot be a path: a low number or AT_FDCWD.
 */
INLINE int identify_exec(struct call *call, __u64 task)
{
	__u64 registers = task_registers(task);
	identify_call(call, task, registers_number(registers));
	if (!is_exec_number(call->abi, call->nr))
		return 0;
	if (call->abi == EBT_X86_64) {
		call->abi = EBT_I386;
		call->nr = 11;
	}
	call_arguments(call, registers);
	__u32 first = call->args[0];
	if (call->nr == 11 && (first < PAGE_SIZE || first == (__u32)AT_FDCWD))
		call->nr = 358;
	return 1;
}

#endif
