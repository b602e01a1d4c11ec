/* SPDX-License-Identifier: GPL-2.0 */
/* The exec that a task is in, for which the kernel has no tracepoint: that of 32-bit code. */
#ifndef EBT_ARCH_ARM64_EXEC_H
#define EBT_ARCH_ARM64_EXEC_H

#include "kern/arch/arm64/abi.h"
#include "kern/arch/arm64/registers.h"

/*
 * Once the new image is certain: 0 when the task is in no exec. The registers are those of the
 * call until the new program begins, but before 5.8 the thread's flag that says whether it runs
 * 32-bit code is the new image's already: the number alone tells. What else gives a task a name
 * (prctl, a write into /proc) has none of these numbers in either ABI.
 */
INLINE int identify_exec(struct call *call, __u64 task)
{
	__u64 registers = task_registers(task);
	__s64 nr = registers_number(registers);
	if (!IS_ARM_EXEC(nr) && !IS_EXEC(nr))
		return 0;
	call->missing = 0;
	call->abi = IS_ARM_EXEC(nr) ? EBT_ARM : EBT_AARCH64;
	call->nr = nr;
	call_arguments(call, registers);
	return 1;
}

#endif
