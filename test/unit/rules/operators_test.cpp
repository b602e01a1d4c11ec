// SPDX-License-Identifier: MIT
// Orders that include the value, and sets.
#include "test/unit/rules/support.hpp"

namespace {

using namespace rules_test;

const ebt_plan& plan_of(const ebpf_loader::Selection& selection, std::string_view name) {
    return selection.plans().at(ebpf_loader::row_of(call(name)));
}

bool wants_a1(const std::string& comparison, uint64_t value) {
    return wants("lseek a1 " + comparison, "lseek", {0, value});
}

TEST(RulesOperators, OrdersThatIncludeTheValue) {
    EXPECT_TRUE(wants_a1(">= 5", 5));
    EXPECT_TRUE(wants_a1(">=5", 6));
    EXPECT_FALSE(wants_a1(">= 5", 4));
    EXPECT_TRUE(wants_a1("<= 5", 5));
    EXPECT_TRUE(wants_a1("<=5", 4));
    EXPECT_FALSE(wants_a1("<= 5", 6));
    EXPECT_FALSE(wants_a1("<= 5", UINT64_MAX)) << "unsigned";
    EXPECT_TRUE(wants_a1("<= s5", UINT64_MAX));
    EXPECT_TRUE(wants_a1(">= -5", static_cast<uint64_t>(-5)));
    EXPECT_FALSE(wants_a1(">= -5", static_cast<uint64_t>(-6)));
    EXPECT_TRUE(wants("read ret >= 0", with([](Event& e) { e.ret = 0; })));
    EXPECT_FALSE(wants("read ret >= 0", with([](Event& e) { e.ret = -1; })));
    EXPECT_TRUE(wants("read ret <= -EPERM", with([](Event& e) { e.ret = -1; })));
    EXPECT_FALSE(wants("read ret <= -EPERM", with([](Event& e) { e.ret = 0; })));
}

/// Where the value is the least or the greatest there is.
TEST(RulesOperators, OrdersAtTheEndsOfTheRange) {
    for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 63, UINT64_MAX, UINT64_MAX >> 1}) {
        EXPECT_TRUE(wants_a1(">= 0", value)) << value;
        EXPECT_TRUE(wants_a1("<= 0xffffffffffffffff", value)) << value;
        EXPECT_TRUE(wants_a1(">= s0x8000000000000000", value)) << value;
        EXPECT_TRUE(wants_a1("<= s0x7fffffffffffffff", value)) << value;
        EXPECT_EQ(wants_a1("<= 0", value), value == 0) << value;
        EXPECT_EQ(wants_a1(">= 0xffffffffffffffff", value), value == UINT64_MAX) << value;
    }
    for (const uint32_t value : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
        const auto wants_a0 = [&](const std::string& comparison) {
            return wants("read a0 " + comparison, "read", {uint64_t{0xdead00000000} | value});
        };
        EXPECT_TRUE(wants_a0(">= 0")) << value;
        EXPECT_TRUE(wants_a0("<= 4294967295")) << value;
        EXPECT_TRUE(wants_a0(">= -2147483648")) << value;
        EXPECT_TRUE(wants_a0("<= s2147483647")) << value;
        EXPECT_EQ(wants_a0("<= 1"), value <= 1) << value;
        EXPECT_EQ(wants_a0(">= s0"), value < 0x80000000u) << value;
        EXPECT_EQ(wants_a0(">= 4294967295"), value == UINT32_MAX) << value;
    }
}

TEST(RulesOperators, OrdersRunInTheKernel) {
    const Rules rules = parse("openat uid >= 1000 && auid <= 60000 && ret >= 0");
    const auto selection = rules.compile();
    EXPECT_TRUE(rules.kernel_decides(ebpf_loader::row_of(call("openat"))));
    EXPECT_EQ(plan_of(selection, "openat").predicates, 3);
}

TEST(RulesOperators, ASetIsAnyOfItsValues) {
    const std::string users = "read uid in {0, 1000,2000 ,0x10}";
    for (const uint32_t uid : {0u, 1000u, 2000u, 16u})
        EXPECT_TRUE(wants(users, with([&](Event& e) { e.uid = uid; }))) << uid;
    EXPECT_FALSE(wants(users, with([](Event& e) { e.uid = 1; })));
    EXPECT_TRUE(wants("read auid in {unset}", with([](Event& e) { e.auid = UINT32_MAX; })));
    EXPECT_TRUE(wants("read ret in {-EACCES, -EPERM}", with([](Event& e) { e.ret = -1; })));
    EXPECT_FALSE(wants("read ret in {-EACCES, -EPERM}", with([](Event& e) { e.ret = 1; })));
    EXPECT_TRUE(wants("kill sig in {SIGKILL, SIGSTOP}", "kill", {1, 19}));
    EXPECT_TRUE(wants("openat a2 in {(O_WRONLY|O_CREAT), 5}", "openat", {0, 0, 0101}));
    EXPECT_TRUE(wants("openat a0 in {s-100}PV", "openat", {0xffffff9c}));
}

