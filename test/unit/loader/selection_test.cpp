// SPDX-License-Identifier: MIT
// What the loader writes into the kernel's maps for a selection.
#include <cstring>
#include <ebpf_loader/engine.hpp>
#include <tuple>

#include <gtest/gtest.h>

#include "test/unit/support/syscall_row.hpp"

namespace {

using namespace ebpf_loader;

uint16_t row_at(const Selection& selection, ebt_abi abi, int number) {
    const auto found = selection.numbers().find(static_cast<uint32_t>(number));
    return found == selection.numbers().end() ? uint16_t{EBT_ROW_NONE} : found->second.row[EBT_ABI_SLOT(abi)];
}

#ifdef __x86_64__
constexpr bool has_i386 = true;
constexpr int native_execve = 59, compat_execve = 11;
#else
constexpr bool has_i386 = false; ///< nor its calls that stand for others
constexpr int native_execve = 221, compat_execve = 11;
#endif

const ebt_plan& plan_of(const Selection& selection, std::string_view name) {
    return selection.plans().at(row_of(call(name)));
}

ebt_predicate predicate(uint8_t value, uint64_t operand, uint8_t flags = EBT_CLAUSE_END) {
    ebt_predicate result{};
    result.value = value;
    result.operator_ = EBT_EQ;
    result.flags = flags;
    result.operand = operand;
    return result;
}

std::string refusal(const std::vector<ebt_predicate>& filter) {
    try {
        Selection().select(call("openat"), filter, false);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::usage);
        return error.what();
    }
    return "accepted";
}

TEST(Selection, NothingIsSelectedAtFirst) {
    const Selection selection;
    EXPECT_TRUE(selection.empty());
    EXPECT_TRUE(selection.numbers().empty());
    EXPECT_FALSE(selection.needs_enter());
}

/// What lets calls through whatever their paths are is no part of what is looked for.
TEST(Selection, AClauseWithoutScreensKeepsEverything) {
    Selection selection;
    std::vector<ebt_predicate> filter{predicate(EBT_VALUE_ARG0, 1, EBT_CLAUSE_END | EBT_EXCLUDE),
                                      predicate(EBT_VALUE_ARG0, 2), predicate(EBT_VALUE_ARG0, 3)};
    selection.select(call("openat"), filter, false);
    for (const ebt_predicate& plain : plan_of(selection, "openat").predicate)
        EXPECT_EQ(plain.screens, 0) << "no clause has any";
    filter[1].screens = 4;
    selection.select(call("openat"), filter, false, 8);
    const ebt_plan& plan = plan_of(selection, "openat");
    EXPECT_EQ(plan.screens, 0) << "it does not include all";
    EXPECT_EQ(plan.predicate[0].screens, 0);
    EXPECT_EQ(plan.predicate[1].screens, 4);
    EXPECT_EQ(plan.predicate[2].screens, EBT_SCREEN_KEEP);
    selection.select(call("openat"), filter, true);
    EXPECT_EQ(plan_of(selection, "openat").screens, EBT_SCREEN_KEEP);
    selection.select(call("openat"), {}, true, 8);
    EXPECT_EQ(plan_of(selection, "openat").screens, 8);
}

TEST(Selection, SelectsEveryNumberOfACall) {
    Selection selection;
    selection.select(call("execve"), {}, false);
    const uint16_t row = row_of(call("execve"));
    EXPECT_EQ(selection.plans().size(), 1u);
    EXPECT_EQ(row_at(selection, EBT_NATIVE_ABI, native_execve), row);
    EXPECT_EQ(row_at(selection, EBT_COMPAT_ABI, compat_execve), row);
#ifdef __x86_64__
    EXPECT_EQ(row_at(selection, EBT_X32, 520), row);
#endif
    EXPECT_EQ(row_at(selection, EBT_NATIVE_ABI, compat_execve), EBT_ROW_NONE)
        << "another call, which nobody selected";
    for (const auto& number : numbers_of(call("execve")))
        EXPECT_EQ(row_at(selection, number.abi, number.number), row);
}

TEST(Selection, PlanCarriesFlagsAndSteps) {
    Selection selection;
    selection.select(call("execve"), {}, false);
    const ebt_plan& plan = plan_of(selection, "execve");
    EXPECT_EQ(plan.flags, EBT_PLAN_EXEC | EBT_PLAN_VITAL | EBT_INCLUDE_ALL);
    const auto steps = capture_steps(call("execve"));
    for (const bool succeeded : {false, true}) {
        size_t listed = 0;
        for (const ebt_step& step : steps) {
            if (step.when == (succeeded ? EBT_ON_FAILURE : EBT_ON_SUCCESS))
                continue;
            ASSERT_LT(listed, plan.steps[succeeded]);
            EXPECT_EQ(memcmp(&plan.step[succeeded][listed++], &step, sizeof step), 0);
        }
        EXPECT_EQ(listed > 0, !succeeded) << "a successful exec is reported by its image";
        EXPECT_EQ(listed, plan.steps[succeeded]);
    }
    EXPECT_EQ(plan.predicates, 0);
}

