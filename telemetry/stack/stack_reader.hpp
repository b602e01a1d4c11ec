// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "telemetry/event/event.hpp"
#include "telemetry/process/proc_reader.hpp"
#include "telemetry/stack/call_stack.hpp"
#include "telemetry/stack/code_files.hpp"
#include "telemetry/stack/code_map.hpp"

namespace telemetry::imds {

/// Makes names of the stacks that come with events, from what the process has mapped. To be asked as soon as
/// the event is there: processes end. Nothing throws; what is not known is absent.
class StackReader {
  public:
    explicit StackReader(const std::string& proc_root);

    CallStack read(const Event& event);

    static constexpr size_t most_frames = 64;

  private:
    struct Name {
        std::string symbol;
        uint64_t offset = 0;
    };
    class Walk;

    std::shared_ptr<const CodeMap> map_of(const Event& event);
    bool is_still(const Event& event) const;

    using Process = std::tuple<uint32_t, uint64_t, uint32_t>; ///< pid, start, image
    std::string proc_root_;
    ProcReader reader_;
    uint64_t ns_per_tick_;
    std::map<Process, std::shared_ptr<const CodeMap>> maps_; ///< for when they have ended; a few
    std::map<std::pair<FileIdentity, uint64_t>, Name> names_;
    std::map<FileIdentity, std::string> build_ids_;
};

} // namespace telemetry::imds
