/* SPDX-License-Identifier: GPL-2.0 */
/*
 * i386's socketcall(2) hides twenty calls behind one number: it is turned into the
 * call it stands for, under the number that call has of its own on i386.
 */
#ifndef EBT_ARCH_X86_SOCKETCALL_H
#define EBT_ARCH_X86_SOCKETCALL_H

#include "kern/arch/x86/memory.h"
#include "kern/base/call.h"
#include "kern/base/maps.h"

#define SOCKETCALLS 20

/* i386 numbers of the calls, less 337, 6 bits each: ten in either word. */
#define PACK(word, socketcall, i386)                                                               \
	(((socketcall)-1) / 10 == (word) ? (__u64)((i386)-337) << ((socketcall)-1) % 10 * 6 : 0)

INLINE __u64 packed_numbers(int word)
{
	return 0
#define SYSCALL(...)
#define SOCKET_SYSCALL(socketcall, x86_64, i386, ...) | PACK(word, socketcall, i386)
#define SOCKETCALL_SHORT(socketcall, name, arguments, i386, full) | PACK(word, socketcall, i386)
#include "kern/abi/syscalls.def"
	    ;
}

/* Clears the arguments that a short call lacks and the full one, which it becomes, has. */
INLINE void clear_missing_arguments(__u32 *args, __u64 socketcall)
{
#define SYSCALL(...)
#define SOCKETCALL_SHORT(short_, name, arguments, i386, full)                                      \
	if (socketcall == (short_))                                                                \
		__builtin_memset(args + (arguments), 0, (EBT_ARGS - (arguments)) * sizeof(*args));
#include "kern/abi/syscalls.def"
}

/* Turns the call into what it stands for. 0: that is not selected, nor is socketcall itself. */
INLINE int dispatch_socketcall(struct call *call, const struct ebt_plan *plan)
{
	int only = plan->flags & EBT_PLAN_DISPATCH_ONLY;
	__u64 which = call->args[0] - 1;
	if (which >= SOCKETCALLS)
		return !only;
	__u64 packed = which < 10 ? packed_numbers(0) : packed_numbers(1);
	__u64 digit = which < 10 ? which : which - 10;
	__u32 nr = 337 + (packed >> ((digit * 6) & 63) & 63);
	const struct ebt_numbers *selected = bpf_map_lookup_elem(&numbers, &nr);
	if (!selected || !selected->row[EBT_I386])
		return !only;
	__u32 args[EBT_ARGS] = {};
	if (bpf_probe_read_user(args, sizeof(args), user(call->args[1])))
		call->missing |= EBT_MISSING_ARGS;
	clear_missing_arguments(args, which + 1);
#pragma clang loop unroll(full)
	for (int i = 0; i < EBT_ARGS; i++)
		call->args[i] = args[i];
	call->nr = nr;
	call->row = selected->row[EBT_I386];
	call->shared |= EBT_MEMORY_ARGS;
	return 1;
}

#endif
