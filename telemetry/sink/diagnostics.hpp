// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include "telemetry/sink/stream.hpp"

namespace telemetry {

/// What the program says of itself: log messages, statistics. They wait for their reader in a queue of
/// bounded size, as events do, and never hold the program up. Lines that find no room are dropped; how
/// many, is logged when the reader takes something again. Any thread may call.
class Diagnostics {
  public:
    /// `fd` stays open. What is no open descriptor for writing gets nothing.
    explicit Diagnostics(int fd, const StreamOptions& options = {.buffer_bytes = 64 * 1024, .patience = {}});

    /// Those on standard error, where all of the program's go.
    static Diagnostics& standard_error();

    /// Whole lines.
    void put(std::string_view lines);
    /// Writes of what waits as much as can be written now, and logs what was dropped. To be called from
    /// time to time, but not by the log.
    void flush();
    /// The very end: a reader that is slow is waited for a little.
    void finish();

    uint64_t dropped() const;

  private:
    uint64_t take_dropped();

    mutable std::mutex mutex_;         ///< outputs' threads log too
    std::unique_ptr<StreamSink> sink_; ///< null: nothing can be written
    uint64_t reported_ = 0;            ///< of those dropped
};

} // namespace telemetry
