// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "telemetry/sink/syslog_message.hpp"

namespace telemetry {

struct SyslogForm {
    enum class Kind : uint8_t {
        rfc5424,
        rfc3164,
        local ///< RFC 3164 without the host, as the system's own log takes it
    };
    Kind kind = Kind::rfc5424;
    unsigned facility = 1; ///< user
    size_t message_bytes = syslog_message_bytes;
    std::string host;
};

/// Writes events as messages, with severity info.
class SyslogWriter {
  public:
    explicit SyslogWriter(SyslogForm form);
    /// Each message of an event: one for each of its lines, or for each part of a long one. Lines of JSON
    /// have the time of the event, others that of now. Stops when `take` is false.
    void write(std::string_view event, const std::function<bool(std::string_view)>& take);

  private:
    void put_header(std::string_view line);

    const SyslogForm form_;
    const std::string priority_, sender_;
    SyslogParts parts_;
    LineBuffer header_;
    std::string message_;
};

} // namespace telemetry