TEST(RulesOperators, ASetOfTexts) {
    Event event = event_of("unlink");
    event.comm = "b,c";
    add_path(event, "/etc/a b");
    EXPECT_TRUE(wants(R"(unlink comm in {a, "b,c"})", event));
    EXPECT_FALSE(wants("unlink comm in {b,c}", event)) << "a comma separates";
    EXPECT_TRUE(wants(R"(unlink path in {/etc/passwd,"/etc/a b"})", event));
    EXPECT_TRUE(wants("unlink path in {\\\n  /etc/passwd, \\\n \"/etc/a b\" \\\n}", event));
    EXPECT_FALSE(wants("unlink path in {/etc/passwd, /etc/a}", event));
    EXPECT_FALSE(wants("unlink path in {/etc/} && comm=x", event)) << "whole texts, not beginnings";
}

TEST(RulesOperators, SetsAreDistributedOverAnd) {
    const std::string text = "unlink uid in {1,2} && path in {/a, /b}\nnot unlink uid in {2} && path in {/b}";
    const auto wanted = [&](uint32_t uid, std::string_view path) {
        Event event = event_of("unlink");
        event.uid = uid;
        add_path(event, path);
        return wants(text, event);
    };
    EXPECT_TRUE(wanted(1, "/a"));
    EXPECT_TRUE(wanted(1, "/b"));
    EXPECT_TRUE(wanted(2, "/a"));
    EXPECT_FALSE(wanted(2, "/b")) << "excluded";
    EXPECT_FALSE(wanted(3, "/a"));
    EXPECT_FALSE(wanted(1, "/c"));
}

TEST(RulesOperators, ASetOfNumbersRunsInTheKernelAsFarAsItFits) {
    const auto row = ebpf_loader::row_of(call("read"));
    std::string set = "read uid in {0";
    for (int i = 1; i < 32; ++i)
        set += ", " + std::to_string(i);
    EXPECT_TRUE(parse(set + "}").kernel_decides(row));
    EXPECT_EQ(plan_of(parse(set + "}").compile(), "read").predicates, 32);
    EXPECT_FALSE(parse(set + ", 32}").kernel_decides(row));
    EXPECT_TRUE(wants(set + ", 32}", with([](Event& e) { e.uid = 32; })));
    EXPECT_FALSE(wants(set + ", 32}", with([](Event& e) { e.uid = 33; })));
}

/// A path that is known in part only may be any of them.
TEST(RulesOperators, ASetMayMatchWhatIsUnknown) {
    Event event = event_of("unlink");
    event.args[0] = 1;
    add_path(event, "", Status::fault);
    EXPECT_TRUE(wants("unlink path in {/a, /b}", event));
    EXPECT_TRUE(wants("unlink\nnot unlink path in {/a, /b}", event));
}

TEST(RulesOperators, ManyTextsCostOneSearch) {
    std::string text;
    for (int line = 0; line < 100; ++line) {
        text += "unlink path in {";
        for (int i = 0; i < 1000; ++i)
            text += (i ? "," : "") + std::string("/d/") + std::to_string(line * 1000 + i);
        text += "}\n";
    }
    const Rules rules = parse(text);
    Event event = event_of("unlink");
    PathField& path = add_path(event, "/d/99999");
    EXPECT_TRUE(rules.matches(event));
    path.bytes = "/d/100000";
    EXPECT_FALSE(rules.matches(event));
}

TEST(RulesOperators, OddOrdersAreWarnedOf) {
    const auto warning = [](const std::string& text) {
        const auto warnings = parse(text).warnings();
        return warnings.empty() ? "" : warnings.front().substr(0, warnings.front().find('\n'));
    };
    EXPECT_EQ(warning("read a1 >= 0"),
              "test.rules:1:6: warning: no value is less than this one: this is always true");
    EXPECT_EQ(warning("read uid <= 4294967295"),
              "test.rules:1:6: warning: no value is greater than this one: this is always true");
    EXPECT_EQ(warning("read uid >= 1"), "");
}

} // namespace
