// SPDX-License-Identifier: MIT
#include "telemetry/output/summary.hpp"

#include <cstdio>

namespace telemetry {

namespace {

std::string number(uint64_t value) {
    return std::to_string(value);
}

/// Names and messages are the program's own and the C library's; still, no byte may
/// leave the string.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
            char escaped[8];
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            out += escaped;
        } else {
            out += c;
        }
    }
    return out + '"';
}

/// {"a":1,"b":2}
template <typename Pairs> std::string object(const Pairs& pairs) {
    std::string out;
    for (const auto& [key, value] : pairs)
        out += (out.empty() ? "{" : ",") + quoted(key) + ":" + number(value);
    return out.empty() ? "{}" : out + "}";
}

using Row = std::pair<std::string_view, uint64_t>;

std::string output_json(const Summary::Output& output) {
    return "{\"name\":" + quoted(output.name) + ",\"written\":" + number(output.written) +
           ",\"lost\":" + number(output.lost) + ",\"error\":" + quoted(output.error) + "}";
}

std::string outputs_json(const Summary& summary) {
    std::string out = "[";
    for (const Summary::Output& output : summary.outputs)
        out += (out.size() > 1 ? "," : "") + output_json(output);
    return out + "]";
}

std::string lost_text(const Summary& summary) {
    std::string out;
    for (const auto& [cause, count] : summary.lost)
        out += (out.empty() ? " (" : ", ") + cause + " " + number(count);
    return out.empty() ? out : out + ")";
}

std::string balance_text(const Summary& summary) {
    std::string out = "events: " + number(summary.seen) +
                      " seen = " + number(summary.filtered_in_kernel + summary.filtered_by_rules) +
                      " filtered (" + number(summary.filtered_in_kernel) + " in the kernel, " +
                      number(summary.filtered_by_rules) + " by rules) + " + number(summary.emitted) +
                      " emitted + " + number(summary.lost_in_all()) + " lost" + lost_text(summary);
    if (summary.in_flight > 0)
        out += " + " + number(summary.in_flight) + " in flight";
    out += "\n";
    if (summary.imbalance() != 0)
        out += "events: the two sides differ by " + std::to_string(summary.imbalance()) + "\n";
    if (summary.missed_runs > 0)
        out += "hooks: the kernel skipped " + number(summary.missed_runs) +
               " runs; what they would have seen is unknown\n";
    if (summary.field_faults > 0)
        out += "fields: " + number(summary.field_faults) + " not in memory when they were read\n";
    return out;
}

std::string cache_text(const Summary& summary) {
    const ProcessCache::Counters& cache = summary.cache;
    return "processes: " + number(summary.cached_processes) + " known in " +
           number(summary.cached_bytes >> 10) + " KiB; images: " + number(cache.records) + " from records, " +
           number(cache.inherited) + " from parents, " + number(cache.remembered + cache.healed) +
           " from /proc, " + number(cache.unhealed) + " not to be had, " + number(cache.evicted) +
           " evicted\n";
}

uint64_t milliseconds(std::chrono::nanoseconds time) {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

/// In tenths, of one CPU.
uint64_t per_mille(const LimitsReport& limits) {
    return limits.wall.count() > 0 ? static_cast<uint64_t>(limits.used * 1000 / limits.wall) : 0;
}

std::string limits_text(const LimitsReport& limits) {
    std::string out;
    if (limits.max_cpu > 0) {
        const uint64_t used = per_mille(limits);
        out += "limits: CPU " + number(used / 10) + "." + number(used % 10) + "% of " +
               number(limits.max_cpu) + "%; events shed " + number(limits.times_shed) + " times, for " +
               number(milliseconds(limits.shed)) + " ms; reader paused for " +
               number(milliseconds(limits.paused)) + " ms\n";
    }
    if (limits.max_memory > 0)
        out += "limits: memory " + number(limits.resident >> 20) + " MiB, at most " +
               number(limits.most_resident >> 20) + ", of " + number(limits.max_memory >> 20) +
               "; caches halved " + number(limits.times_shrunk) + " times\n";
    return out;
}

/// Of those limits that were set.
std::string limits_json(const LimitsReport& limits) {
    std::string out;
    if (limits.max_cpu > 0)
        out +=
            ",\"max_cpu\":" + object(std::initializer_list<Row>{{"percent", limits.max_cpu},
                                                                {"used_ms", milliseconds(limits.used)},
                                                                {"of_ms", milliseconds(limits.wall)},
                                                                {"times_shed", limits.times_shed},
                                                                {"shed_ms", milliseconds(limits.shed)},
                                                                {"paused_ms", milliseconds(limits.paused)}});
    if (limits.max_memory > 0)
        out += ",\"max_memory\":" + object(std::initializer_list<Row>{{"bytes", limits.max_memory},
                                                                      {"resident", limits.resident},
                                                                      {"most_resident", limits.most_resident},
                                                                      {"times_shrunk", limits.times_shrunk}});
    return out;
}

} // namespace

std::string SummaryDocument::text() const {
    const Summary& summary = summary_;
    std::string out = balance_text(summary);
    for (const Summary::Output& output : summary.outputs) {
        out += "output " + output.name + ": " + number(output.written) + " written, " + number(output.lost) +
               " lost";
        out += output.error.empty() ? "\n" : " (" + output.error + ")\n";
    }
    return out + cache_text(summary) + limits_text(summary.limits);
}

std::string SummaryDocument::json() const {
    const Summary& summary = summary_;
    const ProcessCache::Counters& cache = summary.cache;
    std::string out = "{\"seen\":" + number(summary.seen);
    out += ",\"filtered\":" + object(std::initializer_list<Row>{{"kernel", summary.filtered_in_kernel},
                                                                {"rules", summary.filtered_by_rules}});
    out += ",\"emitted\":" + number(summary.emitted);
    out += ",\"lost\":" + object(summary.lost);
    out += ",\"in_flight\":" + number(summary.in_flight);
    out += ",\"imbalance\":" + std::to_string(summary.imbalance());
    out += ",\"outputs\":" + outputs_json(summary);
    out += ",\"missed_runs\":" + number(summary.missed_runs);
    out += ",\"sequence_gaps\":" + number(summary.sequence_gaps);
    out += ",\"field_faults\":" + number(summary.field_faults);
    out += ",\"cache\":" + object(std::initializer_list<Row>{{"processes", summary.cached_processes},
                                                             {"bytes", summary.cached_bytes},
                                                             {"hits", cache.hits},
                                                             {"records", cache.records},
                                                             {"inherited", cache.inherited},
                                                             {"remembered", cache.remembered},
                                                             {"healed", cache.healed},
                                                             {"unhealed", cache.unhealed},
                                                             {"evicted", cache.evicted}});
    return out + limits_json(summary.limits) + "}\n";
}

} // namespace telemetry
