// SPDX-License-Identifier: MIT
// Memory that is code.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kernel_test {

namespace {

constexpr int all = PROT_READ | PROT_WRITE | PROT_EXEC;

void mmap_(Process& p) {
    p.call({"mmap", SYS_mmap}, 0, 4096, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0).succeeds().no_file(4);
    const int file = p.make_file("code");
    p.call({"mmap", SYS_mmap}, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0)
        .succeeds()
        .file(4, file, p.at("code"));
    p.call({"mmap", SYS_mmap}, 0, 0, all, MAP_PRIVATE, file, 0).fails(EINVAL).file(4, file, p.at("code"));
    p.call({"mmap", SYS_mmap}, 0, 4096, all, MAP_PRIVATE, 500, 0).fails(EBADF).no_file(4);
}

void mprotect_(Process& p) {
    const long memory = p.call({"mmap", SYS_mmap}, 0, 8192, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                            .succeeds()
                            .no_file(4)
                            .ret();
    p.call({"mprotect", SYS_mprotect}, memory, 4096, PROT_READ | PROT_EXEC).succeeds();
    p.call({"mprotect", SYS_mprotect}, memory + 1, 4096, PROT_EXEC).fails(EINVAL);
    p.call({"pkey_mprotect", SYS_pkey_mprotect}, memory, 4096, all, -1).succeeds();
    p.call({"pkey_mprotect", SYS_pkey_mprotect}, memory, 4096, all, 12345).fails(EINVAL);
}

void remap_file_pages_(Process& p) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void* const shared = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    p.call({"remap_file_pages", SYS_remap_file_pages}, shared, page, 0, 1, 0).succeeds();
    p.call({"remap_file_pages", SYS_remap_file_pages}, shared, page, PROT_EXEC, 1, 0).fails(EINVAL);
}

#ifdef SYS_uselib
void uselib_(Process& p) {
    p.call({"uselib", SYS_uselib}, "/no/such").fails(ENOENT).named(0, "/no/such");
}
#endif

void userfaultfd_(Process& p) {
    p.call({"userfaultfd", SYS_userfaultfd}, O_CLOEXEC).may_fail();
    p.call({"userfaultfd", SYS_userfaultfd}, 0x7fff0000).fails(EINVAL);
}

} // namespace

Cases memory_cases() {
    return {
        {"mmap", mmap_},
        {"mprotect", mprotect_},
        {"remap_file_pages", remap_file_pages_},
#ifdef SYS_uselib
        {"uselib", uselib_},
#endif
        {"userfaultfd", userfaultfd_},
    };
}

} // namespace kernel_test
