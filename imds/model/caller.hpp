// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/process/facts.hpp"
#include "telemetry/stack/call_stack.hpp"

namespace telemetry::imds {

class LineageNode;

/// The process part of an event with the bytes that its texts refer to.
class KeptProcess {
  public:
    explicit KeptProcess(const Event& event);
    KeptProcess(const KeptProcess&) = delete;
    KeptProcess& operator=(const KeptProcess&) = delete;

    const Event& event() const { return event_; }
    size_t size() const { return sizeof *this + bytes_.capacity(); }

  private:
    Event event_;
    std::string bytes_;
};

/// Do the events tell the same of their process and thread?
bool is_same_process(const Event& a, const Event& b);

/// Who made a call: all that there is to say, kept until the conversation is told.
struct Caller {
    explicit Caller(const Event& event) : process(event) {}

    KeptProcess process;
    bool is_known = true; ///< false: `process` has but the ids
    ProcessFacts facts;
    CallStack user_stack;
    std::shared_ptr<const LineageNode> lineage; ///< the process itself; null: nothing known
};

} // namespace telemetry::imds
