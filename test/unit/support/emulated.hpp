// SPDX-License-Identifier: MIT
// What an emulator of the processor, such as qemu-aarch64, does not do as a kernel does. Each thing is tried.
#pragma once
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <elf.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <ebpf_loader/unique_fd.hpp>

/// Is this run by an emulator? It is the program that others find at /proc/PID/exe.
inline bool is_emulated() {
    static const bool is = [] {
        std::error_code error;
        const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
        const std::string by_id = "/proc/" + std::to_string(getpid()) + "/exe";
        const pid_t child = fork();
        if (child == 0)
            _exit(std::filesystem::read_symlink(by_id, error) == own ? 0 : 1);
        int status = 0;
        return waitpid(child, &status, 0) == child && status != 0;
    }();
    return is;
}

namespace emulated {

/// A kernel that has them looks for the filter there.
inline bool has_seccomp_filters() {
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr, 0, 0) == -1 && errno == EFAULT;
}

inline bool has_bpf() {
    return syscall(SYS_bpf, 0, nullptr, 0) != -1 || errno != ENOSYS;
}

inline bool has_openat2() {
    open_how how = {};
    how.flags = O_PATH | O_CLOEXEC;
    const ebpf_loader::UniqueFd root(
        static_cast<int>(syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how))));
    return root || errno != ENOSYS;
}

/// Does a limit of a process's memory hold?
inline bool has_memory_limit() {
    const pid_t child = fork();
    if (child == 0) {
        const rlimit limit = {1 << 20, 1 << 20};
        setrlimit(RLIMIT_AS, &limit);
        _exit(mmap(nullptr, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 0 : 1);
    }
    int status = -1;
    return waitpid(child, &status, 0) == child && status == 0;
}

/// Does the kernel deny to write to the file that is said to be executed?
inline bool has_busy_executable() {
    return !ebpf_loader::UniqueFd(open("/proc/self/exe", O_WRONLY | O_CLOEXEC)) && errno == ETXTBSY;
}

/// Does /proc say of code that it may be executed? By this name no emulator makes the file up.
inline bool has_executable_maps() {
    const ebpf_loader::UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    void* const mapped = mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
    if (mapped == MAP_FAILED)
        return false;
    std::ifstream maps("/proc/thread-self/maps");
    bool is_found = false;
    for (std::string line; !is_found && std::getline(maps, line);) {
        unsigned long begin = 0;
        char rights[5] = "";
        is_found = std::sscanf(line.c_str(), "%lx-%*x %4s", &begin, rights) == 2 &&
                   begin == reinterpret_cast<uintptr_t>(mapped) && rights[2] == 'x';
    }
    munmap(mapped, 1);
    return is_found;
}

inline unsigned machine_of(const char* program) {
    Elf64_Ehdr header = {};
    std::ifstream(program, std::ios::binary).read(reinterpret_cast<char*>(&header), sizeof(header));
    return header.e_machine;
}

/// Are the machine's programs of the processor that this one is for?
inline bool has_own_programs() {
    return machine_of("/bin/true") == machine_of("/proc/self/exe");
}

} // namespace emulated

/// Of a test that needs what an emulator lacks: skipped where the program is emulated and the thing is not
/// there.
#define SKIP_EMULATED_WITHOUT(thing, what)                                                                   \
    if (is_emulated() && !emulated::has_##thing())                                                           \
    GTEST_SKIP() << "the emulator of this processor has no " what

#define SKIP_WITHOUT_SECCOMP() SKIP_EMULATED_WITHOUT(seccomp_filters, "filters of seccomp(2)")
#define SKIP_WITHOUT_BPF() SKIP_EMULATED_WITHOUT(bpf, "bpf(2)")
#define SKIP_WITHOUT_MEMORY_LIMIT() SKIP_EMULATED_WITHOUT(memory_limit, "limit of memory (RLIMIT_AS)")
#define SKIP_WITHOUT_EXECUTABLE_MAPS()                                                                       \
    SKIP_EMULATED_WITHOUT(executable_maps, "executable mappings in /proc/PID/maps")
#define SKIP_WITHOUT_OWN_PROGRAMS() SKIP_EMULATED_WITHOUT(own_programs, "programs of its own in /bin")
