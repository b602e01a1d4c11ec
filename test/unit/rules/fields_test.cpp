// SPDX-License-Identifier: MIT
// The values that rules compare, as an event has them.
#include <gtest/gtest.h>

#include "telemetry/rules/fields.hpp"
#include "telemetry/rules/match.hpp"

namespace {

using namespace telemetry;
using namespace telemetry::rules;

Event event() {
    Event event;
    event.args = {10, 11, 12, 13, 14, UINT64_MAX};
    event.ret = -2;
    event.uid = 1000;
    event.euid = 1001;
    event.auid = 1002;
    event.pid = 42;
    event.ppid = 41;
    return event;
}

TEST(RulesFields, EachValueIsReadFromItsPlaceInTheEvent) {
    const Event made = event();
    for (uint8_t i = 0; i < EBT_ARGS; ++i)
        EXPECT_EQ(value_of(i, made), made.args[i]) << int{i};
    const std::pair<uint8_t, uint64_t> values[] = {
        {EBT_VALUE_RET, static_cast<uint64_t>(-2)},
        {EBT_VALUE_SUCCESS, 0},
        {EBT_VALUE_UID, 1000},
        {EBT_VALUE_EUID, 1001},
        {EBT_VALUE_AUID, 1002},
        {EBT_VALUE_PID, 42},
        {EBT_VALUE_PPID, 41},
    };
    for (const auto& [value, expected] : values)
        EXPECT_EQ(value_of(value, made), expected) << int{value};
    EXPECT_EQ(std::size(values) + EBT_ARGS, size_t{EBT_VALUES_USED});
}

/// ebt_predicate has room for 256 values: none of them reads outside of the event.
TEST(RulesFields, AValueThatDoesNotExistIsZero) {
    const Event made = event();
    for (int value = EBT_VALUES_USED; value <= UINT8_MAX; ++value) {
        EXPECT_EQ(value_of(static_cast<uint8_t>(value), made), 0U) << value;
        if (program_field(static_cast<uint8_t>(value)))
            continue; // it exists, and is not one of the kernel's
        EXPECT_TRUE(holds(NumberTest{static_cast<uint8_t>(value), EBT_EQ, false, 0, 0}, made, false))
            << value;
    }
}

TEST(RulesFields, NumbersAreReadAndTextsAreNot) {
    for (const Field& field : fields())
        EXPECT_EQ(field.read || field.values, field.type != Type::text) << field.name;
}

} // namespace
