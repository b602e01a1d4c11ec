/* SPDX-License-Identifier: LGPL-2.1 */
/* Programs and a thread that run without a C library; loader/src/arch/machine.hpp says what each does. */
#include "loader/src/arch/programs.h"

#include <asm/unistd.h>

	.section .rodata
	.balign	4

	.globl ebt_exit_program_start, ebt_exit_program_end
	.hidden ebt_exit_program_start, ebt_exit_program_end
ebt_exit_program_start:
	mov	x0, #EBT_EXECUTED_STATUS
	mov	x8, #__NR_exit
	svc	#0
ebt_exit_program_end:

	.globl ebt_reexec_program_start, ebt_reexec_program_end
	.hidden ebt_reexec_program_start, ebt_reexec_program_end
ebt_reexec_program_start:
	mov	x0, #EBT_NEWS_FD
	mov	x1, sp
	mov	x2, #1
	mov	x8, #__NR_write
	svc	#0
	mov	x0, #EBT_ORDERS_FD
	sub	x1, sp, #16
	mov	x2, #1
	mov	x8, #__NR_read
	svc	#0
	cmp	x0, #1
	b.ne	1f
	mov	x0, #EBT_PROGRAM_FD
	adr	x1, 2f				/* the path: empty */
	add	x2, sp, #8			/* its own arguments again */
	mov	x3, #0				/* no environment */
	mov	x4, #EBT_AT_EMPTY_PATH
	mov	x8, #__NR_execveat
	svc	#0
1:	mov	x0, #1
	mov	x8, #__NR_exit_group
	svc	#0
2:	.word	0
ebt_reexec_program_end:

	.text
	.balign	4

	.globl ebt_outlive_first_thread
	.hidden ebt_outlive_first_thread
	.type ebt_outlive_first_thread, %function
ebt_outlive_first_thread:
	mov	x19, x0
	mov	w0, #(EBT_THREAD_FLAGS & 0xffff)
	movk	w0, #(EBT_THREAD_FLAGS >> 16), lsl #16
	ldr	x1, [x19, #EBT_LAST_THREAD_STACK_END]
	mov	x2, #0
	mov	x3, #0
	mov	x4, #0
	mov	x8, #__NR_clone
	svc	#0
	cbz	w0, 1f
	mov	x0, #EBT_FIRST_THREAD_STATUS	/* the first thread */
	mov	x8, #__NR_exit
	svc	#0
	brk	#0
1:	ldr	w0, [x19, #EBT_LAST_THREAD_FIRST_ALIVE]	/* the second one waits until it is alone */
	cbz	w0, 2f
	add	x0, x19, #EBT_LAST_THREAD_FIRST_ALIVE
	mov	x1, #EBT_FUTEX_WAIT
	mov	x2, #1
	mov	x3, #0
	mov	x8, #__NR_futex
	svc	#0
	b	1b
2:	ldr	x0, [x19, #EBT_LAST_THREAD_ARGS + 0]
	ldr	x1, [x19, #EBT_LAST_THREAD_ARGS + 8]
	ldr	x2, [x19, #EBT_LAST_THREAD_ARGS + 16]
	ldr	x3, [x19, #EBT_LAST_THREAD_ARGS + 24]
	ldr	x4, [x19, #EBT_LAST_THREAD_ARGS + 32]
	ldr	x5, [x19, #EBT_LAST_THREAD_ARGS + 40]
	mov	x8, #__NR_dup3
	svc	#0
	mov	x0, #EBT_NATIVE_ONLY_STATUS	/* there is no compat call in 64-bit code */
	ldr	x1, [x19, #EBT_LAST_THREAD_ARGS + 32]
	mov	x8, #__NR_exit_group
	svc	#0
	brk	#0
	.size ebt_outlive_first_thread, . - ebt_outlive_first_thread

	.section .note.GNU-stack,"",%progbits
