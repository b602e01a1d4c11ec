// SPDX-License-Identifier: MIT
#include "test/unit/support/emulated.hpp"

#include <cerrno>
#include <gtest/gtest.h>
#include <seccomp.h>
#include <set>
#include <unistd.h>

#include <ebpf_loader/random.hpp>

using namespace ebpf_loader;

namespace {

/// As early in a boot: without a wait there is nothing to be had, and one with a wait never ends.
bool has_no_entropy() {
    void* const filter = seccomp_init(SCMP_ACT_ALLOW);
    return filter &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAGAIN), SCMP_SYS(getrandom), 1,
                            SCMP_A2(SCMP_CMP_EQ, GRND_NONBLOCK)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(getrandom), 1, SCMP_A2(SCMP_CMP_EQ, 0)) ==
               0 &&
           seccomp_load(filter) == 0;
}

[[noreturn]] void draw_without_entropy() {
    if (!has_no_entropy())
        _exit(2);
    std::set<uint64_t> seen;
    for (int i = 0; i < 100; ++i)
        seen.insert(random_bits());
    _exit(seen.size() == 100 ? 0 : 1);
}

TEST(Random, IsOtherBitsEachTime) {
    std::set<uint64_t> seen;
    for (int i = 0; i < 100; ++i)
        seen.insert(RandomBits()());
    EXPECT_EQ(seen.size(), 100u);
}

TEST(Random, DoesNotWaitForEntropy) {
    SKIP_WITHOUT_SECCOMP();
    EXPECT_EXIT(draw_without_entropy(), testing::ExitedWithCode(0), "");
}

} // namespace
