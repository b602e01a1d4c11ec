// SPDX-License-Identifier: MIT
// What the kernel takes between two selections.
#include <gtest/gtest.h>

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/selection.hpp>

#include "loader/src/load/plan_union.hpp"

namespace {

using namespace ebpf_loader;

ebt_plan plan_of(uint16_t flags, std::initializer_list<uint64_t> operands) {
    ebt_plan plan{};
    plan.flags = flags;
    for (const uint64_t operand : operands)
        plan.predicate[plan.predicates++] = {
            .value = EBT_VALUE_ARG0, .operator_ = EBT_EQ, .flags = EBT_CLAUSE_END, .operand = operand};
    return plan;
}

TEST(PlanUnion, TheSameComparisonsStay) {
    const ebt_plan both = united(plan_of(0, {1, 2}), plan_of(0, {1, 2}));
    EXPECT_EQ(both.predicates, 2);
    EXPECT_FALSE(both.flags & EBT_INCLUDE_ALL);
}

TEST(PlanUnion, OfOthersEverythingPassesAndTheOldOnesStayInPlace) {
    const ebt_plan both = united(plan_of(EBT_PLAN_IDENTITY, {1}), plan_of(0, {2}));
    EXPECT_EQ(both.predicates, 0);
    EXPECT_TRUE(both.flags & EBT_INCLUDE_ALL);
    EXPECT_TRUE(both.flags & EBT_PLAN_IDENTITY);
    EXPECT_EQ(both.predicate[0].operand, 1u) << "a program may still be comparing with it";
    const ebt_plan last = plan_of(0, {2});
    const ebt_plan first = with_comparisons_of(both, last);
    EXPECT_EQ(first.predicates, 0);
    EXPECT_TRUE(first.flags & EBT_INCLUDE_ALL);
    EXPECT_EQ(first.predicate[0].operand, 2u);
}

TEST(PlanUnion, OtherPathsAreNotLookedFor) {
    ebt_plan old = plan_of(EBT_INCLUDE_ALL, {}), next = old;
    old.screens = next.screens = 1;
    EXPECT_EQ(united(old, next).screens, 1);
    next.screens = 2;
    EXPECT_EQ(united(old, next).screens, 0);
    next.screens = 0;
    EXPECT_EQ(united(old, next).screens, 0);
    old = plan_of(0, {1}), next = plan_of(0, {1});
    next.predicate[0].screens = 4;
    const ebt_plan both = united(old, next);
    EXPECT_TRUE(both.flags & EBT_INCLUDE_ALL);
    EXPECT_EQ(both.predicates, 0);
}

TEST(PlanUnion, ACallThatIsOnlyAWayToOthersGivesWay) {
    for (const uint16_t only : {EBT_PLAN_DISPATCH_ONLY, EBT_PLAN_TRANSFER_ONLY})
        for (const bool is_old : {false, true}) {
            const ebt_plan way = plan_of(only, {}), whole = plan_of(EBT_PLAN_VITAL, {7});
            const ebt_plan both = is_old ? united(way, whole) : united(whole, way);
            EXPECT_EQ(both.flags & only, 0);
            EXPECT_EQ(both.predicates, 1);
            EXPECT_EQ(both.predicate[0].operand, 7u);
            EXPECT_EQ(united(way, way).flags & only, only);
        }
}

TEST(PlanUnion, NumbersLeadToTheRowsOfBoth) {
    std::map<uint32_t, ebt_numbers> old, next;
    old[1].row[EBT_X86_64] = 5;
    old[1].flags = EBT_GATED_ABI << EBT_X86_64;
    next[1].row[EBT_I386] = 6;
    next[2].row[EBT_X86_64] = 7;
    const auto both = united(old, next);
    EXPECT_EQ(both.at(1).row[EBT_X86_64], 5);
    EXPECT_EQ(both.at(1).row[EBT_I386], 6);
    EXPECT_EQ(both.at(1).flags, 0) << "not all of it has a gate";
    EXPECT_EQ(both.at(2).row[EBT_X86_64], 7);
    next[1].row[EBT_X86_64] = 8;
    EXPECT_THROW(united(old, next), Error);
}

TEST(PlanUnion, UnknownNumbersKeepTheirRows) {
    Selection first, second;
    const uint16_t a = first.select_number(EBT_NATIVE_ABI, 1000, {}, true);
    const uint16_t b = first.select_number(EBT_NATIVE_ABI, 1001, {}, true);
    second.keep_rows_of(first);
    EXPECT_EQ(second.select_number(EBT_NATIVE_ABI, 1001, {}, true), b);
    EXPECT_GT(second.select_number(EBT_NATIVE_ABI, 1002, {}, true), b);
    EXPECT_EQ(second.select_number(EBT_NATIVE_ABI, 1000, {}, true), a);
}

} // namespace
