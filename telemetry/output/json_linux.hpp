// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "telemetry/event/event.hpp"
#include "telemetry/output/address.hpp"
#include "telemetry/output/constant_names.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/output/json_calls.hpp"
#include "telemetry/output/json_ecs.hpp"
#include "telemetry/output/json_line.hpp"

namespace telemetry {

/// The object `linux`: what the Elastic Common Schema has no place for. To be written last,
/// since it tells what is noteworthy about the fields before it.
class JsonLinux {
  public:
    explicit JsonLinux(const FormatContext& context);

    const JsonCall& call(const ebpf_loader::SyscallRow& row) { return calls_.of(row); }
    void put(JsonLine& line, const Event& event, const JsonCall* call, const Ends& ends, JsonEcs& ecs);
    void put_loss(JsonLine& line, const LossEvent& loss);

  private:
    void put_syscall(JsonLine& line, const Event& event, const JsonCall* call);
    void put_constants(JsonLine& line, const Event& event, const JsonCall& call);
    void put_telemetry(JsonLine& line, const Event& event);

    ConstantNames names_;
    JsonCalls calls_;
    std::string telemetry_; ///< the start of the object `telemetry`
};

/// What is noteworthy about the fields of the line so far, and the bytes that are no UTF-8:
/// members of linux.telemetry, each with a comma before it.
void put_json_notes(JsonLine& line, const Event& event);

} // namespace telemetry
