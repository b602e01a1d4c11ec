// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/event/facts.hpp"

namespace telemetry {

/// execvp(3) and shells try to execute a program in one directory of PATH after the other. Of the attempts of
/// such a search that find no file (ENOENT) only the last is an event, and only where the search found
/// nothing: by then the process has tried something else, has ended, or has done neither for a second. The
/// attempts are kept as the records that they came in, since decoded events do not outlive the next one.
class ExecSearches {
  public:
    using Clock = std::chrono::steady_clock;
    using Record = std::vector<std::byte>;

    static constexpr std::chrono::seconds patience{1}; ///< from a search's first attempt on
    static constexpr size_t most = 1024;               ///< searches at a time: with more, the oldest ends
    static constexpr size_t most_bytes = 4 << 20;      ///< of records, likewise

    /// What an event changes.
    struct Step {
        bool keeps = false;         ///< its record is kept, and it is no event for now
        bool supersedes = false;    ///< the attempt that was kept before it is no event
        std::vector<Record> failed; ///< these attempts are events, and happened before
    };

    /// Can the event begin a search, or change one?
    bool concerns(const Event& event) const {
        return is_exec_call(event) ||
               ((event.kind == EBT_EXIT || event.kind == EBT_EXEC) && !attempts_.empty());
    }
    /// To be called for those; `record` is the event's.
    Step take(const Event& event, std::span<const std::byte> record, Clock::time_point now);
    /// The attempts of searches that have lasted too long; they are events.
    std::vector<Record> expired(Clock::time_point now);
    /// All that are kept; they are events.
    std::vector<Record> all() { return expired(Clock::time_point::max()); }

  private:
    struct Attempt {
        uint32_t pid;
        uint64_t start_time_ns;
        std::string path, argv0;
        Record record;
        Clock::time_point end; ///< of the search
    };
    using Attempts = std::list<Attempt>; ///< by `end`

    void begin(const Event& event, std::string_view path, std::span<const std::byte> record,
               Clock::time_point now, Step& step);
    static bool is_found(const Attempt& attempt, const Event& event);
    void replace(Attempt& attempt, std::string_view path, std::span<const std::byte> record);
    Record release(Attempts::iterator attempt);

    Attempts attempts_;
    std::unordered_map<uint32_t, Attempts::iterator> of_process_; ///< by its number
    size_t bytes_ = 0;
};

} // namespace telemetry
