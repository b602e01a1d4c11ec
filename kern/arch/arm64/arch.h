/* SPDX-License-Identifier: GPL-2.0 */
/* arm64, with the 32-bit ABI that its kernels may have: the EABI of arm. */
#ifndef EBT_ARCH_ARM64_ARCH_H
#define EBT_ARCH_ARM64_ARCH_H

#include "kern/arch/arm64/abi.h"
#include "kern/arch/arm64/exec.h"
#include "kern/arch/arm64/memory.h"
#include "kern/arch/arm64/registers.h"

#endif
