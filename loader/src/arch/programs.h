/* SPDX-License-Identifier: LGPL-2.1 */
/* What C++ and the assembler text of an architecture (programs.S) share. */
#pragma once

/* Descriptors of the program that executes itself; they survive its executions. */
#define EBT_ORDERS_FD 200
#define EBT_NEWS_FD 201
#define EBT_PROGRAM_FD 202

/* Exit statuses of the self-check's children, which nothing else ends with. */
#define EBT_EXECUTED_STATUS 9
#define EBT_FIRST_THREAD_STATUS 5
#define EBT_BOTH_STATUS 37
#define EBT_NATIVE_ONLY_STATUS 38

/* struct LastThread */
#define EBT_LAST_THREAD_ARGS 0
#define EBT_LAST_THREAD_FIRST_ALIVE 48
#define EBT_LAST_THREAD_STACK_END 56

/* Of headers that the assembler cannot read; machine.hpp checks them. */
#define EBT_THREAD_FLAGS 0x00050f00 /* CLONE_{VM,FS,FILES,SIGHAND,THREAD,SYSVSEM} */
#define EBT_FUTEX_WAIT 0
#define EBT_AT_EMPTY_PATH 0x1000
