// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "telemetry/reload/rules_in_force.hpp"

namespace {

using namespace telemetry;

Event call_of(std::string_view name) {
    Event event;
    event.kind = EBT_SYSCALL;
    event.call = ebpf_loader::find_syscall(name);
    event.row = ebpf_loader::row_of(*event.call);
    event.missing = 0;
    return event;
}

TEST(RulesInForce, EachEventIsJudgedByThoseOfItsTime) {
    RulesInForce rules(Rules::parse("getppid key old\ngetuid\n", "a"));
    const Event both = call_of("getppid"), old_only = call_of("getuid"), new_only = call_of("getgid");
    EXPECT_TRUE(rules.want(both, 1));
    rules.begin_change();
    EXPECT_FALSE(rules.want(new_only, 5)) << "the kernel lets it through already";
    rules.change(Rules::parse("getppid key new\ngetgid\n", "b", &rules.current()), 10);
    EXPECT_EQ(rules.key(both, 9), "old");
    EXPECT_EQ(rules.key(both, 10), "new");
    EXPECT_TRUE(rules.want(both, 9) && rules.want(both, 10));
    EXPECT_TRUE(rules.want(old_only, 9));
    EXPECT_FALSE(rules.want(old_only, 10));
    EXPECT_FALSE(rules.want(new_only, 9));
    EXPECT_TRUE(rules.want(new_only, 10));
    rules.settle(20);
    EXPECT_FALSE(rules.want(old_only, 19)) << "it may have been let through before the kernel knew";
    EXPECT_TRUE(rules.want(new_only, 20));
}

} // namespace
