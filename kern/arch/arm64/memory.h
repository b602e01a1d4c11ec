/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses and pages. */
#ifndef EBT_ARCH_ARM64_MEMORY_H
#define EBT_ARCH_ARM64_MEMORY_H

#include "kern/base/base.h"

#define PAGE_SIZE 4096 /* or 16 or 64 KiB: then what is read page by page takes more steps */

/*
 * An address that a process gave us, as one that user memory can have. The processor ignores
 * the top byte, where programs may keep a tag: bit 55 alone tells the kernel's memory from
 * theirs. Where there is no bpf_probe_read_user (before 5.5) the kernel's would be read too:
 * what points there becomes the last byte of all, which cannot be read.
 */
INLINE void *user(__u64 address)
{
	OPAQUE(address); /* else the compiler makes a branch of it */
	__s64 untagged = (__s64)(address << 8) >> 8;
	return (void *)(untagged | untagged >> 63);
}

#endif
