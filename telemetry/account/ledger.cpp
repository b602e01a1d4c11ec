// SPDX-License-Identifier: MIT
#include "telemetry/account/ledger.hpp"

namespace telemetry {

namespace {

uint64_t beyond(uint64_t a, uint64_t b) {
    return a > b ? a - b : 0;
}

} // namespace

void Ledger::received(const Event& event) {
    sequences_.note(event.cpu, event.slot, event.sequence);
    ++received_;
}

uint64_t Ledger::emitted(const Event& event) {
    ++emitted_;
    return sequences_.take_gap(event.cpu, event.slot);
}

/// Makes loss events of the counters that have grown since they were reported last.
class Ledger::LossReporter {
  public:
    LossReporter(Ledger& ledger, uint64_t time_ns) : ledger_(ledger), time_ns_(time_ns) {}

    /// Of no CPU in particular.
    void add(std::string_view cause, uint64_t count) {
        if (uint64_t more = grown(cause, -1, count))
            losses.push_back({time_ns_, cause, more});
    }
    /// Of a CPU's slot, at [cpu * EBT_SLOTS + slot].
    void add(size_t index, const ebpf_loader::SlotStats& slot) {
        std::optional<LossEvent::Gap> gap;
        for (size_t i = 0; i < slot.lost.size(); ++i) {
            if (slot.lost[i] == 0)
                continue;
            const auto cause = static_cast<ebt_loss>(i);
            const uint64_t more = grown(ebpf_loader::loss_name(cause), static_cast<int>(index), slot.lost[i]);
            if (more == 0)
                continue;
            if (takes_numbers(cause) && !gap)
                if (auto range = ledger_.sequences_.take_range(index, slot.last_lost))
                    gap = {static_cast<uint16_t>(index % EBT_SLOTS), range->first, range->last};
            losses.push_back({time_ns_, ebpf_loader::loss_name(cause), more,
                              static_cast<int>(index / EBT_SLOTS),
                              takes_numbers(cause) ? gap : std::nullopt});
        }
    }

    std::vector<LossEvent> losses;

  private:
    /// A record gets its number when it is begun: those that never were have none.
    static bool takes_numbers(ebt_loss cause) {
        return cause == EBT_LOST_BUFFER_FULL || cause == EBT_LOST_NO_BUFFER || cause == EBT_LOST_RATE_LIMIT ||
               cause == EBT_LOST_MAX_CPU;
    }
    uint64_t grown(std::string_view cause, int slot, uint64_t count) {
        uint64_t& reported = ledger_.reported_[{cause, slot}];
        const uint64_t more = beyond(count, reported);
        reported += more;
        return more;
    }

    Ledger& ledger_;
    const uint64_t time_ns_;
};

std::vector<LossEvent> Ledger::new_losses(const ebpf_loader::EngineStats& stats,
                                          std::span<const OutputReport> outputs, uint64_t time_ns) {
    LossReporter reporter(*this, time_ns);
    for (size_t index = 0; index < stats.slots.size(); ++index)
        reporter.add(index, stats.slots[index]);
    reporter.add("missed_run", stats.missed_runs);
    reporter.add("unseen_operation", stats.unseen_operations);
    reporter.add("malformed", malformed_);
    reporter.add("run_end", left_over_);
    reporter.add("tampered", tampered_);
    std::map<std::string_view, uint64_t> by_outputs; // several may share a cause
    for (const OutputReport& output : outputs)
        by_outputs[output.cause] += output.lost;
    for (const auto& [cause, count] : by_outputs)
        reporter.add(cause, count);
    return std::move(reporter.losses);
}

Summary Ledger::summary(const ebpf_loader::EngineStats& stats, std::span<const OutputReport> outputs,
                        bool is_final) const {
    Summary summary;
    summary.seen = stats.seen;
    summary.filtered_in_kernel = stats.filtered;
    summary.filtered_by_rules = filtered_;
    summary.folded = folded_;
    summary.emitted = emitted_;
    auto lose = [&](std::string_view cause, uint64_t count) {
        if (count > 0)
            summary.lost.emplace_back(cause, count);
    };
    for (size_t cause = 0; cause < stats.lost.size(); ++cause)
        lose(ebpf_loader::loss_name(static_cast<ebt_loss>(cause)), stats.lost[cause]);
    lose("malformed", malformed_);
    lose("run_end", left_over_);
    if (is_final) // the kernel handed them over, and they never came
        lose("undelivered", beyond(stats.emitted, received_ + malformed_ + left_over_));
    else
        summary.in_flight =
            beyond(stats.seen, stats.filtered + filtered_ + folded_ + emitted_ + summary.lost_in_all());
    for (const OutputReport& output : outputs)
        summary.outputs.push_back(
            {std::string(output.name),
             output.delivery ? output.delivery->delivered : beyond(emitted_, output.lost), output.lost,
             std::string(output.error), output.queued_bytes, output.delivery});
    summary.missed_runs = stats.missed_runs;
    summary.unseen_operations = stats.unseen_operations;
    summary.tampered = tampered_;
    summary.sequence_gaps = sequences_.missing();
    return summary;
}

} // namespace telemetry
