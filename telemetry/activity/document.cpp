// SPDX-License-Identifier: MIT
#include "telemetry/activity/document.hpp"

#include <cmath>
#include <cstdio>

#include "telemetry/activity/rows.hpp"
#include "telemetry/base/escape.hpp"
#include "telemetry/output/cold_json.hpp"

namespace telemetry {

namespace {

using nlohmann::ordered_json;

constexpr size_t most_rows = 10;
/// Processes come and go: they are in --top alone.
constexpr ActivityTable shown[] = {ActivityTable::executables, ActivityTable::users,
                                   ActivityTable::containers, ActivityTable::calls, ActivityTable::rules};

/// In tenths.
double rate(uint64_t count, double seconds) {
    return seconds > 0 ? std::round(static_cast<double>(count) / seconds * 10) / 10 : 0;
}

void put_row(LineBuffer& line, const Counts& counts, double seconds, std::string_view name,
             bool is_at_least) {
    char text[128];
    const int length = snprintf(text, sizeof(text), "%s%11llu %10.1f %13llu %11.1f %9llu  ",
                                is_at_least ? ">" : " ", static_cast<unsigned long long>(counts.events),
                                rate(counts.events, seconds), static_cast<unsigned long long>(counts.bytes),
                                rate(counts.bytes, seconds), static_cast<unsigned long long>(counts.failed));
    line.put(std::string_view(text, static_cast<size_t>(length)));
    put_text_escaped(line, name);
    line.put('\n');
}

/// What the rows do not have of all.
Counts others_of(const Counts& all, const std::vector<ActivityRow>& rows) {
    Counts others = all;
    for (const ActivityRow& row : rows) {
        others.events -= std::min(others.events, row.counts.events);
        others.failed -= std::min(others.failed, row.counts.failed);
        others.bytes -= std::min(others.bytes, row.counts.bytes);
    }
    return others;
}

ordered_json counts_json(const Counts& counts, double seconds) {
    return {{"events", counts.events},
            {"events_per_second", rate(counts.events, seconds)},
            {"bytes", counts.bytes},
            {"bytes_per_second", rate(counts.bytes, seconds)},
            {"failed", counts.failed}};
}

} // namespace

std::string ActivityDocument::text() const {
    LineBuffer line;
    line.put("activity:  events  per second         bytes  per second    failed\n");
    put_row(line, activity_.all(), seconds_, "in all", false);
    for (const ActivityTable table : shown) {
        std::vector<ActivityRow> rows = rows_of(activity_, table, rules_file_);
        const size_t count = rows.size();
        sort_rows(rows, ActivityOrder::events, most_rows);
        line.put("by ");
        const std::string_view name = name_of(table);
        line.put(name.substr(0, name.size() - 1));
        line.put(":\n");
        for (const ActivityRow& row : rows)
            put_row(line, row.counts, seconds_, row.name, row.is_at_least);
        if (const Counts others = others_of(activity_.all(), rows); others.events > 0)
            put_row(line, others, seconds_, count > rows.size() ? "(all others)" : "(forgotten)", false);
    }
    if (activity_.lost() > 0) {
        line.put("lost besides: ");
        line.put_decimal(activity_.lost());
        line.put(" events\n");
    }
    return std::string(line.view());
}

std::string ActivityDocument::json() const {
    ordered_json object = {{"seconds", std::round(seconds_ * 1000) / 1000}};
    object.update(counts_json(activity_.all(), seconds_));
    object["lost"] = activity_.lost();
    for (const ActivityTable table : shown) {
        std::vector<ActivityRow> rows = rows_of(activity_, table, rules_file_);
        sort_rows(rows, ActivityOrder::events, most_rows);
        ordered_json& list = object[std::string(name_of(table))] = ordered_json::array();
        for (const ActivityRow& row : rows) {
            ordered_json& one = list.emplace_back(ordered_json{{"name", row.name}});
            one.update(counts_json(row.counts, seconds_));
            one["at_least"] = row.is_at_least;
        }
        ordered_json& others = list.emplace_back(ordered_json{{"name", nullptr}});
        others.update(counts_json(others_of(activity_.all(), rows), seconds_));
        others["at_least"] = false;
    }
    return json_as_line({{"activity", object}});
}

} // namespace telemetry
