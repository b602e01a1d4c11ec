// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/process/facts.hpp"
#include "telemetry/stack/call_stack.hpp"

namespace telemetry {
class LineageNode;
}

namespace telemetry::imds {

/// A copy of the part of an event that describes its process. It owns the bytes that its texts refer to.
class ProcessSnapshot {
  public:
    explicit ProcessSnapshot(const Event& event);
    ProcessSnapshot(const ProcessSnapshot&) = delete;
    ProcessSnapshot& operator=(const ProcessSnapshot&) = delete;

    const Event& event() const { return event_; }
    size_t size() const { return sizeof(*this) + bytes_.capacity(); }

  private:
    Event event_;
    std::string bytes_;
};

/// Do both events describe the same process and thread alike?
bool is_same_process(const Event& a, const Event& b);

/// The process that made a call, as it was known at that time. It is kept until the exchange is reported.
struct Caller {
    explicit Caller(const Event& event) : process(event) {}

    ProcessSnapshot process;
    bool is_known = true; ///< false: only the ids in `process` are known
    ProcessFacts facts;
    CallStack user_stack;
    std::shared_ptr<const LineageNode> lineage; ///< of the process itself; null if unknown
};

using SharedCaller = std::shared_ptr<const Caller>;

} // namespace telemetry::imds
