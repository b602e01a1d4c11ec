// SPDX-License-Identifier: MIT
#include "telemetry/health/metrics.hpp"

#include <algorithm>
#include <map>

#include "telemetry/health/metric_page.hpp"

namespace telemetry {

namespace {

void put_run(MetricPage& page, const RunFacts& run) {
    page.begin("build_info", "gauge", "What runs, and on what.");
    page.put(
        1, {{"version", run.version}, {"tier", run.tier}, {"offsets", run.offsets}, {"kernel", run.kernel}});
    page.begin("start_time_seconds", "gauge", "When reporting began, as Unix time.");
    page.put_ns(run.start_ns);
}

/// Of every cause, so that a rate has a beginning.
void put_lost(MetricPage& page, const Summary& summary) {
    page.begin("events_lost_total", "counter", "Events that were lost, by cause.");
    const auto lost = [&](std::string_view cause) {
        const auto found = std::ranges::find(summary.lost, cause, &std::pair<std::string, uint64_t>::first);
        return found == summary.lost.end() ? 0 : found->second;
    };
    for (size_t i = 0; i < EBT_LOSSES; ++i) {
        const std::string_view cause = ebpf_loader::loss_name(static_cast<ebt_loss>(i));
        page.put(lost(cause), {{"cause", cause}});
    }
    for (const std::string_view cause : {"malformed", "run_end", "undelivered"})
        page.put(lost(cause), {{"cause", cause}});
}

void put_balance(MetricPage& page, const Summary& summary) {
    page.counter("events_seen_total", "Events of the calls that rules select, in the kernel.", summary.seen);
    page.begin("events_filtered_total", "counter", "Events that rules do not want, by who found so.");
    page.put(summary.filtered_in_kernel, {{"by", "kernel"}});
    page.put(summary.filtered_by_rules, {{"by", "rules"}});
    page.counter("events_folded_total", "Events that others, which are like them, stand for.",
                 summary.folded);
    page.counter("events_emitted_total", "Events that were handed to the outputs.", summary.emitted);
    put_lost(page, summary);
    page.gauge("events_in_flight", "Events that were captured and are on their way.", summary.in_flight);
    page.begin("events_imbalance", "gauge",
               "What seen differs by from filtered, folded, emitted, lost and in flight.");
    page.put_signed(summary.imbalance());
    page.counter("missed_runs_total", "Runs of the hooks that the kernel skipped.", summary.missed_runs);
    page.counter("unseen_operations_total",
                 "Operations of io_uring like selected calls that were submitted and not reported.",
                 summary.unseen_operations);
    page.counter("tampered_total", "Changes of hooks and maps by other processes.", summary.tampered);
    page.counter("sequence_gaps_total", "Records of which only a gap in the numbers came.",
                 summary.sequence_gaps);
    page.counter("field_faults_total", "Fields whose memory was not there when they were read.",
                 summary.field_faults);
}

void put_cpus(MetricPage& page, const ebpf_loader::EngineStats& kernel) {
    const size_t cpus = kernel.slots.size() / EBT_SLOTS;
    const auto sum = [&](size_t cpu, auto&& of) {
        uint64_t all = 0;
        for (size_t slot = 0; slot < EBT_SLOTS; ++slot)
            all += of(kernel.slots[cpu * EBT_SLOTS + slot]);
        return all;
    };
    page.begin("cpu_records_total", "counter", "Records that the kernel side of a CPU emitted.");
    for (size_t cpu = 0; cpu < cpus; ++cpu)
        page.put(sum(cpu, [](const ebpf_loader::SlotStats& slot) { return slot.emitted; }),
                 {{"cpu", std::to_string(cpu)}});
    page.begin("cpu_events_lost_total", "counter", "Events that the kernel side of a CPU lost, by cause.");
    for (size_t cpu = 0; cpu < cpus; ++cpu)
        for (size_t cause = 0; cause < EBT_LOSSES; ++cause)
            if (const uint64_t count =
                    sum(cpu, [&](const ebpf_loader::SlotStats& slot) { return slot.lost[cause]; }))
                page.put(count, {{"cpu", std::to_string(cpu)},
                                 {"cause", ebpf_loader::loss_name(static_cast<ebt_loss>(cause))}});
}

/// Outputs may have the same name, as two of syslog; a metric has one sample for it.
std::vector<Summary::Output> by_name(const std::vector<Summary::Output>& outputs) {
    std::vector<Summary::Output> merged;
    for (const Summary::Output& output : outputs) {
        const auto same = std::ranges::find(merged, output.name, &Summary::Output::name);
        if (same == merged.end()) {
            merged.push_back(output);
            continue;
        }
        same->written += output.written;
        same->lost += output.lost;
        same->queued_bytes += output.queued_bytes;
    }
    return merged;
}

/// The usual ones always, so that a rate has a beginning.
void put_causes(MetricPage& page, const Summary::Output& output) {
    std::map<std::string_view, uint64_t> causes = {{"queue_full", 0}, {"refused", 0}, {"run_end", 0}};
    for (const auto& [cause, count] : output.delivery->lost)
        causes[cause] += count;
    for (const auto& [cause, count] : causes)
        page.put(count, {{"output", output.name}, {"cause", cause}});
}

/// Of outputs that are configured, whose names differ.
void put_deliveries(MetricPage& page, const std::vector<Summary::Output>& outputs, uint64_t now_ns) {
    std::vector<const Summary::Output*> all, spooled;
    for (const Summary::Output& output : outputs) {
        if (!output.delivery)
            continue;
        all.push_back(&output);
        if (output.delivery->spool)
            spooled.push_back(&output);
    }
    const auto put = [&](const auto& those, const char* name, const char* type, const char* help, auto of) {
        if (those.empty())
            return;
        page.begin(name, type, help);
        for (const Summary::Output* output : those)
            page.put(of(*output->delivery), {{"output", output->name}});
    };
    put(all, "output_waiting_events", "gauge", "Events that wait in memory and in the spool of an output.",
        [](const DeliveryReport& delivery) { return delivery.waiting; });
    put(all, "output_queue_limit_bytes", "gauge", "What may wait in memory.",
        [](const DeliveryReport& delivery) { return delivery.queue_limit; });
    put(all, "output_retries_total", "counter", "Attempts to deliver that failed and are made again.",
        [](const DeliveryReport& delivery) { return delivery.retries; });
    put(all, "output_reports_lost_total", "counter",
        "Lines about the run itself that were lost: heartbeats, checkpoints, reports of losses.",
        [](const DeliveryReport& delivery) { return delivery.lost_reports; });
    put(all, "output_resumed_events_total", "counter", "Events of earlier runs that were in the spool.",
        [](const DeliveryReport& delivery) { return delivery.resumed; });
    put(spooled, "output_spool_bytes", "gauge", "What the spool takes on disk.",
        [](const DeliveryReport& delivery) { return delivery.spool->bytes; });
    put(spooled, "output_spool_limit_bytes", "gauge", "What it may take.",
        [](const DeliveryReport& delivery) { return delivery.spool->limit; });
    if (all.empty())
        return;
    page.begin("output_oldest_event_seconds", "gauge",
               "Age of the oldest event that the far end was offered and has not taken.");
    for (const Summary::Output* output : all) {
        const uint64_t oldest = output->delivery->oldest_ns;
        page.put_ns(oldest > 0 && oldest < now_ns ? now_ns - oldest : 0, {{"output", output->name}});
    }
    page.begin("output_events_lost_by_cause_total", "counter", "Events that an output lost, by cause.");
    for (const Summary::Output* output : all)
        put_causes(page, *output);
}

void put_outputs(MetricPage& page, const Summary& summary, uint64_t now_ns) {
    const std::vector<Summary::Output> outputs = by_name(summary.outputs);
    if (outputs.empty())
        return;
    const auto put = [&](const char* name, const char* type, const char* help, auto member) {
        page.begin(name, type, help);
        for (const Summary::Output& output : outputs)
            page.put(output.*member, {{"output", output.name}});
    };
    put("output_events_written_total", "counter", "Events that an output took.", &Summary::Output::written);
    put("output_events_lost_total", "counter", "Events that an output lost.", &Summary::Output::lost);
    put("output_queue_bytes", "gauge", "What waits in memory to be written by an output.",
        &Summary::Output::queued_bytes);
    put_deliveries(page, summary.outputs, now_ns);
}

void put_lag(MetricPage& page, const Lag& lag) {
    page.begin("lag_seconds", "histogram",
               "Time from an event to its hand-over to the outputs, of the oldest event of each batch.");
    uint64_t sum = 0;
    for (size_t i = 0; i < lag.counts().size(); ++i) {
        sum += lag.counts()[i];
        page.put(sum, {{"le", i < Lag::bounds.size() ? seconds_text(Lag::bounds[i]) : "+Inf"}}, "_bucket");
    }
    page.put_ns(lag.sum(), {}, "_sum");
    page.put(sum, {}, "_count");
}

void put_program(MetricPage& page, const Health& health) {
    const Summary& summary = health.summary;
    page.begin("cpu_seconds_total", "counter", "CPU time of the program.");
    page.put_ns(static_cast<uint64_t>(health.cpu.count()));
    page.gauge("resident_memory_bytes", "Resident memory of the program.", health.resident_bytes);
    page.gauge("known_processes", "Processes whose image is known.", summary.cached_processes);
    page.gauge("known_processes_bytes", "What their images take.", summary.cached_bytes);
    page.begin("images_total", "counter", "Images of processes, by where they came from.");
    page.put(summary.cache.records, {{"from", "record"}});
    page.put(summary.cache.inherited, {{"from", "parent"}});
    page.put(summary.cache.remembered + summary.cache.healed, {{"from", "proc"}});
    page.put(summary.cache.unhealed, {{"from", "nowhere"}});
    page.counter("images_evicted_total", "Living processes that were forgotten for lack of room.",
                 summary.cache.evicted);
    if (health.reloads) {
        page.begin("reloads_total", "counter", "Reloads of rules, outputs and options, by how they ended.");
        page.put(health.reloads->done, {{"result", "done"}});
        page.put(health.reloads->failed, {{"result", "failed"}});
    }
    if (!summary.helpers.empty()) {
        page.begin("helper_failures_total", "counter",
                   "What helper processes should have read and did not, by helper.");
        for (const auto& [name, failures] : summary.helpers)
            page.put(failures, {{"helper", name}});
    }
    if (summary.limits.max_cpu > 0) {
        page.counter("shed_total", "Times that ordinary events were shed for the limit of CPU time.",
                     summary.limits.times_shed);
        page.begin("shed_seconds_total", "counter", "How long they were shed.");
        page.put_ns(static_cast<uint64_t>(summary.limits.shed.count()));
    }
}

} // namespace

std::string prometheus_text(const Health& health) {
    MetricPage page(health.run.program);
    put_run(page, health.run);
    put_balance(page, health.summary);
    put_cpus(page, health.kernel);
    put_outputs(page, health.summary, health.now_ns);
    put_lag(page, health.lag);
    put_program(page, health);
    page.begin("report_time_seconds", "gauge", "When these values were so, as Unix time.");
    page.put_ns(health.now_ns);
    return page.text();
}

} // namespace telemetry
