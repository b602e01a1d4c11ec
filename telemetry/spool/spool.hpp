// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include "telemetry/spool/batch.hpp"
#include "telemetry/spool/folder.hpp"

namespace telemetry {

struct SpoolOptions {
    std::string folder;
    size_t bytes = 64 << 20;       ///< on disk, at most
    size_t memory_bytes = 8 << 20; ///< held while the disk takes nothing
};

/// Events on disk until the far end has acknowledged them: after a crash or an outage they are still there.
/// One thread appends, another reads and acknowledges. When seven eighths of the room are used up, vital
/// items alone are taken. A disk that takes nothing stops nobody: events wait in memory then, as many as may.
class Spool {
  public:
    /// Takes over what an earlier run left, whatever a crash made of it. Throws ebpf_loader::Error.
    explicit Spool(const SpoolOptions& options);
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    /// What was found at the start.
    struct Found {
        uint64_t events = 0;  ///< to be delivered
        uint64_t damaged = 0; ///< of which only a gap, or a rest, was found
    };
    Found found() const { return found_; }

    struct Refused {
        uint64_t full = 0;    ///< events for which the spool had no room
        uint64_t disk = 0;    ///< which the disk did not take, and for which the memory had no room
        uint64_t reports = 0; ///< lines that are no events, for one of these reasons
    };
    Refused append(const Batch& batch);
    /// Each second: what was appended survives a crash of the machine, too.
    void sync();

    struct Portion {
        Batch batch;
        bool is_on_disk = true; ///< false: it is nowhere else
    };
    /// The next items, at most so many bytes (but for one that is larger) and items; waits for the first.
    /// Empty when none came in time, or after wake().
    Portion read(size_t bytes, size_t items, std::chrono::milliseconds patience);
    /// All that was read has been delivered, or given up.
    void acknowledge();
    /// Has read() return.
    void wake();
    /// Events that turned out to be damaged only when they were read, since this was last asked.
    uint64_t take_damaged();

    /// At the end: what is in memory alone, and what the disk does not take now either.
    Batch take_memory();

    struct State {
        uint64_t bytes = 0; ///< on disk
        uint64_t items = 0; ///< not acknowledged
        std::string error;  ///< of the disk
    };
    State state() const;

    void put_aside(std::string_view lines) const { folder_.put_aside(lines); }

  private:
    struct Segment {
        uint64_t first = 0; ///< number of its first record
        uint64_t bytes = 0;
        uint64_t events = 0;    ///< that are to be read from it
        uint64_t last_read = 0; ///< number of the record
    };

    void recover();
    void look_at(uint64_t first, uint64_t& last, bool is_last_segment);
    bool write_to_disk(const Batch& batch);
    bool begin_segment();
    bool fail(const char* what);
    void write_memory();
    bool read_from_segment(Batch& batch, size_t bytes, size_t items);
    bool fill();
    void next_segment();
    bool is_written(size_t segment) const { return file_ && segment + 1 == segments_.size(); }
    bool can_read() const;

    const SpoolOptions options_;
    const size_t segment_bytes_;
    SpoolFolder folder_;
    Found found_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Segment> segments_; ///< the last is written to, if file_ is open
    ebpf_loader::UniqueFd file_;
    bool is_synced_ = true;
    uint64_t bytes_ = 0; ///< of all segments
    uint64_t next_ = 1;  ///< number of the next record
    std::deque<Batch> memory_;
    size_t memory_bytes_ = 0;
    std::string error_;
    bool is_woken_ = false;

    size_t reading_ = 0; ///< index of the segment that is read
    ebpf_loader::UniqueFd read_fd_;
    std::string text_;          ///< of it, what was not yet read
    uint64_t text_end_ = 0;     ///< offset in the segment
    uint64_t events_read_ = 0;  ///< from the segment
    uint64_t read_to_ = 0;      ///< number of the last record that was read
    uint64_t acknowledged_ = 0; ///< and acknowledged
    uint64_t written_acknowledged_ = 0;
    uint64_t damaged_ = 0;
};

} // namespace telemetry
