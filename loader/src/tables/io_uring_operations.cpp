// SPDX-License-Identifier: LGPL-2.1
// The numbers are those of linux/io_uring.h, which never change; Linux 6.18 has none beyond these.
#include "loader/src/tables/io_uring_operations.hpp"

namespace ebpf_loader {

std::span<const IoUringOperation> io_uring_operations() {
    static constexpr IoUringOperation operations[] = {
        {1, "readv", false},       {1, "preadv", false},       {1, "preadv2", false},
        {2, "writev", false},      {2, "pwritev", false},      {2, "pwritev2", false},
        {3, "fsync", false},       {3, "fdatasync", false},    {4, "read", false},
        {4, "pread64", false},     {5, "write", false},        {5, "pwrite64", false},
        {6, "poll", false},        {6, "ppoll", false},        {8, "sync_file_range", false},
        {9, "sendmsg", true},      {9, "sendto", true},        {10, "recvmsg", false},
        {13, "accept", false},     {13, "accept4", false},     {16, "connect", true},
        {17, "fallocate", false},  {18, "openat", true},       {18, "openat2", true},
        {19, "close", false},      {21, "statx", false},       {22, "read", false},
        {22, "pread64", false},    {23, "write", false},       {23, "pwrite64", false},
        {24, "fadvise64", false},  {25, "madvise", false},     {26, "sendto", true},
        {26, "sendmsg", true},     {27, "recvfrom", false},    {28, "openat", true},
        {28, "openat2", true},     {29, "epoll_ctl", false},   {30, "splice", false},
        {33, "tee", false},        {34, "shutdown", false},    {35, "renameat2", true},
        {36, "unlinkat", true},    {37, "mkdirat", true},      {38, "symlinkat", true},
        {39, "linkat", true},      {41, "fsetxattr", false},   {42, "setxattr", false},
        {43, "fgetxattr", false},  {44, "getxattr", false},    {45, "socket", false},
        {47, "sendto", true},      {47, "sendmsg", true},      {48, "sendmsg", true},
        {48, "sendto", true},      {49, "read", false},        {50, "waitid", false},
        {51, "futex", false},      {51, "futex_wait", false},  {52, "futex", false},
        {52, "futex_wake", false}, {53, "futex_waitv", false}, {55, "ftruncate", false},
        {56, "bind", true},        {57, "listen", false},      {58, "recvfrom", false},
        {59, "epoll_wait", false}, {59, "epoll_pwait", false}, {60, "readv", false},
        {61, "writev", false},     {62, "pipe2", false},
    };
    return operations;
}

} // namespace ebpf_loader
