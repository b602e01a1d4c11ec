// SPDX-License-Identifier: MIT
#include "loader/src/base/tracing/tracefs.hpp"

#include <ebpf_loader/engine.hpp>

#include "test/unit/support/child.hpp"
#include "test/unit/support/emulated.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

namespace ebpf_loader {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Enters a mount namespace in which tracefs is nowhere.
void leave_tracefs() {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/sys", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        throw std::runtime_error("this test needs root");
    for (const char* place : {"/sys/kernel/debug/tracing", "/sys/kernel/debug", "/sys/kernel/tracing"})
        while (umount2(place, MNT_DETACH) == 0)
            ;
}

TEST(Tracefs, IsMountedWhenItIsNot) {
    EXPECT_EQ(in_child([] {
                  leave_tracefs();
                  std::string reported = find_tracefs().value_or("none");
                  reported += " then " + ensure_tracefs();
                  if (access("/sys/kernel/tracing/events/raw_syscalls/sys_exit/id", R_OK) != 0)
                      reported += " which is empty";
                  return reported + " then " + find_tracefs().value_or("none");
              }),
              "none then /sys/kernel/tracing then /sys/kernel/tracing");
}

TEST(Tracefs, IsFoundWhereDebugfsHasIt) {
    const std::string found = in_child([]() -> std::string {
        leave_tracefs();
        if (mount("debugfs", "/sys/kernel/debug", "debugfs", 0, nullptr) != 0)
            return "no debugfs";
        return find_tracefs().value_or("none");
    });
    if (found == "no debugfs")
        GTEST_SKIP() << "this kernel has no debugfs";
    EXPECT_EQ(found, "/sys/kernel/debug/tracing");
}

TEST(Tracefs, TheEngineMountsItForTheTierThatNeedsIt) {
    SKIP_WITHOUT_BPF();
    EXPECT_EQ(in_child([]() -> std::string {
                  leave_tracefs();
                  Selection selection;
                  selection.select(*find_syscall("openat"), {}, true);
                  EngineOptions options;
                  options.tier = Tier::tp;
                  options.self_check = false;
                  return std::string(tier_name(Engine(selection, options).tier()));
              }),
              "tp");
}

TEST(Tracefs, SaysWhatToDoWhenItMayNotMount) {
    EXPECT_THAT(in_child([]() -> std::string {
                    leave_tracefs();
                    drop_privileges();
                    try {
                        return ensure_tracefs();
                    } catch (const Error& error) {
                        return (error.code() == ErrorCode::tracefs ? "tracefs: " : "other: ") +
                               std::string(error.what());
                    }
                }),
                AllOf(HasSubstr("tracefs: "), HasSubstr("mount -t tracefs tracefs /sys/kernel/tracing")));
}

} // namespace
} // namespace ebpf_loader
