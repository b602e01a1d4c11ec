// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "telemetry/event/event.hpp"
#include "telemetry/output/address.hpp"
#include "telemetry/output/constant_names.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/output/json/calls.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/line.hpp"

namespace telemetry {

/// The object `linux`: what the Elastic Common Schema has no place for. To be written last,
/// since its notes are about the fields before it.
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

} // namespace telemetry