TEST(Selection, FilterGoesIntoThePlan) {
    Selection selection;
    const std::vector<ebt_predicate> filter = {predicate(EBT_VALUE_UID, 7, 0), predicate(EBT_VALUE_PID, 9)};
    selection.select(call("close"), filter, false);
    const ebt_plan& plan = plan_of(selection, "close");
    EXPECT_EQ(plan.flags & EBT_INCLUDE_ALL, 0);
    ASSERT_EQ(plan.predicates, 2);
    EXPECT_EQ(plan.predicate[0].value, EBT_VALUE_UID);
    EXPECT_EQ(plan.predicate[0].operand, 7u);
    EXPECT_EQ(plan.predicate[1].flags, EBT_CLAUSE_END);
}

TEST(Selection, IncludeAllKeepsWhatExcludes) {
    Selection selection;
    const std::vector<ebt_predicate> filter = {predicate(EBT_VALUE_UID, 7, EBT_CLAUSE_END | EBT_EXCLUDE)};
    selection.select(call("close"), filter, true);
    EXPECT_EQ(plan_of(selection, "close").flags, EBT_INCLUDE_ALL);
    EXPECT_EQ(plan_of(selection, "close").predicates, 1);
}

TEST(Selection, SelectingAgainReplacesTheFilter) {
    Selection selection;
    const std::vector<ebt_predicate> filter = {predicate(EBT_VALUE_UID, 7)};
    selection.select(call("close"), filter, false);
    selection.select(call("close"), {}, false);
    EXPECT_EQ(plan_of(selection, "close").flags, EBT_INCLUDE_ALL);
    EXPECT_EQ(plan_of(selection, "close").predicates, 0);
}

TEST(Selection, RefusesWhatNoPlanCanHold) {
    EXPECT_EQ(refusal(std::vector<ebt_predicate>(EBT_PREDICATES, predicate(0, 1))), "accepted");
    EXPECT_NE(refusal(std::vector<ebt_predicate>(EBT_PREDICATES + 1, predicate(0, 1))).find("33 comparisons"),
              std::string::npos);
    EXPECT_NE(refusal({predicate(0, 1, 0)}).find("EBT_CLAUSE_END"), std::string::npos);
    EXPECT_NE(refusal({predicate(EBT_VALUES_USED, 1)}).find("does not exist"), std::string::npos);
    auto wrong = predicate(0, 1);
    wrong.operator_ = EBT_ANY_BITS + 1;
    EXPECT_NE(refusal({wrong}).find("does not exist"), std::string::npos);
    wrong = predicate(0, 1);
    wrong.shift = 16;
    EXPECT_NE(refusal({wrong}).find("does not exist"), std::string::npos);
}

TEST(Selection, ARefusedFilterSelectsNothing) {
    Selection selection;
    const std::vector<ebt_predicate> open_clause = {predicate(0, 1, 0)};
    EXPECT_THROW(selection.select(call("connect"), open_clause, false), Error);
    EXPECT_THROW(selection.select_number(EBT_X86_64, 1000, open_clause, false), Error);
    EXPECT_THROW(selection.select_process(EBT_ROW_EXIT, open_clause, false), Error);
    EXPECT_TRUE(selection.empty());
    EXPECT_TRUE(selection.numbers().empty());
}

TEST(Selection, UnknownNumbersGetRowsBehindTheTable) {
    Selection selection;
    const auto first = static_cast<uint16_t>(EBT_FIRST_SYSCALL_ROW + syscall_rows().size());
    EXPECT_EQ(selection.select_number(EBT_NATIVE_ABI, 1000, {}, false), first);
    EXPECT_EQ(selection.select_number(EBT_COMPAT_ABI, 1000, {}, false), first + 1);
    EXPECT_EQ(selection.select_number(EBT_NATIVE_ABI, 1001, {}, false), first + 2);
    EXPECT_EQ(selection.select_number(EBT_NATIVE_ABI, 1000, {}, false), first) << "the same one again";
    EXPECT_EQ(row_at(selection, EBT_NATIVE_ABI, 1000), first);
    EXPECT_EQ(row_at(selection, EBT_COMPAT_ABI, 1000), first + 1);
#ifdef __x86_64__
    EXPECT_EQ(row_at(selection, EBT_X32, 1000), EBT_ROW_NONE);
#endif
    EXPECT_EQ(selection.plans().at(first).steps[1], 0);
    EXPECT_EQ(selection.plans().at(first).flags, EBT_INCLUDE_ALL);
}

