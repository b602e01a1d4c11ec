// SPDX-License-Identifier: MIT
// Groups of calls.
#include "telemetry/rules/terms/groups.hpp"

#include <fcntl.h>

#include "test/unit/rules/support.hpp"

namespace {

using namespace rules_test;

bool selects(const std::string& text, std::string_view name, std::array<uint64_t, EBT_ARGS> args = {}) {
    return wants(text, name, args);
}

TEST(RulesGroups, EveryNameIsACallsOfTheTable) {
    for (const auto& group : rules::groups())
        for (const std::string_view call : group.calls)
            EXPECT_NE(ebpf_loader::find_syscall(call), nullptr) << group.name << ' ' << call;
}

TEST(RulesGroups, TheirCallsAndNoOthers) {
    EXPECT_TRUE(selects("@write", "rename"));
    EXPECT_TRUE(selects("@write", "creat"));
    EXPECT_FALSE(selects("@write", "chmod"));
    EXPECT_FALSE(selects("@write", "write")) << "of a descriptor";
    EXPECT_TRUE(selects("@attr", "fsetxattr"));
    EXPECT_TRUE(selects("@attr", "linkat"));
    EXPECT_FALSE(selects("@attr", "rename"));
    EXPECT_TRUE(selects("@read", "getxattr"));
    EXPECT_FALSE(selects("@read", "read"));
    EXPECT_TRUE(selects("@exec", "execveat"));
    EXPECT_FALSE(selects("@exec", "openat"));
}

TEST(RulesGroups, OpensByTheirAccessMode) {
    const uint64_t others = O_CREAT | O_CLOEXEC | 0xdead00000000;
    for (const uint64_t mode : {0, 1, 2, 3}) {
        EXPECT_EQ(selects("@write", "openat", {0, 0, mode | others}), mode != 0) << mode;
        EXPECT_EQ(selects("@read", "openat", {0, 0, mode | others}), mode != 1) << mode;
        EXPECT_EQ(selects("@write", "open", {0, mode | others}), mode != 0) << mode;
        EXPECT_EQ(selects("@read uid=0", "open", {0, mode | others}), mode != 1) << mode;
    }
    EXPECT_TRUE(selects("@read", "openat2"));
    EXPECT_TRUE(selects("@write", "openat2"));
    EXPECT_FALSE(selects("@attr", "openat2"));
}

TEST(RulesGroups, OpensAreDecidedInTheKernel) {
    const Rules rules = parse("@read uid=0\n@write uid=1");
    const uint16_t row = ebpf_loader::row_of(call("openat"));
    EXPECT_TRUE(rules.kernel_decides(row));
    EXPECT_EQ(rules.compile().plans().at(row).predicates, 4);
}

TEST(RulesGroups, ExcludeTheirCalls) {
    const std::string text = "all\nnot @write path ^ /tmp/\nnot @read";
    Event event = event_of("openat");
    event.args[2] = O_WRONLY;
    add_path(event, "/tmp/x");
    EXPECT_FALSE(wants(text, event));
    event.path[0].bytes = "/etc/x";
    EXPECT_TRUE(wants(text, event));
    event.args[2] = O_RDONLY;
    EXPECT_FALSE(wants(text, event));
    EXPECT_TRUE(wants(text, event_of("read")));
}

TEST(RulesGroups, ClausesCountForTheCallsThatHaveThem) {
    Event event = event_of("fchmod");
    add_path(event, "/etc/x");
    EXPECT_TRUE(wants("@attr path ^ /etc/ key etc", event));
    EXPECT_EQ(parse("@attr path ^ /etc/ key etc").key(event), "etc");
    EXPECT_TRUE(wants("@attr mode & 0111", "fchmod", {0, 0755}));
    EXPECT_FALSE(wants("@attr mode & 0111", "fchown", {0, 0755}));
}

TEST(RulesGroups, KeysOfOpensAreThoseOfTheirGroup) {
    const Rules rules = parse("@write key w\n@read key r");
    Event event = event_of("openat");
    event.args[2] = O_RDONLY;
    EXPECT_EQ(rules.key(event), "r");
    event.args[2] = O_RDWR;
    EXPECT_EQ(rules.key(event), "w");
}

} // namespace
