// SPDX-License-Identifier: MIT
#include "imds/app/stats.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "telemetry/output/cold_json.hpp"

namespace telemetry::imds {

namespace {

auto named(const ImdsTracker::Counters& counters) {
    const ConversationCounters& conversations = counters.conversations;
    return std::to_array<std::pair<std::string_view, uint64_t>>({
        {"segments", counters.transfers},
        {"segments_elsewhere", counters.foreign_transfers},
        {"segments_late", counters.late_transfers},
        {"connections", counters.connections.opened},
        {"connections_evicted", counters.connections.evicted},
        {"exchanges", conversations.exchanges},
        {"contacts", conversations.without_exchange},
        {"gap_bytes", conversations.gap_bytes},
        {"places_lost", conversations.lost_positions},
        {"heads_cut", conversations.cut_heads},
        {"bodies_cut", conversations.cut_bodies},
        {"told_early", conversations.reported_early},
        {"lines_of_descent_cut", counters.lineage.cut},
        {"processes_forgotten", counters.lineage.forgotten},
        {"stacks", counters.stacks.stacks},
        {"stacks_too_costly", counters.stacks.too_costly},
        {"stack_files_refused", counters.stacks.refused_files},
        {"stack_reads", counters.stacks.work.reads},
        {"stack_bytes", counters.stacks.work.bytes},
        {"stack_entries", counters.stacks.work.entries},
    });
}

} // namespace

std::vector<HelperReport> helper_reports(const ImdsTracker::Counters& counters, bool has_stacks) {
    std::vector<HelperReport> reports = {{"http", counters.connections.helper_failures}};
    if (has_stacks)
        reports.push_back({"stack", counters.stacks.helper_failures});
    return reports;
}

std::string TrackerStats::text() const {
    std::string text = "imds:";
    for (const auto& [name, value] : named(counters_))
        text.append(" ").append(name).append("=").append(std::to_string(value));
    return text + "\n";
}

std::string TrackerStats::json() const {
    nlohmann::ordered_json counts;
    for (const auto& [name, value] : named(counters_))
        counts[std::string(name)] = value;
    return json_as_line({{"imds", counts}});
}

} // namespace telemetry::imds