TEST(Selection, KnownNumberTakesTheTablesRow) {
    Selection selection;
    EXPECT_EQ(selection.select_number(EBT_COMPAT_ABI, compat_execve, {}, false), row_of(call("execve")));
    EXPECT_EQ(row_at(selection, EBT_COMPAT_ABI, compat_execve), row_of(call("execve")));
    EXPECT_EQ(row_at(selection, EBT_NATIVE_ABI, native_execve), EBT_ROW_NONE) << "this ABI alone";
    EXPECT_GT(plan_of(selection, "execve").steps[0], 0);
}

TEST(Selection, NumbersOutOfRangeAreRefused) {
    Selection selection;
    EXPECT_THROW(selection.select_number(EBT_NATIVE_ABI, -1, {}, false), Error);
    EXPECT_THROW(selection.select_number(EBT_NATIVE_ABI, EBT_NUMBERS, {}, false), Error);
    EXPECT_THROW(selection.select_number(EBT_ABIS, 1, {}, false), Error);
    EXPECT_NO_THROW(selection.select_number(EBT_NATIVE_ABI, EBT_NUMBERS - 1, {}, false));
}

TEST(Selection, RowsForUnknownNumbersRunOut) {
    Selection selection;
    const size_t room = EBT_ROWS - EBT_FIRST_SYSCALL_ROW - syscall_rows().size();
    size_t selected = 0;
    try {
        for (ebt_abi abi : {EBT_NATIVE_ABI, EBT_COMPAT_ABI})
            for (int number = 0; number < EBT_NUMBERS; ++number)
                if (!find_syscall(abi, number))
                    selected += selection.select_number(abi, number, {}, false) < EBT_ROWS;
        FAIL() << "more rows than there are";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("no room"), std::string::npos);
    }
    EXPECT_EQ(selected, room);
}

TEST(Selection, ProcessEvents) {
    Selection selection;
    selection.select_process(EBT_ROW_EXIT, {}, false);
    EXPECT_EQ(selection.plans().at(EBT_ROW_EXIT).flags, EBT_PLAN_VITAL | EBT_INCLUDE_ALL);
    EXPECT_TRUE(selection.numbers().empty());
    EXPECT_THROW(selection.select_process(EBT_ROW_NONE, {}, false), Error);
    EXPECT_THROW(selection.select_process(EBT_FIRST_SYSCALL_ROW, {}, false), Error);
}

TEST(Selection, NeedsEnterForWhatHasNoEnd) {
    Selection selection;
    selection.select(call("exit_group"), {}, false);
    EXPECT_FALSE(selection.needs_enter()) << "taken where the process ends";
    selection.select(call("rt_sigreturn"), {}, false);
    EXPECT_TRUE(selection.needs_enter());
}

TEST(Selection, SocketCallsLeadThroughSocketcall) {
    for (const char* name : {"socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername",
                             "socketpair", "sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt",
                             "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg"}) {
        Selection selection;
        selection.select(call(name), {}, false);
        if (!has_i386) {
            EXPECT_EQ(selection.plans().size(), 1u) << name;
            EXPECT_EQ(selection.numbers().count(102), 0u) << name;
            continue;
        }
        EXPECT_EQ(row_at(selection, EBT_I386, 102), row_of(call("socketcall"))) << name;
        EXPECT_EQ(plan_of(selection, "socketcall").flags, EBT_PLAN_SOCKETCALL | EBT_PLAN_DISPATCH_ONLY)
            << name;
        EXPECT_EQ(row_at(selection, EBT_X86_64, 102), EBT_ROW_NONE) << "getuid there";
    }
    Selection selection;
    selection.select(call("openat"), {}, false);
    EXPECT_EQ(selection.numbers().count(102), 0u);
}

