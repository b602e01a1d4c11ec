// SPDX-License-Identifier: MIT
// Our engine with a reader that throws everything away: what the kernel side alone costs.
#include "test/bench/subject/watcher.hpp"

#include <ebpf_loader/engine.hpp>

#include "telemetry/rules/rules.hpp"

#include <stdexcept>

namespace bench {
namespace {

using namespace ebpf_loader;

class EngineWatcher : public Watcher {
  public:
    EngineWatcher(const Choice& choice, OnRecord on_record)
        : engine_(telemetry::Rules::parse(choice.rules, "rules").compile(), options(choice)),
          on_record_(std::move(on_record)) {}

    void on() override { engine_.start(); }
    void off() override {
        engine_.stop();
        while (read(std::chrono::milliseconds(0)) > 0) {
        }
    }
    void poll() override { read(std::chrono::milliseconds(20)); }
    std::map<std::string, uint64_t> counts() const override;

  private:
    static EngineOptions options(const Choice& choice) {
        EngineOptions options;
        if (choice.tier.empty())
            return options;
        options.tier = parse_tier(choice.tier);
        if (!options.tier)
            throw std::runtime_error("no such tier: " + choice.tier);
        return options;
    }
    size_t read(std::chrono::milliseconds timeout) {
        const auto count = [&](std::span<const std::byte> record) {
            records_++;
            bytes_ += record.size();
            if (on_record_)
                on_record_(record);
        };
        return engine_.poll(count, timeout);
    }

    Engine engine_;
    OnRecord on_record_;
    uint64_t records_ = 0;
    uint64_t bytes_ = 0;
};

std::map<std::string, uint64_t> EngineWatcher::counts() const {
    const EngineStats stats = engine_.stats();
    std::map<std::string, uint64_t> counts = {
        {"records", records_},        {"bytes", bytes_},          {"seen", stats.seen},
        {"filtered", stats.filtered}, {"emitted", stats.emitted}, {"missed_runs", stats.missed_runs},
    };
    for (int cause = 0; cause < EBT_LOSSES; cause++)
        counts["lost." + std::string(loss_name(static_cast<ebt_loss>(cause)))] = stats.lost[cause];
    return counts;
}

} // namespace

std::unique_ptr<Watcher> make_engine(const Choice& choice, OnRecord on_record) {
    return std::make_unique<EngineWatcher>(choice, std::move(on_record));
}

} // namespace bench
