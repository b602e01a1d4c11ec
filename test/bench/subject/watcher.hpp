// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace bench {

/// Something that watches system calls in this process, and can be switched on and off.
class Watcher {
  public:
    virtual ~Watcher() = default;
    virtual void on() = 0;
    /// Detaches and reads what is left.
    virtual void off() = 0;
    /// Reads for a while. What is read is counted and thrown away.
    virtual void poll() = 0;
    /// Since the start: records, bytes, seen, filtered, emitted, lost.CAUSE ...
    virtual std::map<std::string, uint64_t> counts() const = 0;
};

/// "empty", "empty_tp", "bitmap", "record_ring" or "record_perf"; null for any other.
std::unique_ptr<Watcher> make_floor(const std::string& name);

/// What the engine is to select.
struct Choice {
    std::string tier;  ///< empty: the best
    std::string rules; ///< text, as rule files have it
};
using OnRecord = std::function<void(std::span<const std::byte>)>;
std::unique_ptr<Watcher> make_engine(const Choice& choice, OnRecord on_record = {});

/// Becomes a command that finds, instead of the system's log, one that throws all away. At the end
/// that one prints "N messages M marked": those with the marker in them.
[[noreturn]] void with_false_syslog(const std::string& marker, char** command);

} // namespace bench
