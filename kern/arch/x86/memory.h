/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses and pages. */
#ifndef EBT_ARCH_X86_MEMORY_H
#define EBT_ARCH_X86_MEMORY_H

#include "kern/base/base.h"

#define PAGE_SIZE 4096

/*
 * An address that a process gave us, as one that user memory can have: where there is no
 * bpf_probe_read_user (before 5.5) the kernel's own memory would be read too, and kernels since
 * 4.20 warn, once, of an address that is neither's. What points there becomes the last byte of
 * all, which cannot be read.
 */
INLINE void *user(__u64 address)
{
	__u64 beyond = address >> FEATURE(user_bits);
	OPAQUE(beyond); /* else the compiler makes a branch of it */
	return (void *)(address | (__u64)(-(__s64)beyond >> 63));
}

#endif
