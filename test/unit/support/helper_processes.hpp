// SPDX-License-Identifier: MIT
// The processes of a helper, as /proc shows them.
#pragma once
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/types.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// The child that the process has started last; -1 if it has no child.
inline pid_t child_of(pid_t parent) {
    const std::string pid = std::to_string(parent);
    std::ifstream file("/proc/" + pid + "/task/" + pid + "/children");
    pid_t child = -1;
    while (file >> child) {
    }
    return child;
}

/// What /proc says of the process.
inline std::string status_of_process(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Its system calls are.
inline void expect_filtered(pid_t pid) {
    EXPECT_THAT(status_of_process(pid), testing::HasSubstr("Seccomp:\t2\n"));
}

/// Checks what every helper and keeper lacks, but for system calls; returns the process's status, for further
/// checks.
inline std::string status_without_rights(pid_t pid, std::string_view name) {
    using testing::HasSubstr;
    std::string status = status_of_process(pid);
    EXPECT_THAT(status, HasSubstr("Name:\t" + std::string(name) + "\n"));
    EXPECT_THAT(status, HasSubstr("CapPrm:\t0000000000000000\n"));
    EXPECT_THAT(status, HasSubstr("CapEff:\t0000000000000000\n"));
    EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
    return status;
}
