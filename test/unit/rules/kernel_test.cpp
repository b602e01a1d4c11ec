// SPDX-License-Identifier: MIT
// How rules are divided between the kernel and the program, and what else a Rules offers.
#include "test/unit/rules/support.hpp"

#include <csignal>
#include <fstream>
#include <linux/bpf.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "test/unit/support/temporary_folder.hpp"

namespace {

using namespace rules_test;

const ebt_plan& plan_of(const ebpf_loader::Selection& selection, std::string_view name) {
    return selection.plans().at(ebpf_loader::row_of(call(name)));
}

TEST(RulesKernel, NumericPartsOfTextClausesRunInTheKernel) {
    const auto selection =
        parse("let s = path ^ /a/ path ^ /b/ path ^ /c/\nopenat flags | O_WRONLY && $s").compile();
    const ebt_plan& plan = plan_of(selection, "openat");
    ASSERT_EQ(plan.predicates, 1) << "the same for all three paths";
    EXPECT_EQ(plan.flags & EBT_INCLUDE_ALL, 0);
    EXPECT_EQ(plan.predicate[0].value, EBT_VALUE_ARG0 + 2);
    EXPECT_EQ(plan.predicate[0].operator_, EBT_ANY_BITS);
    EXPECT_EQ(plan.predicate[0].shift, 32);
    EXPECT_EQ(plan.predicate[0].operand, uint64_t{1} << 32);
    EXPECT_EQ(plan.predicate[0].flags, EBT_CLAUSE_END);
}

TEST(RulesKernel, ATextClauseWithoutNumbersPassesTheKernel) {
    const auto selection = parse("openat flags | O_WRONLY path ^ /etc/").compile();
    EXPECT_EQ(plan_of(selection, "openat").predicates, 0);
    EXPECT_TRUE(plan_of(selection, "openat").flags & EBT_INCLUDE_ALL);
}

TEST(RulesKernel, ClausesThatAnotherOneImpliesCostNothing) {
    const Rules rules = parse("kill a1=9 a1=9 && a0=1 a1=9\nkill a0=1 && a1=9 && uid=0");
    EXPECT_EQ(plan_of(rules.compile(), "kill").predicates, 1);
    EXPECT_TRUE(rules.kernel_decides(ebpf_loader::row_of(call("kill"))));
}

TEST(RulesKernel, ExcludingClausesComeFirst) {
    const auto selection = parse("kill a1=9 && a0=1\nnot kill uid=0 && euid=0").compile();
    const ebt_plan& plan = plan_of(selection, "kill");
    ASSERT_EQ(plan.predicates, 4);
    EXPECT_EQ(plan.predicate[0].flags, 0);
    EXPECT_EQ(plan.predicate[1].flags, EBT_CLAUSE_END | EBT_EXCLUDE);
    EXPECT_EQ(plan.predicate[2].flags, 0);
    EXPECT_EQ(plan.predicate[3].flags, EBT_CLAUSE_END);
}

TEST(RulesKernel, SignedComparisonsAreMarked) {
    const auto selection = parse("read ret < 5 && a0 < s5 && a0 = s5 && a1 < 5").compile();
    const ebt_plan& plan = plan_of(selection, "read");
    ASSERT_EQ(plan.predicates, 4);
    int signs = 0;
    for (int i = 0; i < 4; ++i) {
        const ebt_predicate& p = plan.predicate[i];
        const bool is_signed = p.flags & EBT_SIGNED;
        signs += is_signed;
        if (is_signed) {
            EXPECT_EQ(p.operator_, EBT_LT);
        }
    }
    EXPECT_EQ(signs, 2);
}

std::string many(const std::string& head, const std::string& field, int count) {
    std::string text = head;
    for (int i = 1; i <= count; ++i)
        text += ' ' + field + '=' + std::to_string(i);
    return text + '\n';
}

TEST(RulesKernel, AsManyComparisonsAsThePlanHolds) {
    const Rules rules = parse(many("kill", "a0", EBT_PREDICATES));
    EXPECT_EQ(plan_of(rules.compile(), "kill").predicates, EBT_PREDICATES);
    EXPECT_TRUE(rules.kernel_decides(ebpf_loader::row_of(call("kill"))));
}

TEST(RulesKernel, OneMoreAndTheKernelPassesEverything) {
    const std::string text = many("kill", "a0", EBT_PREDICATES + 1);
    const Rules rules = parse(text);
    EXPECT_EQ(plan_of(rules.compile(), "kill").predicates, 0);
    EXPECT_TRUE(plan_of(rules.compile(), "kill").flags & EBT_INCLUDE_ALL);
    EXPECT_FALSE(rules.kernel_decides(ebpf_loader::row_of(call("kill"))));
    EXPECT_TRUE(wants(text, "kill", {EBT_PREDICATES + 1}));
    EXPECT_FALSE(wants(text, "kill", {EBT_PREDICATES + 2}));
}

TEST(RulesKernel, ExcludingClausesFillTheRestOfThePlan) {
    const std::string text = many("kill", "a0", EBT_PREDICATES - 3) + many("not kill", "uid", 9);
    const Rules rules = parse(text);
    EXPECT_EQ(plan_of(rules.compile(), "kill").predicates, EBT_PREDICATES);
    EXPECT_FALSE(rules.kernel_decides(ebpf_loader::row_of(call("kill"))));
    for (uint32_t uid = 0; uid < 12; ++uid)
        EXPECT_EQ(wants(text, with(
                                  [&](Event& e) {
                                      e.args[0] = 2;
                                      e.uid = uid;
                                  },
                                  "kill")),
                  uid == 0 || uid > 9);
    EXPECT_TRUE(parse(many("kill", "a0", EBT_PREDICATES + 1) + many("not kill", "uid", 9))
                    .compile()
                    .plans()
                    .at(ebpf_loader::row_of(call("kill")))
                    .predicates == 9);
}

TEST(RulesKernel, KernelDecidesOnlyWhatIsWhollyNumeric) {
    const uint16_t row = ebpf_loader::row_of(call("openat"));
    EXPECT_TRUE(parse("openat").kernel_decides(row));
    EXPECT_TRUE(parse("openat a0=1\nnot openat uid=0").kernel_decides(row));
    EXPECT_FALSE(parse("openat P").kernel_decides(row));
    EXPECT_FALSE(parse("openat a0=1V").kernel_decides(row));
    EXPECT_FALSE(parse("openat path=/x").kernel_decides(row));
    EXPECT_FALSE(parse("openat\nnot openat comm=x").kernel_decides(row));
    EXPECT_TRUE(parse("openat\nopenat path=/x").kernel_decides(row));
    EXPECT_FALSE(parse("read").kernel_decides(row));
    EXPECT_FALSE(parse("read").kernel_decides(UINT16_MAX));
}

TEST(RulesKernel, EventsWithRowsBeyondAllTables) {
    Event event = event_of("read");
    event.row = UINT16_MAX;
    EXPECT_FALSE(parse("all").matches(event));
    event.row = EBT_ROW_NONE;
    EXPECT_FALSE(parse("all").matches(event));
}

TEST(RulesKernel, EmptyRulesSelectNothing) {
    EXPECT_TRUE(Rules().compile().empty());
    EXPECT_FALSE(Rules().matches(event_of("read")));
    EXPECT_EQ(Rules().size(), 0u);
}

// --- warnings

std::vector<std::string> warnings(const std::string& text) {
    std::vector<std::string> result;
    const Rules rules = parse(text);
    for (const std::string& warning : rules.warnings())
        result.push_back(warning.substr(0, warning.find('\n')));
    return result;
}

TEST(RulesKernel, WarningsTellWhatIsHardlyMeant) {
    using Lines = std::vector<std::string>;
    EXPECT_EQ(warnings("read a0<0"),
              Lines{"test.rules:1:6: warning: nothing is less than 0 unsigned; for a signed "
                    "comparison write s0"});
    EXPECT_EQ(warnings("read a0 > 0xffffffff"),
              Lines{"test.rules:1:6: warning: nothing is greater than this value unsigned"});
    EXPECT_EQ(warnings("read a0 | 0"),
              Lines{"test.rules:1:6: warning: no value has a bit of 0 set: this is never true"});
    EXPECT_EQ(warnings("read a0 & 0"),
              Lines{"test.rules:1:6: warning: every value has all bits of 0 set: this is always true"});
    EXPECT_EQ(warnings("read ret = ENOENT"),
              Lines{"test.rules:1:6: warning: a call returns its error as a negative "
                    "number: write -ENOENT"});
    EXPECT_EQ(warnings("read\nnot write a0=1"),
              Lines{"test.rules:2:5: warning: no line selects write: there is nothing to exclude"});
    EXPECT_EQ(warnings("# nothing"), Lines{"test.rules:1:1: warning: the rules select no event at all"});
    EXPECT_EQ(warnings("read\nnot read"), Lines{"test.rules:1:1: warning: the rules select no event at all"});
    EXPECT_EQ(warnings("read a0 < s0\nread a0 > 0xfffffffe\nread ret = -ENOENT\nnot all uid=0\nall"),
              Lines{});
}

// --- files

TEST(RulesKernel, BuiltInRulesAreTheDefaultFile) {
    std::ifstream file(SOURCE_DIR "/rules/syscalls.rules");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    ASSERT_FALSE(text.empty());
    EXPECT_EQ(Rules::built_in(), text);
}

TEST(RulesKernel, BuiltInRulesAreSound) {
    const Rules rules = Rules::parse(Rules::built_in(), "built-in rules");
    EXPECT_EQ(rules.warnings(), std::vector<std::string>{});
    EXPECT_TRUE(rules.matches(event_of("execve")));
    EXPECT_FALSE(rules.matches(event_of("getpid")));
    Event event = event_of("openat");
    add_path(event, "/etc/passwd");
    EXPECT_FALSE(rules.matches(event)) << "only read";
    event.args[2] = 1;
    EXPECT_TRUE(rules.matches(event));
    event.path[0].bytes = "/home/user/notes";
    EXPECT_FALSE(rules.matches(event));
}

TEST(RulesKernel, BuiltInRulesReportWhatIsDoneToThisProgram) {
    const Rules rules = Rules::parse(Rules::built_in(), "built-in rules");
    const auto wants = [&](const char* call, uint64_t a0, uint64_t a1 = 0) {
        Event event = event_of(call);
        event.args[0] = a0;
        event.args[1] = a1;
        return rules.matches(event);
    };
    const auto self = static_cast<uint64_t>(getpid());
    EXPECT_TRUE(wants("kill", self, SIGHUP));
    EXPECT_FALSE(wants("kill", self + 1, SIGHUP));
    EXPECT_TRUE(wants("kill", self + 1, SIGKILL));
    EXPECT_TRUE(wants("kill", static_cast<uint64_t>(-1), SIGTERM)) << "all processes";
    EXPECT_TRUE(wants("kill", UINT32_MAX, SIGTERM)) << "all processes, the upper half being anything";
    EXPECT_FALSE(wants("kill", static_cast<uint64_t>(-2), SIGTERM)) << "a group";
    EXPECT_TRUE(wants("tgkill", self));
    EXPECT_TRUE(wants("pidfd_open", self));
    EXPECT_FALSE(wants("pidfd_open", self + 1));
    EXPECT_TRUE(wants("bpf", BPF_MAP_GET_FD_BY_ID));
    EXPECT_TRUE(wants("bpf", BPF_LINK_DETACH));
    EXPECT_FALSE(wants("bpf", BPF_MAP_UPDATE_ELEM)) << "of a map of one's own, by the thousand";
    EXPECT_TRUE(wants("ptrace", PTRACE_SEIZE, self));
}

TEST(RulesKernel, LoadReadsAFile) {
    const TemporaryFolder folder;
    const std::string file = folder.path() + "/x.rules";
    std::ofstream(file) << "read\nwrite\n";
    EXPECT_EQ(Rules::load(file).size(), 2u);
}

TEST(RulesKernel, LoadSaysWhyItCannot) {
    const auto why = [](const std::string& file) {
        try {
            Rules::load(file);
        } catch (const RuleError& error) {
            return std::string(error.what());
        }
        return std::string("loaded");
    };
    EXPECT_EQ(
        why("/nonexistent/x.rules"),
        "/nonexistent/x.rules: error: cannot read the rules: No such file or "
        "directory\nexpected: the path of a rules file that can be read, or of a directory of *.rules\n");
    EXPECT_NE(why("/").find("the directory has no file *.rules"), std::string::npos);
    EXPECT_NE(why("/dev/zero").find("longer than 16 MiB"), std::string::npos);
}

// --- the executable of what ends ---

bool is_whole(const ebpf_loader::Selection& selection, uint16_t row) {
    const auto plan = selection.plans().find(row);
    return plan != selection.plans().end() && (plan->second.flags & EBT_INCLUDE_ALL) &&
           plan->second.predicates == 0;
}

TEST(RulesKernel, EndsAreFollowedFromTheStart) {
    for (const char* text : {"process_exit success = no", "exit_group", "process_exit\nprocess_fork uid = 0",
                             "process_exit\nexecve\nexecveat uid = 0"}) {
        Rules rules = parse(text);
        rules.follow_processes();
        EXPECT_TRUE(is_whole(rules.compile(), EBT_ROW_FORK)) << text;
        EXPECT_TRUE(is_whole(rules.compile(), EBT_ROW_EXEC)) << text;
        for (const ebt_process_row row : {EBT_ROW_FORK, EBT_ROW_EXEC})
            EXPECT_FALSE(rules.kernel_decides(row)) << text << ": nobody asked for all of them";
    }
}

TEST(RulesKernel, WhatIsFollowedIsNotReported) {
    Rules rules = parse("process_exit\nprocess_fork uid = 0");
    rules.follow_processes();
    Event event;
    event.kind = EBT_EXEC;
    event.row = EBT_ROW_EXEC;
    EXPECT_FALSE(rules.matches(event));
    event.kind = EBT_FORK;
    event.row = EBT_ROW_FORK;
    event.uid = 1;
    EXPECT_FALSE(rules.matches(event));
    event.uid = 0;
    EXPECT_TRUE(rules.matches(event));
}

TEST(RulesKernel, NothingIsFollowedWithoutNeed) {
    for (const char* text : {"connect", "execve uid = 0", "process_fork", "rt_sigreturn"}) {
        Rules rules = parse(text);
        const size_t asked = rules.compile().plans().size();
        rules.follow_processes();
        EXPECT_EQ(rules.compile().plans().size(), asked) << text;
    }
    Rules rules = parse("process_exit\nprocess_fork\nexecve\nexecveat");
    rules.follow_processes();
    EXPECT_FALSE(rules.compile().plans().contains(EBT_ROW_EXEC)) << "successful calls tell it";
    EXPECT_TRUE(rules.kernel_decides(EBT_ROW_FORK));
}

} // namespace
