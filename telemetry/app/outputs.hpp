// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/account/summary.hpp"
#include "telemetry/sink/sinks.hpp"

namespace telemetry {

/// Everywhere that the options want events to go.
class Outputs {
  public:
    /// Opens them all. Throws ebpf_loader::Error.
    Outputs(const std::vector<Destination>& destinations, const SinkContext& context);

    bool empty() const { return outputs_.empty(); }
    /// The formats of sinks that have one of their own.
    std::vector<const Format*> own_formats() const;

    /// Lines in the program's format, for all sinks but those with a format of their own.
    void write(std::string_view lines, uint64_t events);
    /// The events of the same lines for the sinks that have this format of their own.
    void write_own(const Format& format, std::string_view lines, uint64_t events);
    void flush();
    /// The very end. An output that lost every event counts as one that broke.
    void finish();
    /// Opens the files anew. False when no output is a file.
    bool reopen();
    /// Those that reopen() opens.
    std::vector<std::string> files() const;
    /// Logs each output that broke, once. False when none is left of those there were.
    bool usable();

    std::vector<OutputReport> reports() const;

  private:
    struct Output {
        const SinkKind* kind;
        std::string name;
        std::unique_ptr<Sink> sink;
        bool is_reported = false; ///< that it broke, or took nothing
    };

    void write_to(const Format* own_format, std::string_view lines, uint64_t events);

    std::vector<Output> outputs_;
    uint64_t events_ = 0; ///< given to each
};

} // namespace telemetry
