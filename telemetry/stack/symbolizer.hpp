// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "telemetry/event/event.hpp"
#include "telemetry/process/procfs.hpp"
#include "telemetry/stack/call_stack.hpp"
#include "telemetry/stack/code_files.hpp"
#include "telemetry/stack/code_map.hpp"

namespace telemetry {

/// Finds the functions of the stacks that come with events, in what the process has mapped. It must be
/// called as soon as the event is there, since processes end. What is not known is absent.
class Symbolizer {
  public:
    explicit Symbolizer(const std::string& proc_root);

    CallStack symbolize(const Event& event);

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
    Procfs procfs_;
    std::map<Process, std::shared_ptr<const CodeMap>> maps_; ///< of the last processes, which may have ended
    std::map<std::pair<FileIdentity, uint64_t>, Name> names_;
    std::map<FileIdentity, std::string> build_ids_;
};

} // namespace telemetry
