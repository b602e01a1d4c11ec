// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/account/ledger.hpp"
#include "telemetry/cli/options.hpp"
#include "telemetry/sink/sinks.hpp"

namespace telemetry {

/// Everywhere that the options want events to go.
class Outputs {
  public:
    /// Opens them all. Throws ebpf_loader::Error.
    explicit Outputs(const Options& options);

    void write(std::string_view lines, uint64_t events);
    void flush();
    /// The very end. An output that lost every event counts as one that broke.
    void finish();
    /// Opens the files anew. False when there is none.
    bool reopen();
    /// Logs each output that broke, once. False when none is left of those there were.
    bool usable();

    std::vector<OutputReport> reports() const;

  private:
    struct Output {
        std::string name;
        std::string_view cause;
        std::unique_ptr<Sink> sink;
        FileSink* file = nullptr; ///< the sink, where it is one
        bool told = false;        ///< that it broke, or took nothing
    };

    std::vector<Output> outputs_;
    uint64_t events_ = 0; ///< given to each
};

} // namespace telemetry
