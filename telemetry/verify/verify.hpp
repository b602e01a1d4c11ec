// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace telemetry {

/// Tells from stored lines of JSON, in the order in which they were stored, whether all is there that runs
/// gave to an output: by its checkpoints, which count lines. What a run reports as lost, by that output or
/// before it came to one, is said and is no gap. Takes some 50 bytes of memory a line.
class StreamVerifier {
  public:
    void take(std::string_view line);
    /// A line for each run, and one if some lines are no events of ours. True: nothing is missing that is not
    /// reported as lost, as far as checkpoints reach.
    bool report(std::ostream& out) const;

  private:
    /// Between two checkpoints, fewer lines came than were given.
    struct Gap {
        std::string from, to; ///< times of the checkpoints; the first may be empty: since the start
        uint64_t missing = 0;
        uint64_t reported = 0; ///< of these, by the later checkpoint
    };
    /// What one run gave to one output.
    struct Run {
        std::string host, output;
        std::unordered_set<uint64_t> ids; ///< hashes of event.id
        uint64_t copies = 0;
        uint64_t given = 0;  ///< by the last checkpoint, which is among them
        uint64_t lost = 0;   ///< by the output, as it knew then
        uint64_t before = 0; ///< lines that were there when it came, with it
        uint64_t missing = 0;
        std::string checkpoint; ///< its time; empty: there is none
        bool is_over = false;
        bool has_other_output = false;
        std::vector<Gap> gaps;
        std::map<std::string, uint64_t> reports; ///< loss events: events by cause
        uint64_t balance_lost = 0;               ///< events that came to no output, by the last heartbeat
    };

    static void take_state(Run& run, const nlohmann::json& event, const std::string& action);
    static void take_checkpoint(Run& run, uint64_t lines, uint64_t lost, bool is_last,
                                const std::string& time);
    static uint64_t reported_lost(const Run& run);
    static void report_before_outputs(const Run& run, std::ostream& out);
    static bool report(const std::string& id, const Run& run, std::ostream& out);

    std::map<std::string, Run> runs_; ///< by agent.ephemeral_id
    uint64_t lines_ = 0, unreadable_ = 0, first_unreadable_ = 0;
};

/// Writes what is to be said of the files, one after another. Throws ebpf_loader::Error(usage) when one
/// cannot be read.
bool verify_files(const std::vector<std::string>& files, std::ostream& out);

} // namespace telemetry
