/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel side has to know of the processor. Each architecture has a folder here,
 * named as in the kernel's own arch/, whose arch.h provides:
 *
 *   PAGE_SIZE                 the smallest that its kernels use: what lies in one page
 *                             of that size can be read whole or not at all
 *   user(address)             an address of user memory, made harmless if it is none
 *   pointer_size(abi)         bytes of a pointer and of a long in the structures of a caller
 *   NATIVE_ABI                the ABI of the kernel itself
 *   abi_slot(abi)             EBT_ABI_SLOT() of one of this machine's
 *   NR_...                    numbers of calls in the kernel's own ABI, NR_COMPAT_... in that of
 *                             32-bit programs
 *   number_of(raw)            the number of a call without what its register says of the ABI
 *   is_number_of(abi, raw)    whether the ABI has such a number
 *   identify_call()           the ABI and the number of a call
 *   identify_exec()           all of the exec that a task is in, where no tracepoint is its own
 *   NATIVE_ABI_OF(raw)        the ABI of a call that is known not to be one of 32-bit code
 *   task_registers(task)      where the registers are that a task entered the kernel with
 *   registers_number()        the raw number of a call among them, raw_number() the same
 *   came_from_user_space()    whether the task has ever been there
 *   call_arguments()          its arguments
 *   read_entry()              whether and by which call a task came from user space
 *   call_identity(), is_under_way()
 *                             which of a thread's calls it is, and whether it has a result
 *   FUNCTION_ARG1() ..., FUNCTION_STACK()
 *                             what a kprobe finds in the registers
 *   user_ip(), user_sp()      two of the registers of struct ebt_registers
 *   dispatch_call()           the call that socketcall(2) or ipc(2) stands for, where the
 *                             architecture has one
 *
 * The build names the architecture as bpftool and libbpf do: -D__TARGET_ARCH_x86.
 */
#ifndef EBT_ARCH_ARCH_H
#define EBT_ARCH_ARCH_H

#if defined(__TARGET_ARCH_x86)
#include "kern/arch/x86/arch.h"
#elif defined(__TARGET_ARCH_arm64)
#include "kern/arch/arm64/arch.h"
#else
#error "kern/arch has no folder for this architecture"
#endif

#endif
