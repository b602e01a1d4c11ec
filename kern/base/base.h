/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every part of the kernel side stands on: the ABI, the helpers, and the
 * offsets, which the loader patches into the instructions before it loads them.
 */
#ifndef EBT_BASE_BASE_H
#define EBT_BASE_BASE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "kern/abi/record.h"
#include "kern/abi/plan.h"

#define INLINE static __attribute__((always_inline)) inline

/* Keeps the compiler from proving a bound and dropping the mask that the verifier needs. */
#define OPAQUE(variable) asm volatile("" : "+r"(variable))

/*
 * One member for each row of offsets.def; the loader describes the same struct
 * with this kernel's offsets and libbpf patches them in.
 */
#define OFFSET(structure, member, ...) unsigned long structure##__##member;
struct ebt_offsets {
#include "kern/abi/offsets.def"
} __attribute__((preserve_access_index));
#undef OFFSET

#define FEATURE(name, ...) unsigned long name;
struct ebt_features {
#include "kern/abi/features.def"
} __attribute__((preserve_access_index));
#undef FEATURE

#define EBT_INFO_OFFSET 0 /* BPF_FIELD_BYTE_OFFSET */
#define EBT_INFO_EXISTS 2 /* BPF_FIELD_EXISTS */

#define OFFSET(structure, member)                                                                  \
	((__u64)__builtin_preserve_field_info(((struct ebt_offsets *)0)->structure##__##member,    \
					      EBT_INFO_OFFSET))
#define HAS(structure, member)                                                                     \
	__builtin_preserve_field_info(((struct ebt_offsets *)0)->structure##__##member,            \
				      EBT_INFO_EXISTS)
#define FEATURE(name)                                                                              \
	((__u64)__builtin_preserve_field_info(((struct ebt_features *)0)->name, EBT_INFO_OFFSET))
#define HAS_FEATURE(name)                                                                          \
	__builtin_preserve_field_info(((struct ebt_features *)0)->name, EBT_INFO_EXISTS)

/*
 * Kernel memory is read through a helper, and on kernels that have bpf_rdonly_cast by
 * plain loads: the difference is tens of nanoseconds a read. A load from where nothing is
 * gives 0; an address that is none of the kernel's, such as one from a null pointer, is an
 * error here too.
 */
#ifdef TIER_DIRECT
#define DIRECT HAS_FEATURE(direct_reads)
static const void *(*const direct)(__u64 address, __u32 zero) = (void *)EBT_CALL_RDONLY_CAST;
#define COPY_DIRECTLY(to, from)                                                                    \
	__builtin_memcpy((to), __builtin_assume_aligned(direct((from), 0), __alignof__(*(to))),    \
			 sizeof(*(to)))
#else
#define DIRECT 0
#define COPY_DIRECTLY(to, from)
#endif

/* Fills *to; 0 or a negative errno. libbpf turns it into bpf_probe_read where needed. */
#define READ_AT(to, from)                                                                          \
	({                                                                                         \
		__s64 error_ = 0;                                                                  \
		if (DIRECT) {                                                                      \
			COPY_DIRECTLY(to, (__u64)(from));                                          \
			error_ = ~((__s64)(from) >> 63) & -14 /* EFAULT */;                        \
		} else                                                                             \
			error_ = bpf_probe_read_kernel((to), sizeof(*(to)), (const void *)(from)); \
		error_;                                                                            \
	})

/* Reads a kernel field. */
#define READ(to, base, structure, member) READ_AT(to, (__u64)(base) + OFFSET(structure, member))

/* Reads a pointer field; 0 when it cannot be read. */
#define POINTER(base, structure, member)                                                           \
	({                                                                                         \
		__u64 pointer_ = 0;                                                                \
		READ(&pointer_, base, structure, member);                                          \
		pointer_;                                                                          \
	})

/* Bytes from a member of a structure to the end of another that comes after it. */
#define SPAN(structure, first, last, last_size)                                                    \
	(OFFSET(structure, last) + (last_size)-OFFSET(structure, first))

/* `bit` when the helper's result is an error, without a branch for the verifier to follow. */
#define ERROR_BIT(result, bit) ((__u32)((__s64)(result) >> 63) & (bit))

#endif
