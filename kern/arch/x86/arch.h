/* SPDX-License-Identifier: GPL-2.0 */
/* x86-64, with the two other ABIs that its kernels may have: i386 and x32. */
#ifndef EBT_ARCH_X86_ARCH_H
#define EBT_ARCH_X86_ARCH_H

#include "kern/arch/x86/abi.h"
#include "kern/arch/x86/exec.h"
#include "kern/arch/x86/ipc.h"
#include "kern/arch/x86/memory.h"
#include "kern/arch/x86/registers.h"
#include "kern/arch/x86/socketcall.h"

#endif
