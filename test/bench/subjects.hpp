// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/bench/process.hpp"
#include "test/bench/settings.hpp"

namespace bench {

/// What something did between on() and off().
struct Outcome {
    std::map<std::string, uint64_t> counts; ///< seen, filtered, emitted, lost.CAUSE, delivered ...
    uint64_t cpu_ns = 0;
    uint64_t peak_memory = 0; ///< bytes; 0: unknown

    uint64_t lost() const;
    bool has(const std::string& name) const { return counts.contains(name); }
    uint64_t get(const std::string& name) const { return has(name) ? counts.at(name) : 0; }
};

/// Something whose cost is of interest. Throws when it does not work.
class Subject {
  public:
    virtual ~Subject() = default;
    /// Returns once calls are watched.
    virtual void on() {}
    virtual Outcome off() { return {}; }
    /// Bytes of memory that it has now, while it is on; 0: unknown.
    virtual uint64_t resident() const { return 0; }
    /// The workload's command as this subject wants it run while it is on.
    virtual Command around(const Command& command) const { return command; }
};

enum class Group { control, floor, engine, program, rival };

struct Candidate {
    std::string name;  ///< "raw_tp", "floor bitmap", "auditd"
    std::string about; ///< a line for the report
    Group group;
    std::string absent; ///< why it cannot be measured here; empty: it can
    std::function<std::unique_ptr<Subject>()> make;
};

std::vector<Candidate> floors(const Settings& settings);
/// The engine in each tier, its records thrown away.
std::vector<Candidate> engines(const Settings& settings);
/// ebpf_telemetry in its best tier. `output`: text, json, syslog or null; the rules are
/// cost.rules, or with `built_in_rules` its own.
Candidate program(const Settings& settings, const std::string& output, bool built_in_rules = false);
std::vector<Candidate> rivals(const Settings& settings);
Candidate nothing();

/// bench_subject with these words; see subject.cpp.
std::unique_ptr<Subject> make_helper(const Settings& settings, Command words);

} // namespace bench
