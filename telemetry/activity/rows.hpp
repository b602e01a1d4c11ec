// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/activity/activity.hpp"

namespace telemetry {

/// A line of a table of an activity.
struct ActivityRow {
    std::string name; ///< as it is: not escaped
    Counts counts;
    bool is_at_least = false;              ///< there may have been more, which were counted for others
    const ProcessLabel* process = nullptr; ///< of a table of processes
};

enum class ActivityTable { processes, executables, users, containers, calls, rules };
inline constexpr size_t activity_tables = 6;
/// "executables"; and "EXECUTABLE" as a head.
std::string_view name_of(ActivityTable table);
std::string_view head_of(ActivityTable table);

enum class ActivityOrder { events, bytes, failed, name };

/// All rows, in no order. A process's pointer is into the activity.
std::vector<ActivityRow> rows_of(const Activity& activity, ActivityTable table,
                                 const std::string& rules_file);
/// The first `most` in that order come first, and the others are dropped.
void sort_rows(std::vector<ActivityRow>& rows, ActivityOrder order, size_t most);

/// What stands for a rule: "my.rules:12 key T1059". `rules_file`: of rules that do not know their own; may be
/// empty.
std::string rule_name(const rules::ChosenRule& rule, const std::string& rules_file);

} // namespace telemetry
