/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers of the kernel's interface, the same on every kernel and architecture. */
#ifndef EBT_BASE_UAPI_H
#define EBT_BASE_UAPI_H

#define ENOENT 2
#define EINTR 4
#define ENOSPC 28
#define ENOSYS 38
#define EOPNOTSUPP 95
#define EINPROGRESS 115

/* The kernel's own codes for calls that a signal interrupted lie between these two. */
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define AT_FDCWD -100
#define AT_REMOVEDIR 0x200
#define AT_EXECVE_CHECK 0x10000
#define FMODE_CREATED 0x100000 /* of file.f_mode, from Linux 4.19 */
#define CLONE_VFORK 0x4000
#define SIGNAL_GROUP_EXIT 4 /* of signal_struct.flags */

#define NSFS_MAGIC 0x6e736673
#define PROC_SUPER_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
#define CGROUP_SUPER_MAGIC 0x27e0eb
#define CGROUP2_SUPER_MAGIC 0x63677270
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCKADDR_MAX 128 /* sizeof(struct sockaddr_storage) */
#define TCP_SYN_SENT 2
#define MSG_PEEK 0x2
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000
#define MSG_FASTOPEN 0x20000000

/* In every ABI. */
#define NR_IO_URING_ENTER 426
#define NR_CLONE3 435

#endif
