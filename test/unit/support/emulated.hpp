// SPDX-License-Identifier: MIT
#pragma once
#include <filesystem>
#include <string>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

/// Is this run by an emulator of the processor, such as qemu-aarch64? It is the program that others find at
/// /proc/PID/exe, it has neither bpf(2) nor filters of seccomp(2), and takes signals and memory of its own.
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

/// Of a test that needs what the emulator lacks.
#define SKIP_EMULATED(what)                                                                                  \
    if (is_emulated())                                                                                       \
    GTEST_SKIP() << "the emulator of this processor has no " what
