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
#define SYS_ACCEPT 5
#define SYS_SEND 9
#define SYS_RECV 10

/* i386 numbers of SYS_SOCKET (1) and up, less 337, 6 bits each: 10 in either word. */
#define PACK(a, b, c, d, e, f, g, h, i, j)                                                         \
	(((__u64)(a)-337) | ((__u64)(b)-337) << 6 | ((__u64)(c)-337) << 12 |                       \
	 ((__u64)(d)-337) << 18 | ((__u64)(e)-337) << 24 | ((__u64)(f)-337) << 30 |                \
	 ((__u64)(g)-337) << 36 | ((__u64)(h)-337) << 42 | ((__u64)(i)-337) << 48 |                \
	 ((__u64)(j)-337) << 54)
/* socket bind connect listen accept(4) getsockname getpeername socketpair send(to) recv(from) */
#define FIRST_CALLS PACK(359, 361, 362, 363, 364, 367, 368, 360, 369, 371)
/* sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg */
#define SECOND_CALLS PACK(369, 371, 373, 366, 365, 370, 372, 364, 337, 345)

/* Turns the call into what it stands for. 0: that is not selected, nor is socketcall itself. */
INLINE int dispatch_socketcall(struct call *call, const struct ebt_plan *plan)
{
	int only = plan->flags & EBT_PLAN_DISPATCH_ONLY;
	__u64 which = call->args[0] - 1;
	if (which >= SOCKETCALLS)
		return !only;
	__u64 packed = which < 10 ? FIRST_CALLS : SECOND_CALLS;
	__u64 digit = which < 10 ? which : which - 10;
	__u32 nr = 337 + (packed >> ((digit * 6) & 63) & 63);
	const struct ebt_numbers *selected = bpf_map_lookup_elem(&numbers, &nr);
	if (!selected || !selected->row[EBT_I386])
		return !only;
	__u32 args[EBT_ARGS] = {};
	if (bpf_probe_read_user(args, sizeof(args), user(call->args[1])))
		call->missing |= EBT_MISSING_ARGS;
	/* These have fewer arguments than the calls they are turned into. */
	if (which + 1 == SYS_ACCEPT)
		args[3] = 0;
	if (which + 1 == SYS_SEND || which + 1 == SYS_RECV)
		args[4] = args[5] = 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < EBT_ARGS; i++)
		call->args[i] = args[i];
	call->nr = nr;
	call->row = selected->row[EBT_I386];
	return 1;
}

#endif
