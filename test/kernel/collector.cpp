// SPDX-License-Identifier: MIT
#include <numeric>

#include "test/kernel/session.hpp"

namespace kernel_test {

Collector::Collector(ebpf_loader::Engine& engine) : engine_(engine) {
    decoder_.set_wall_clock_offset(engine.wall_clock_offset());
}

void Collector::take(std::span<const std::byte> record) {
    telemetry::Event event;
    if (!decoder_.decode(record, event))
        return;
    uint64_t& last = sequences_[{event.cpu, event.slot}];
    if (last != 0 && event.sequence != last + 1)
        missing_ += event.sequence - last - 1;
    last = event.sequence;
    cache_.enrich(event);
    events_.emplace_back(event);
}

void Collector::poll(std::chrono::milliseconds timeout) {
    engine_.poll([this](auto record) { take(record); }, timeout);
}

void Collector::finish() {
    engine_.stop();
    while (engine_.poll([this](auto record) { take(record); }, std::chrono::milliseconds(100)) != 0) {
    }
    stats_ = engine_.stats();
}

std::string Collector::problems(bool may_miss) const {
    std::string text;
    const auto expect = [&](const std::string& what, uint64_t seen, uint64_t expected) {
        if (seen != expected)
            text += what + ": " + std::to_string(seen) + ", expected " + std::to_string(expected) + "\n";
    };
    const uint64_t lost = std::accumulate(stats_.lost.begin(), stats_.lost.end(), uint64_t{0});
    expect("records refused", decoder_.refused(), 0);
    for (size_t i = 0; i < telemetry::defect_count; i++)
        expect("defects: " + std::string(telemetry::defect_name(static_cast<telemetry::Defect>(i))),
               decoder_.defects(static_cast<telemetry::Defect>(i)), 0);
    expect("gaps in the sequence numbers", missing_, 0);
    expect("seen, against filtered + emitted + lost", stats_.seen, stats_.filtered + stats_.emitted + lost);
    expect("events emitted, against those that arrived", stats_.emitted, events_.size());
    for (size_t cause = 0; cause < stats_.lost.size(); cause++)
        expect("lost: " + std::string(ebpf_loader::loss_name(static_cast<ebt_loss>(cause))),
               stats_.lost[cause], 0);
    if (!may_miss)
        expect("missed runs", stats_.missed_runs, 0);
    return text;
}

} // namespace kernel_test
