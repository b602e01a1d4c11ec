// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <linux/io_uring.h>

#include <ebpf_loader/syscalls.hpp>

#include "loader/src/tables/io_uring_operations.hpp"

namespace ebpf_loader {
namespace {

TEST(IoUringOperations, AreLikeCallsOfTheTable) {
    for (const IoUringOperation& operation : io_uring_operations()) {
        const SyscallRow* call = find_syscall(operation.call);
        ASSERT_TRUE(call) << operation.call;
        EXPECT_GE(call->number[EBT_X86_64], 0) << operation.call;
        EXPECT_TRUE(!operation.is_reported || call->witness)
            << operation.call << ": what is witnessed of it?";
    }
}

bool is_like(int opcode, std::string_view call) {
    for (const IoUringOperation& operation : io_uring_operations())
        if (operation.opcode == opcode && operation.call == call)
            return true;
    return false;
}

TEST(IoUringOperations, HaveTheKernelsNumbers) {
    EXPECT_TRUE(is_like(IORING_OP_READV, "readv"));
    EXPECT_TRUE(is_like(IORING_OP_WRITEV, "pwritev2"));
    EXPECT_TRUE(is_like(IORING_OP_FSYNC, "fsync"));
    EXPECT_TRUE(is_like(IORING_OP_READ_FIXED, "read"));
    EXPECT_TRUE(is_like(IORING_OP_WRITE_FIXED, "write"));
    EXPECT_TRUE(is_like(IORING_OP_POLL_ADD, "poll"));
    EXPECT_TRUE(is_like(IORING_OP_SYNC_FILE_RANGE, "sync_file_range"));
    EXPECT_TRUE(is_like(IORING_OP_SENDMSG, "sendmsg"));
    EXPECT_TRUE(is_like(IORING_OP_RECVMSG, "recvmsg"));
    EXPECT_TRUE(is_like(IORING_OP_ACCEPT, "accept4"));
    EXPECT_TRUE(is_like(IORING_OP_CONNECT, "connect"));
    EXPECT_TRUE(is_like(IORING_OP_FALLOCATE, "fallocate"));
    EXPECT_TRUE(is_like(IORING_OP_OPENAT, "openat"));
    EXPECT_TRUE(is_like(IORING_OP_CLOSE, "close"));
    EXPECT_TRUE(is_like(IORING_OP_STATX, "statx"));
    EXPECT_TRUE(is_like(IORING_OP_READ, "read"));
    EXPECT_TRUE(is_like(IORING_OP_WRITE, "write"));
    EXPECT_TRUE(is_like(IORING_OP_FADVISE, "fadvise64"));
    EXPECT_TRUE(is_like(IORING_OP_MADVISE, "madvise"));
    EXPECT_TRUE(is_like(IORING_OP_SEND, "sendto"));
    EXPECT_TRUE(is_like(IORING_OP_RECV, "recvfrom"));
    EXPECT_TRUE(is_like(IORING_OP_OPENAT2, "openat2"));
    EXPECT_TRUE(is_like(IORING_OP_EPOLL_CTL, "epoll_ctl"));
    EXPECT_TRUE(is_like(IORING_OP_SPLICE, "splice"));
    EXPECT_TRUE(is_like(IORING_OP_TEE, "tee"));
    EXPECT_TRUE(is_like(IORING_OP_SHUTDOWN, "shutdown"));
    EXPECT_TRUE(is_like(IORING_OP_RENAMEAT, "renameat2"));
    EXPECT_TRUE(is_like(IORING_OP_UNLINKAT, "unlinkat"));
    EXPECT_TRUE(is_like(IORING_OP_MKDIRAT, "mkdirat"));
    EXPECT_TRUE(is_like(IORING_OP_SYMLINKAT, "symlinkat"));
    EXPECT_TRUE(is_like(IORING_OP_LINKAT, "linkat"));
    EXPECT_TRUE(is_like(IORING_OP_FSETXATTR, "fsetxattr"));
    EXPECT_TRUE(is_like(IORING_OP_SETXATTR, "setxattr"));
    EXPECT_TRUE(is_like(IORING_OP_FGETXATTR, "fgetxattr"));
    EXPECT_TRUE(is_like(IORING_OP_GETXATTR, "getxattr"));
    EXPECT_TRUE(is_like(IORING_OP_SOCKET, "socket"));
    EXPECT_TRUE(is_like(IORING_OP_SEND_ZC, "sendto"));
}

} // namespace
} // namespace ebpf_loader
