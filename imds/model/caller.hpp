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

/// What an event says of its process, with the bytes that its texts refer to.
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

/// Do the events say the same of their process and thread?
bool is_same_process(const Event& a, const Event& b);

/// Who made a call: all that is known of the process then, until the conversation is reported.
struct Caller {
    explicit Caller(const Event& event) : process(event) {}

    ProcessSnapshot process;
    bool is_known = true; ///< false: `process` has the ids alone
    ProcessFacts facts;
    CallStack user_stack;
    std::shared_ptr<const LineageNode> lineage; ///< the process itself; null: nothing known
};

using SharedCaller = std::shared_ptr<const Caller>;

} // namespace telemetry::imds