/// Behind the numbers of calls come those that ipc(2) stands for, by its first argument.
TEST(Selection, SystemVCallsLeadThroughIpc) {
    constexpr std::tuple<const char*, uint32_t, uint16_t> calls[] = {
        {"semop", 1, 117},   {"semget", 2, 393},  {"semctl", 3, 394},  {"semtimedop", 4, 117},
        {"msgsnd", 11, 400}, {"msgrcv", 12, 401}, {"msgget", 13, 399}, {"msgctl", 14, 402},
        {"shmat", 21, 397},  {"shmdt", 22, 398},  {"shmget", 23, 395}, {"shmctl", 24, 396},
    };
    for (const auto& [name, ipc, number] : calls) {
        Selection selection;
        selection.select(call(name), {}, false);
        if (!has_i386) {
            EXPECT_EQ(selection.plans().size(), 1u) << name;
            EXPECT_EQ(selection.numbers().count(EBT_NUMBERS + ipc), 0u) << name;
            continue;
        }
        EXPECT_EQ(row_at(selection, EBT_I386, 117), row_of(call("ipc"))) << name;
        EXPECT_EQ(plan_of(selection, "ipc").flags, EBT_PLAN_IPC | EBT_PLAN_DISPATCH_ONLY) << name;
        const ebt_numbers& place = selection.numbers().at(EBT_NUMBERS + ipc);
        EXPECT_EQ(place.row[EBT_I386], row_of(call(name)));
        EXPECT_EQ(place.row[EBT_X86_64], number) << name;
    }
    Selection both;
    both.select(call("ipc"), {}, false);
    both.select(call("shmget"), {}, false);
    EXPECT_EQ(both.plans().size(), has_i386 ? 2u : 1u);
    if (has_i386) {
        EXPECT_EQ(plan_of(both, "ipc").flags, EBT_PLAN_IPC | EBT_INCLUDE_ALL);
    }
}

/// Since 5.4 they are no call's: the kernel programs drop them when they end with ENOSYS.
TEST(Selection, MarksNumbersThatOnlyOldKernelsKnow) {
    Selection selection;
    selection.select(call("execve"), {}, false);
    EXPECT_EQ(selection.numbers().at(compat_execve).flags, 0);
#ifdef __x86_64__
    EXPECT_EQ(selection.numbers().at(59).flags, EBT_OLD_NUMBER << EBT_X32);
    EXPECT_EQ(selection.numbers().at(520).flags, EBT_OLD_NUMBER << EBT_X86_64);
#else
    EXPECT_EQ(selection.numbers().at(native_execve).flags, 0);
    EXPECT_EQ(selection.numbers().size(), 2u) << "x86-64 alone has such numbers";
#endif
}

/// An exec that succeeds ends with the number of execve, whatever it was.
TEST(Selection, ExecveatIsFoundAtExecve) {
    Selection selection;
    selection.select(call("execveat"), {}, false);
    EXPECT_EQ(row_at(selection, EBT_NATIVE_ABI, native_execve), row_of(call("execve")));
    EXPECT_EQ(row_at(selection, EBT_COMPAT_ABI, compat_execve), row_of(call("execve")));
    EXPECT_TRUE(plan_of(selection, "execve").flags & EBT_PLAN_DISPATCH_ONLY);
    selection.select(call("execve"), {}, false);
    EXPECT_FALSE(plan_of(selection, "execve").flags & EBT_PLAN_DISPATCH_ONLY);
    selection.select(call("execveat"), {}, false);
    EXPECT_FALSE(plan_of(selection, "execve").flags & EBT_PLAN_DISPATCH_ONLY);
}

TEST(Selection, SocketcallItselfMayBeWantedToo) {
    Selection before, after;
    before.select(call("socketcall"), {}, false);
    before.select(call("connect"), {}, false);
    after.select(call("connect"), {}, false);
    after.select(call("socketcall"), {}, false);
    for (const Selection* selection : {&before, &after}) {
        EXPECT_EQ(selection->plans().size(), has_i386 ? 2u : 1u);
        if (has_i386) {
            EXPECT_EQ(plan_of(*selection, "socketcall").flags, EBT_PLAN_SOCKETCALL | EBT_INCLUDE_ALL);
        }
    }
}

/// i386 has no accept: the kernel programs look for what socketcall makes of it at accept4.
TEST(Selection, AcceptIsFoundAtAccept4OnI386) {
    Selection alone, both, reversed;
    alone.select(call("accept"), {}, false);
    both.select(call("accept"), {}, false);
    both.select(call("accept4"), {}, false);
    reversed.select(call("accept4"), {}, false);
    reversed.select(call("accept"), {}, false);
#ifdef __x86_64__
    EXPECT_EQ(row_at(alone, EBT_I386, 364), row_of(call("accept")));
    EXPECT_EQ(row_at(both, EBT_I386, 364), row_of(call("accept4")));
    EXPECT_EQ(row_at(reversed, EBT_I386, 364), row_of(call("accept4")));
#else // every ABI has both
    EXPECT_EQ(row_at(alone, EBT_ARM, 285), row_of(call("accept")));
    EXPECT_EQ(row_at(alone, EBT_ARM, 366), EBT_ROW_NONE);
    for (const Selection* selection : {&both, &reversed}) {
        EXPECT_EQ(row_at(*selection, EBT_ARM, 285), row_of(call("accept")));
        EXPECT_EQ(row_at(*selection, EBT_ARM, 366), row_of(call("accept4")));
        EXPECT_EQ(row_at(*selection, EBT_AARCH64, 242), row_of(call("accept4")));
    }
#endif
}

} // namespace
