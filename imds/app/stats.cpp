// SPDX-License-Identifier: MIT
#include "imds/app/stats.hpp"

#include <string_view>
#include <utility>

namespace telemetry::imds {

std::string tracker_stats(const ImdsTracker::Counters& counters, bool is_json) {
    const ConversationCounters& talk = counters.conversations;
    const std::pair<std::string_view, uint64_t> all[] = {
        {"segments", counters.segments},
        {"segments_elsewhere", counters.foreign_segments},
        {"segments_late", counters.late_segments},
        {"connections", counters.connections.opened},
        {"connections_evicted", counters.connections.evicted},
        {"exchanges", talk.exchanges},
        {"contacts", talk.contacts},
        {"gap_bytes", talk.gap_bytes},
        {"repeated_bytes", talk.repeated_bytes},
        {"places_lost", talk.lost_places},
        {"heads_cut", talk.cut_heads},
        {"bodies_cut", talk.cut_bodies},
        {"told_early", talk.told_early},
        {"lines_of_descent_cut", counters.lineage.cut},
        {"processes_forgotten", counters.lineage.forgotten},
    };
    std::string text = is_json ? "{\"imds\":{" : "imds:";
    bool is_first = true;
    for (const auto& [name, value] : all) {
        if (is_json)
            text.append(is_first ? "\"" : ",\"").append(name).append("\":").append(std::to_string(value));
        else
            text.append(" ").append(name).append("=").append(std::to_string(value));
        is_first = false;
    }
    return text + (is_json ? "}}\n" : "\n");
}

} // namespace telemetry::imds
