/* SPDX-License-Identifier: LGPL-2.1 */
/* Programs and a thread that run without a C library; loader/src/arch/machine.hpp says what each does. */
#include "loader/src/arch/programs.h"

#include <asm/unistd.h>

#define NR_I386_DUP3 330

	.section .rodata

	.globl ebt_exit_program_start, ebt_exit_program_end
	.hidden ebt_exit_program_start, ebt_exit_program_end
ebt_exit_program_start:
	mov	$EBT_EXECUTED_STATUS, %edi
	mov	$__NR_exit, %eax
	syscall
ebt_exit_program_end:

	.globl ebt_reexec_program_start, ebt_reexec_program_end
	.hidden ebt_reexec_program_start, ebt_reexec_program_end
ebt_reexec_program_start:
	mov	$__NR_write, %eax
	mov	$EBT_NEWS_FD, %edi
	mov	%rsp, %rsi
	mov	$1, %edx
	syscall
	mov	$__NR_read, %eax
	mov	$EBT_ORDERS_FD, %edi
	lea	-16(%rsp), %rsi
	mov	$1, %edx
	syscall
	cmp	$1, %eax
	jne	1f
	mov	$__NR_execveat, %eax
	mov	$EBT_PROGRAM_FD, %edi
	lea	2f(%rip), %rsi			/* the path: empty */
	lea	8(%rsp), %rdx			/* its own arguments again */
	xor	%r10d, %r10d			/* no environment */
	mov	$EBT_AT_EMPTY_PATH, %r8d
	syscall
1:	mov	$__NR_exit_group, %eax
	mov	$1, %edi
	syscall
2:	.byte	0
ebt_reexec_program_end:

	.text

	.globl ebt_outlive_first_thread
	.hidden ebt_outlive_first_thread
	.type ebt_outlive_first_thread, @function
ebt_outlive_first_thread:
	mov	%rdi, %r12
	mov	$__NR_clone, %eax
	mov	$EBT_THREAD_FLAGS, %edi
	mov	EBT_LAST_THREAD_STACK_END(%r12), %rsi
	xor	%edx, %edx
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	syscall
	test	%eax, %eax
	jz	1f
	mov	$__NR_exit, %eax		/* the first thread */
	mov	$EBT_FIRST_THREAD_STATUS, %edi
	syscall
	ud2
1:	cmpl	$0, EBT_LAST_THREAD_FIRST_ALIVE(%r12)	/* the second one waits until it is alone */
	je	2f
	mov	$__NR_futex, %eax
	lea	EBT_LAST_THREAD_FIRST_ALIVE(%r12), %rdi
	mov	$EBT_FUTEX_WAIT, %esi
	mov	$1, %edx
	xor	%r10d, %r10d
	syscall
	jmp	1b
2:	mov	$__NR_dup3, %eax
	mov	EBT_LAST_THREAD_ARGS + 0(%r12), %rdi
	mov	EBT_LAST_THREAD_ARGS + 8(%r12), %rsi
	mov	EBT_LAST_THREAD_ARGS + 16(%r12), %rdx
	mov	EBT_LAST_THREAD_ARGS + 24(%r12), %r10
	mov	EBT_LAST_THREAD_ARGS + 32(%r12), %r8
	mov	EBT_LAST_THREAD_ARGS + 40(%r12), %r9
	syscall
	mov	$NR_I386_DUP3, %eax
	mov	EBT_LAST_THREAD_ARGS + 0(%r12), %ebx
	mov	EBT_LAST_THREAD_ARGS + 8(%r12), %ecx
	mov	EBT_LAST_THREAD_ARGS + 16(%r12), %edx
	mov	EBT_LAST_THREAD_ARGS + 24(%r12), %esi
	mov	EBT_LAST_THREAD_ARGS + 32(%r12), %edi
	mov	EBT_LAST_THREAD_ARGS + 40(%r12), %ebp
	int	$0x80
	mov	$EBT_BOTH_STATUS, %edi
	cmp	$NR_I386_DUP3, %eax		/* no result: it was stepped over */
	jne	3f
	mov	$EBT_NATIVE_ONLY_STATUS, %edi
3:	mov	$__NR_exit_group, %eax
	mov	EBT_LAST_THREAD_ARGS + 32(%r12), %rsi
	syscall
	ud2
	.size ebt_outlive_first_thread, . - ebt_outlive_first_thread

	.section .note.GNU-stack,"",@progbits
