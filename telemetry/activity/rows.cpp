// SPDX-License-Identifier: MIT
#include "telemetry/activity/rows.hpp"

#include <algorithm>
#include <array>

namespace telemetry {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, activity_tables> names = {
    {{"processes", "PROCESS"},
     {"executables", "EXECUTABLE"},
     {"users", "USER"},
     {"containers", "CONTAINER"},
     {"calls", "CALL"},
     {"rules", "RULE"}}};

std::string name_of_text(const TextLabel& label, std::string_view when_empty) {
    if (label.text().empty())
        return std::string(when_empty);
    return (label.is_cut() ? "..." : "") + std::string(label.text());
}

void add_texts(std::vector<ActivityRow>& rows, const Activity::Texts& table, std::string_view when_empty) {
    table.for_each([&](const auto& entry) {
        rows.push_back({name_of_text(entry.label, when_empty), entry.counts, entry.earlier != 0});
    });
}

} // namespace

std::string_view name_of(ActivityTable table) {
    return names[static_cast<size_t>(table)].first;
}

std::string_view head_of(ActivityTable table) {
    return names[static_cast<size_t>(table)].second;
}

std::string rule_name(const rules::ChosenRule& rule, const std::string& rules_file) {
    std::string name;
    if (rule.lines.first != 0) {
        const std::string file = rule.lines.file.empty() ? rules_file : std::string(rule.lines.file);
        name = (file.empty() ? "line " : file + ":") + std::to_string(rule.lines.first);
        if (rule.lines.last != rule.lines.first)
            name += "-" + std::to_string(rule.lines.last);
    }
    if (!rule.key.empty())
        name.append(name.empty() ? "key " : " key ").append(rule.key);
    return name.empty() ? "(no key)" : name;
}

std::vector<ActivityRow> rows_of(const Activity& activity, ActivityTable table,
                                 const std::string& rules_file) {
    std::vector<ActivityRow> rows;
    switch (table) {
    case ActivityTable::executables:
        add_texts(rows, activity.executables(), "(not known)");
        break;
    case ActivityTable::users:
        add_texts(rows, activity.users(), "(not known)");
        break;
    case ActivityTable::containers:
        add_texts(rows, activity.containers(), "(none)");
        break;
    case ActivityTable::calls:
        add_texts(rows, activity.calls(), "(not known)");
        break;
    case ActivityTable::rules:
        activity.rules().for_each([&](const auto& entry) {
            rows.push_back({rule_name(entry.label.whole(), rules_file), entry.counts, entry.earlier != 0});
        });
        break;
    case ActivityTable::processes:
        activity.processes().for_each([&](const auto& entry) {
            rows.push_back(
                {std::string(entry.label.name.text()), entry.counts, entry.earlier != 0, &entry.label});
        });
        break;
    }
    return rows;
}

void sort_rows(std::vector<ActivityRow>& rows, ActivityOrder order, size_t most) {
    const auto weight = [order](const ActivityRow& row) {
        return order == ActivityOrder::bytes    ? row.counts.bytes
               : order == ActivityOrder::failed ? row.counts.failed
               : order == ActivityOrder::events ? row.counts.events
                                                : 0;
    };
    const auto comes_first = [&](const ActivityRow& one, const ActivityRow& other) {
        if (weight(one) != weight(other))
            return weight(one) > weight(other);
        if (one.name != other.name)
            return one.name < other.name;
        return one.process && other.process && one.process->pid < other.process->pid;
    };
    const size_t kept = std::min(most, rows.size());
    std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(kept), rows.end(), comes_first);
    rows.resize(kept);
}

} // namespace telemetry
