// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/hash/cpu_share.hpp"
#include "telemetry/hash/executable.hpp"

namespace telemetry {

/// The SHA-256 of what processes execute. An event never waits for one: a thread of its own reads the files,
/// one after the other and the smallest first, and what it found is there for later events, of any process
/// that executes the same content.
class ExecutableHashes {
  public:
    struct Limits {
        uint64_t file_bytes = 256u << 20;
        size_t files = 16384;  ///< that are remembered
        size_t waiting = 1024; ///< to be read; beyond, the largest is given up
        CpuShare::Limit cpu = {};
    };
    struct Counters {
        uint64_t hashed = 0;
        uint64_t gone = 0;       ///< the process ended before its file could be read
        uint64_t refused = 0;    ///< too large, or not to be read safely
        uint64_t changed = 0;    ///< the file changed before it was read
        uint64_t given_up = 0;   ///< for lack of room in the queue
        uint64_t remembered = 0; ///< files, now
    };

    explicit ExecutableHashes(const std::string& proc_root) : ExecutableHashes(proc_root, Limits()) {}
    ExecutableHashes(const std::string& proc_root, const Limits& limits);
    ~ExecutableHashes();
    ExecutableHashes(const ExecutableHashes&) = delete;
    ExecutableHashes& operator=(const ExecutableHashes&) = delete;

    /// Of the event's executable, valid until the next call; empty while it is not known. It is asked for
    /// then.
    std::string_view find(const Event& event);
    Counters counters() const;

  private:
    /// A file that was written to within the last tick of its file system's clock may be written to again
    /// without a sign: its hash is that of one process.
    struct Key {
        FileVersion version;
        uint32_t pid = 0;
        uint64_t start_time_ns = 0;
        auto operator<=>(const Key&) const = default;
    };
    struct Entry {
        bool is_waiting = true;
        bool is_hashed = false;
        bool is_open = false; ///< the process that was asked is gone: another may say
        uint32_t pid = 0;     ///< of the process that was asked
        uint64_t start_time_ns = 0;
        uint64_t used = 0; ///< when, by uses_
        Sha256 sha256{};
    };
    struct Job {
        Key key;
        ExecutableReader::Request request;
    };
    using Result = ExecutableReader::Result;

    static Key key_of(const Event& event);
    void ask(const Key& key, const Event& event);
    void take_results();
    void take_result(const Key& key, const Result& result);
    void make_room();
    void work();
    bool rest();

    const Limits limits_;
    std::map<Key, Entry> entries_; ///< of the thread that reads events
    uint64_t uses_ = 0;
    Counters counters_;

    std::mutex mutex_; ///< of what follows
    std::condition_variable wakes_;
    std::multimap<uint64_t, Job> jobs_; ///< by size
    std::vector<std::pair<Key, Result>> results_;
    std::atomic<bool> has_results_ = false;
    bool ends_ = false;

    CpuShare share_; ///< of the thread
    ExecutableReader reader_;
    std::thread thread_;
};

} // namespace telemetry
