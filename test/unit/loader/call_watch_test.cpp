// SPDX-License-Identifier: MIT
#include "loader/src/engine/call_watch.hpp"
#include "test/unit/support/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace ebpf_loader;

namespace {

/// A /proc in which the caller is process 100.
class Supervised : public testing::Test {
  protected:
    Supervised() {
        std::filesystem::create_symlink("100", proc.path() + "/self");
        add(100, 1, "S (sleeping)", 2, 0);
        add(1, 0, "S (sleeping)", 0, 0);
    }
    void add(int pid, int parent, const std::string& state, int seccomp, int tracer) {
        const std::string folder = proc.path() + "/" + std::to_string(pid);
        std::filesystem::create_directory(folder);
        std::ofstream(folder + "/status")
            << "Name:\tx\nUmask:\t0022\nState:\t" << state << "\nTgid:\t" << pid << "\nPid:\t" << pid
            << "\nPPid:\t" << parent << "\nTracerPid:\t" << tracer << "\nNoNewPrivs:\t1\nSeccomp:\t"
            << seccomp << "\nSeccomp_filters:\t1\n";
    }
    bool is_anyone() const { return is_anyone_supervised(proc.path()); }

    TemporaryFolder proc;
};

TEST_F(Supervised, NobodyIs) {
    EXPECT_FALSE(is_anyone());
}

TEST_F(Supervised, FilterAndTracerCount) {
    add(7, 1, "S (sleeping)", 2, 0);
    EXPECT_TRUE(is_anyone());
    add(7, 1, "S (sleeping)", 0, 0);
    EXPECT_FALSE(is_anyone());
    add(7, 1, "t (tracing stop)", 0, 1);
    EXPECT_TRUE(is_anyone());
}

TEST_F(Supervised, ChildrenOfTheCallerDoNotCount) {
    add(101, 100, "S (sleeping)", 2, 0);
    EXPECT_FALSE(is_anyone());
    add(102, 101, "S (sleeping)", 2, 0);
    EXPECT_TRUE(is_anyone());
}

TEST_F(Supervised, ThoseThatHaveEndedDoNotCount) {
    add(7, 1, "Z (zombie)", 2, 0);
    EXPECT_FALSE(is_anyone());
}

} // namespace
