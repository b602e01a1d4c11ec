// SPDX-License-Identifier: MIT
#include "imds/app/extension.hpp"

#include <optional>
#include <utility>

#include "imds/app/streams.hpp"
#include "imds/app/tracker.hpp"
#include "imds/output/formatter.hpp"
#include "telemetry/app/engine_setup.hpp"
#include "telemetry/limits/memory_budget.hpp"

namespace telemetry::imds {
namespace {

constexpr uint64_t ring_wait_ns = 20'000'000; ///< one buffer: all but in order

class ImdsExtension final : public Extension {
  public:
    ImdsExtension(const Format& format, size_t max_memory) : format_(format), max_memory_(max_memory) {}

    void select(ebpf_loader::Selection& selection) const override {
        selection.select_streams(kernel_endpoints(endpoints_));
    }
    void begin(ebpf_loader::Engine& engine, const FormatContext& context) override {
        ImdsFormatOptions options;
        options.context = context;
        options.users = std::make_shared<const UserNames>("/etc/passwd");
        formatter_ = make_imds_formatter(format_, options);
        ImdsTracker::Options tracker;
        tracker.endpoints = endpoints_;
        tracker.connections.held_bytes =
            MemoryBudget::conversations(max_memory_, engine.buffer_memory(), tracker.connections.held_bytes);
        if (engine.uses_ring_buffer())
            tracker.queue.wait_ns = ring_wait_ns;
        tracker_.emplace(std::move(tracker), [this](const ImdsEvent& event) { put(event); });
        gate_.emplace(engine, *tracker_, "/proc");
    }
    void started() override { tracker_->remember_running(); }
    bool take(const Event& event) override {
        tracker_->take(event);
        Segment segment;
        return make_segment(event, segment) && tracker_->take(segment);
    }
    void tick() override {
        tracker_->tick(wall_clock_ns());
        gate_->tick();
    }
    void finish() override { tracker_->finish(); }
    uint64_t take_lines(std::string& out) override {
        out.append(lines_);
        lines_.clear();
        return std::exchange(count_, 0);
    }

  private:
    void put(const ImdsEvent& event) {
        formatter_->format(event, lines_);
        ++count_;
    }

    const Format& format_;
    const size_t max_memory_;
    const Endpoints endpoints_ = Endpoints::built_in();
    std::unique_ptr<ImdsFormatter> formatter_;
    std::optional<ImdsTracker> tracker_;
    std::optional<StreamGate> gate_;
    std::string lines_;
    uint64_t count_ = 0;
};

} // namespace

std::unique_ptr<Extension> make_imds_extension(const Format& format, size_t max_memory) {
    return std::make_unique<ImdsExtension>(format, max_memory);
}

} // namespace telemetry::imds
