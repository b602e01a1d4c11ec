// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>

#include "sinks.hpp"

namespace telemetry {
namespace {

class TeeSink final : public Sink {
  public:
    explicit TeeSink(std::vector<std::unique_ptr<Sink>> sinks) : sinks_(std::move(sinks)) {}

    void write(std::string_view lines, uint64_t events) override {
        for (const auto& sink : sinks_)
            sink->write(lines, events);
    }
    void flush() override {
        for (const auto& sink : sinks_)
            sink->flush();
    }
    void finish() override {
        for (const auto& sink : sinks_)
            sink->finish();
    }
    uint64_t lost() const override {
        uint64_t most = 0;
        for (const auto& sink : sinks_)
            most = std::max(most, sink->lost());
        return most;
    }
    bool broken() const override {
        return !sinks_.empty() &&
               std::ranges::all_of(sinks_, [](const auto& sink) { return sink->broken(); });
    }
    std::string_view error() const override {
        error_.clear();
        for (const auto& sink : sinks_) {
            if (!sink->error().empty())
                error_.append(error_.empty() ? "" : "; ").append(sink->error());
        }
        return error_;
    }

  private:
    std::vector<std::unique_ptr<Sink>> sinks_;
    mutable std::string error_; ///< what error() gave out last
};

class NullSink final : public Sink {
  public:
    void write(std::string_view, uint64_t) override {}
    void flush() override {}
    uint64_t lost() const override { return 0; }
    bool broken() const override { return false; }
    std::string_view error() const override { return {}; }
};

} // namespace

std::unique_ptr<Sink> make_tee_sink(std::vector<std::unique_ptr<Sink>> sinks) {
    return std::make_unique<TeeSink>(std::move(sinks));
}

std::unique_ptr<Sink> make_null_sink() {
    return std::make_unique<NullSink>();
}

} // namespace telemetry
