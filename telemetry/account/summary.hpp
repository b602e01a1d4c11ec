// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/process/cache.hpp"

namespace telemetry {

/// What became of the events for an output that has a queue of its own.
/// offered + resumed == delivered + waiting + lost.
struct DeliveryReport {
    uint64_t offered = 0;   ///< events of this run, but for those that its filter keeps away
    uint64_t resumed = 0;   ///< events of earlier runs, from the spool
    uint64_t delivered = 0; ///< taken by the far end
    uint64_t waiting = 0;   ///< in the queue or the spool
    std::vector<std::pair<std::string_view, uint64_t>> lost; ///< by cause, those that happened
    uint64_t lost_of_run = 0;                                ///< of `lost`, those of this run
    uint64_t lost_reports = 0;                               ///< lines that are no events
    uint64_t retries = 0;                                    ///< attempts that the far end did not take
    /// What the far end has been offered and not taken: since when its oldest event is, wall clock in ns; 0:
    /// nothing.
    uint64_t oldest_ns = 0;
    uint64_t queue_limit = 0; ///< bytes that may wait in memory
    struct Spool {
        uint64_t bytes = 0, limit = 0; ///< on disk; what is delivered goes a segment at a time
    };
    std::optional<Spool> spool = std::nullopt;
};

/// What an output has done, as its sink reports.
struct OutputReport {
    std::string_view name;  ///< "screen", "file", "syslog"
    std::string_view cause; ///< of its losses, in the stream: "output_file". Outlives the ledger
    uint64_t lost = 0;
    std::string_view error;
    uint64_t queued_bytes = 0;                             ///< what waits to be written
    std::optional<DeliveryReport> delivery = std::nullopt; ///< none: it takes what it gets at once
};

/// What the program took of what --max-cpu and --max-memory let it take.
struct LimitsReport {
    unsigned max_cpu = 0;                   ///< percent; 0: no limit
    std::chrono::nanoseconds wall{};        ///< since events are reported
    std::chrono::nanoseconds used{};        ///< of CPUs, in that time
    uint64_t times_shed = 0;                ///< ordinary events were shed
    std::chrono::nanoseconds shed{};        ///< how long they were shed, in all
    std::chrono::nanoseconds paused{};      ///< how long the reader was paused
    size_t max_memory = 0;                  ///< bytes; 0: no limit
    size_t resident = 0, most_resident = 0; ///< sampled once a second
    uint64_t times_shrunk = 0;              ///< caches were halved
};

/// A process beside the program, and how often it did not do what it is for.
struct HelperReport {
    std::string_view name; ///< "http", "stack"
    uint64_t failures = 0;
};

/// Where all events have gone. seen == filtered + folded + emitted + lost + in_flight.
struct Summary {
    struct Output {
        std::string name;
        uint64_t written = 0;
        uint64_t lost = 0;
        std::string error;
        uint64_t queued_bytes = 0;
        std::optional<DeliveryReport> delivery = std::nullopt;
    };

    uint64_t seen = 0;
    uint64_t filtered_in_kernel = 0;
    uint64_t filtered_by_rules = 0;
    uint64_t folded = 0;                                ///< others that are like them stand for them
    uint64_t emitted = 0;                               ///< handed to every output
    uint64_t in_flight = 0;                             ///< captured, on the way here; 0 at the end
    std::vector<std::pair<std::string, uint64_t>> lost; ///< by cause, those that happened
    std::vector<Output> outputs;

    uint64_t missed_runs = 0;       ///< hooks that the kernel did not run: never seen
    uint64_t unseen_operations = 0; ///< of io_uring, submitted, that no event tells of
    uint64_t tampered = 0;          ///< times that the kernel side was changed by others
    uint64_t sequence_gaps = 0;
    uint64_t field_faults = 0; ///< fields of events that came, whose memory was not there
    ProcessCache::Counters cache;
    uint64_t cached_processes = 0;
    uint64_t cached_bytes = 0;
    LimitsReport limits;
    std::vector<HelperReport> helpers; ///< those that there are

    uint64_t lost_in_all() const;
    /// What the two sides of the equation differ by; 0 at the end, or something is wrong.
    int64_t imbalance() const;
};

} // namespace telemetry
