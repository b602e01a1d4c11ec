/* SPDX-License-Identifier: GPL-2.0 */
/*
 * i386's ipc(2) is twelve calls behind one number, with arguments in an order of its own: it
 * is turned into the call it stands for.
 */
#ifndef EBT_ARCH_X86_IPC_H
#define EBT_ARCH_X86_IPC_H

#include "kern/arch/x86/memory.h"
#include "kern/arch/x86/socketcall.h"

#define SEMOP 1
#define SEMCTL 3
#define SEMTIMEDOP 4
#define MSGSND 11
#define MSGRCV 12
#define MSGCTL 14
#define SHMAT 21
#define SHMDT 22
#define SHMCTL 24

/* Is the call one of these? */
#define ONE_OF(ipc, calls) (1u << (ipc) & (calls))
#define POINTER_SECOND (1u << SEMOP | 1u << SEMTIMEDOP | 1u << MSGSND | 1u << MSGRCV | 1u << SHMAT)
#define POINTER_THIRD (1u << MSGCTL | 1u << SHMCTL)

/* From ipc(call, first, second, third, pointer, fifth) to the arguments of the call itself. */
INLINE void arrange_ipc(struct call *call, __u32 ipc)
{
	__u64 second = call->args[2], third = call->args[3], pointer = call->args[4];
	__u32 message[2] = {pointer, call->args[5]}; /* and its type */
	__s64 error = 0;
	/* An old msgrcv has both behind the pointer, semctl its last argument. */
	if (ipc == MSGRCV && !(call->args[0] >> 16))
		error = bpf_probe_read_user(message, sizeof(message), user(pointer));
	else if (ipc == SEMCTL)
		error = bpf_probe_read_user(&message[1], sizeof(message[1]), user(pointer));
	call->missing |= ERROR_BIT(error, EBT_MISSING_ARGS);
	call->args[0] = ipc == SHMDT ? pointer : call->args[1];
	call->args[1] = ONE_OF(ipc, POINTER_SECOND) ? message[0] : second;
	call->args[2] = ONE_OF(ipc, POINTER_SECOND)  ? second
			: ONE_OF(ipc, POINTER_THIRD) ? pointer
						     : third;
	call->args[3] = ipc == MSGSND ? third : message[1];
	call->args[4] = third;
	call->args[5] = 0;
}

/* Turns the call into what it stands for. 0: that is not selected, nor is ipc itself. */
INLINE int dispatch_ipc(struct call *call, const struct ebt_plan *plan)
{
	__u32 ipc = call->args[0] & 0xffff, place = EBT_NUMBERS + ipc;
	int only = plan->flags & EBT_PLAN_DISPATCH_ONLY;
	if (ipc >= EBT_IPC_CALLS)
		return !only;
	const struct ebt_numbers *selected = bpf_map_lookup_elem(&numbers, &place);
	if (!selected || !selected->row[EBT_I386])
		return !only;
	arrange_ipc(call, ipc);
	call->nr = selected->row[EBT_X86_64];
	call->row = selected->row[EBT_I386];
	return 1;
}

INLINE int dispatch_call(struct call *call, const struct ebt_plan *plan)
{
	return plan->flags & EBT_PLAN_IPC ? dispatch_ipc(call, plan)
					  : dispatch_socketcall(call, plan);
}

#endif
