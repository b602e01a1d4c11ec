// SPDX-License-Identifier: MIT
#include "telemetry/output/summary.hpp"

#include "telemetry/output/cold_json.hpp"

namespace telemetry {

namespace {

using nlohmann::ordered_json;

std::string number(uint64_t value) {
    return std::to_string(value);
}

ordered_json outputs_json(const Summary& summary) {
    ordered_json outputs = ordered_json::array();
    for (const Summary::Output& output : summary.outputs) {
        outputs.push_back({{"name", output.name},
                           {"written", output.written},
                           {"lost", output.lost},
                           {"error", output.error}});
        if (!output.delivery)
            continue;
        ordered_json& object = outputs.back();
        object["offered"] = output.delivery->offered;
        object["resumed"] = output.delivery->resumed;
        object["waiting"] = output.delivery->waiting;
        object["retries"] = output.delivery->retries;
        object["lost_reports"] = output.delivery->lost_reports;
        if (output.delivery->spool)
            object["spool_bytes"] = output.delivery->spool->bytes;
        object["lost_by"] = ordered_json::object();
        for (const auto& [cause, count] : output.delivery->lost)
            object["lost_by"][std::string(cause)] = count;
    }
    return outputs;
}

ordered_json lost_json(const Summary& summary) {
    ordered_json lost = ordered_json::object();
    for (const auto& [cause, count] : summary.lost)
        lost[cause] = count;
    return lost;
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
                      number(summary.filtered_by_rules) + " by rules) + " +
                      (summary.folded > 0 ? number(summary.folded) + " folded + " : "") +
                      number(summary.emitted) + " emitted + " + number(summary.lost_in_all()) + " lost" +
                      lost_text(summary);
    if (summary.in_flight > 0)
        out += " + " + number(summary.in_flight) + " in flight";
    out += "\n";
    if (summary.imbalance() != 0)
        out +=
            "events: the two sides of this equation differ by " + std::to_string(summary.imbalance()) + "\n";
    if (summary.missed_runs > 0)
        out += "hooks: the kernel skipped " + number(summary.missed_runs) +
               " runs of the programs; the events that they missed are not counted\n";
    if (summary.unseen_operations > 0)
        out += "io_uring: programs submitted " + number(summary.unseen_operations) +
               " operations like selected calls, which are not reported and not counted as events\n";
    if (summary.tampered > 0)
        out += "hooks: other processes changed them or their maps " + number(summary.tampered) +
               " times; the events that they missed are not counted\n";
    if (summary.field_faults > 0)
        out += "fields: " + number(summary.field_faults) +
               " could not be read, because their memory was not resident\n";
    return out;
}

std::string output_text(const Summary::Output& output) {
    std::string out = "output " + output.name + ": " + number(output.written) + " written, " +
                      number(output.lost) + " lost";
    if (const auto& delivery = output.delivery) {
        std::string causes;
        for (const auto& [cause, count] : delivery->lost)
            causes += (causes.empty() ? " (" : ", ") + std::string(cause) + " " + number(count);
        out += causes.empty() ? causes : causes + ")";
        if (delivery->waiting > 0)
            out += ", " + number(delivery->waiting) + " waiting";
        out += " of " + number(delivery->offered);
        if (delivery->resumed > 0)
            out += " and " + number(delivery->resumed) + " of earlier runs";
        if (delivery->retries > 0)
            out += ", " + number(delivery->retries) + " attempts failed";
        if (delivery->lost_reports > 0)
            out += ", " + number(delivery->lost_reports) + " lines about the run lost";
        if (delivery->spool && delivery->spool->bytes > 0)
            out += ", " + number(delivery->spool->bytes >> 10) + " KiB in the spool";
    }
    return out + (output.error.empty() ? "\n" : " (" + output.error + ")\n");
}

std::string cache_text(const Summary& summary) {
    const ProcessCache::Counters& cache = summary.cache;
    return "processes: " + number(summary.cached_processes) + " known in " +
           number(summary.cached_bytes >> 10) + " KiB; images: " + number(cache.records) + " from records, " +
           number(cache.inherited) + " from parents, " + number(cache.remembered + cache.healed) +
           " from /proc, " + number(cache.unhealed) + " unavailable, " + number(cache.evicted) + " evicted\n";
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

std::string helpers_text(const Summary& summary) {
    std::string out;
    for (const auto& [name, failures] : summary.helpers)
        if (failures > 0)
            out += "helpers: " + std::string(name) + " failed " + number(failures) + " times\n";
    return out;
}

/// Those limits that were set.
void put_limits(ordered_json& object, const LimitsReport& limits) {
    if (limits.max_cpu > 0)
        object["max_cpu"] = {{"percent", limits.max_cpu},
                             {"used_ms", milliseconds(limits.used)},
                             {"of_ms", milliseconds(limits.wall)},
                             {"times_shed", limits.times_shed},
                             {"shed_ms", milliseconds(limits.shed)},
                             {"paused_ms", milliseconds(limits.paused)}};
    if (limits.max_memory > 0)
        object["max_memory"] = {{"bytes", limits.max_memory},
                                {"resident", limits.resident},
                                {"most_resident", limits.most_resident},
                                {"times_shrunk", limits.times_shrunk}};
}

} // namespace

std::string SummaryDocument::text() const {
    std::string out = balance_text(summary_);
    for (const Summary::Output& output : summary_.outputs)
        out += output_text(output);
    return out + cache_text(summary_) + limits_text(summary_.limits) + helpers_text(summary_);
}

std::string SummaryDocument::json() const {
    const ProcessCache::Counters& cache = summary_.cache;
    ordered_json object = {
        {"seen", summary_.seen},
        {"filtered", {{"kernel", summary_.filtered_in_kernel}, {"rules", summary_.filtered_by_rules}}},
        {"folded", summary_.folded},
        {"emitted", summary_.emitted},
        {"lost", lost_json(summary_)},
        {"in_flight", summary_.in_flight},
        {"imbalance", summary_.imbalance()},
        {"outputs", outputs_json(summary_)},
        {"missed_runs", summary_.missed_runs},
        {"unseen_operations", summary_.unseen_operations},
        {"tampered", summary_.tampered},
        {"sequence_gaps", summary_.sequence_gaps},
        {"field_faults", summary_.field_faults},
        {"cache",
         {{"processes", summary_.cached_processes},
          {"bytes", summary_.cached_bytes},
          {"hits", cache.hits},
          {"records", cache.records},
          {"inherited", cache.inherited},
          {"remembered", cache.remembered},
          {"healed", cache.healed},
          {"unhealed", cache.unhealed},
          {"evicted", cache.evicted}}},
    };
    put_limits(object, summary_.limits);
    for (const auto& [name, failures] : summary_.helpers)
        object[std::string(name) + "_helper_failures"] = failures;
    return json_as_line(object);
}

} // namespace telemetry
