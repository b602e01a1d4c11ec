// SPDX-License-Identifier: MIT
// What messages to the system's log and to syslog servers have in common.
#pragma once
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string_view>

#include "telemetry/base/line_buffer.hpp"

namespace telemetry {

inline constexpr std::string_view syslog_identity = "ebpf-telemetry";

/// rsyslog by default cuts a message at 8,096 bytes, with its header: also where it was forwarded to, when it
/// has a longer time and the host's name.
inline constexpr size_t syslog_message_bytes = 8000;

/// "Nov  1 09:05:07", local time. The names are English in every locale.
void put_rfc3164_time(LineBuffer& out, time_t seconds);

/// Lines that receivers would cut go in parts, each with "part=N/M line=L " before it.
class SyslogParts {
  public:
    /// Gives `take` the line, or its parts, so that each with `header` bytes before it has at most `most`
    /// bytes, if that is possible. No UTF-8 character is cut. False when `take` was false.
    bool for_each(std::string_view line, size_t header, size_t most,
                  const std::function<bool(std::string_view)>& take);

  private:
    uint64_t long_lines_ = 0;
};

} // namespace telemetry
