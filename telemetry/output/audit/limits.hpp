// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "telemetry/event/event.hpp"
#include "telemetry/output/audit/line.hpp"

namespace telemetry::audit {

inline constexpr uint32_t unset = UINT32_MAX; // as the kernel says of ids that are not set or not known

// In bytes as written: what else a record has fits with them into AuditLine::longest_record.
inline constexpr size_t longest_exe = 6400;
inline constexpr size_t longest_path = 8192;
inline constexpr size_t longest_pair = 8760; // a path and what else the record has of it

/// Of a field that auditd does not have: LAUREL would take its digits for hexadecimal.
inline void put_own_number(LineBuffer& line, std::string_view name, uint64_t number) {
    line.put(name);
    line.put('"');
    line.put_decimal(number);
    line.put('"');
}

/// What such a path leaves for the other one of its record.
inline size_t left_by(const Text& path, AuditRule rule) {
    return longest_pair - (path.known() ? std::min(AuditLine::size_of(path.bytes, rule), longest_path) : 6);
}

inline bool has_addresses(const Event& event) {
    return event.sockaddr.status != Status::absent || event.socket_status == Status::ok;
}

inline bool has_several_addresses(const Event& event) {
    return event.witnessed && event.witnessed->addresses > 1;
}

} // namespace telemetry::audit
