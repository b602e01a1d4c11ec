// SPDX-License-Identifier: MIT
#include "ledger.hpp"

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

std::vector<LossEvent> Ledger::new_losses(const ebpf_loader::EngineStats& stats,
                                          std::span<const OutputReport> outputs, uint64_t time_ns) {
    std::vector<LossEvent> losses;
    auto tell = [&](std::string_view cause, uint64_t count) {
        uint64_t& told = told_[cause];
        if (count > told)
            losses.push_back({time_ns, cause, count - told, -1});
        told = count;
    };
    for (size_t cause = 0; cause < stats.lost.size(); cause++)
        tell(ebpf_loader::loss_name(static_cast<ebt_loss>(cause)), stats.lost[cause]);
    tell("missed_run", stats.missed_runs);
    tell("malformed", malformed_);
    for (const OutputReport& output : outputs)
        tell(output.cause, output.lost);
    return losses;
}

Summary Ledger::summary(const ebpf_loader::EngineStats& stats, std::span<const OutputReport> outputs,
                        bool is_final) const {
    Summary summary;
    summary.seen = stats.seen;
    summary.filtered_in_kernel = stats.filtered;
    summary.filtered_by_rules = filtered_;
    summary.emitted = emitted_;
    auto lose = [&](std::string_view cause, uint64_t count) {
        if (count > 0)
            summary.lost.emplace_back(cause, count);
    };
    for (size_t cause = 0; cause < stats.lost.size(); cause++)
        lose(ebpf_loader::loss_name(static_cast<ebt_loss>(cause)), stats.lost[cause]);
    lose("malformed", malformed_);
    if (is_final) // the kernel handed them over, and they never came
        lose("undelivered", beyond(stats.emitted, received_ + malformed_));
    else
        summary.in_flight = beyond(stats.seen, stats.filtered + filtered_ + emitted_ + summary.lost_in_all());
    for (const OutputReport& output : outputs)
        summary.outputs.push_back({std::string(output.name), beyond(emitted_, output.lost), output.lost,
                                   std::string(output.error)});
    summary.missed_runs = stats.missed_runs;
    summary.sequence_gaps = sequences_.missing();
    return summary;
}

} // namespace telemetry
