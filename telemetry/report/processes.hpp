// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

#include "telemetry/report/texts.hpp"

namespace telemetry::report {

constexpr int32_t no_process = -1;

/// Who the events tell of, by process.entity_id; without one, by host and pid.
class Processes {
  public:
    struct Process {
        int32_t parent = no_process;
        uint32_t pid = 0;
        std::optional<int64_t> start, end;                                         ///< nanoseconds since 1970
        uint32_t entity = 0, name = 0, executable = 0, command = 0, directory = 0; ///< texts
        uint32_t user = 0, container = 0, runtime = 0, host = 0, outcome = 0;      ///< texts
    };

    explicit Processes(Texts& texts) : texts_(texts) {}

    /// Takes what an event says of its process, that one's parent and its child; returns the process, or
    /// no_process if the event names none.
    int32_t take(const nlohmann::json& event, int64_t time);

    /// Ends circles of parents, which only forged events have. Call it once all events are taken.
    void untangle();

    const std::vector<Process>& all() const { return all_; }

  private:
    int32_t known_as(const std::string& place, bool has_entity, std::optional<int64_t> start) const;
    int32_t named(const nlohmann::json& process, const std::string& host);
    void describe(Process& process, const nlohmann::json& of);
    void note_child(const nlohmann::json& event, int32_t parent, int64_t time, const std::string& host);

    Texts& texts_;
    std::vector<Process> all_;
    std::unordered_map<std::string, int32_t> by_id_;
    std::unordered_map<std::string, int32_t> latest_; ///< of that host and pid
};

/// "ann", or "ann>root" where real and effective user differ; the id of one without a name.
std::string user_of(const nlohmann::json& process);

} // namespace telemetry::report
