// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

#include "telemetry/output/audit/line.hpp"
#include "telemetry/output/network/address.hpp"

namespace telemetry {

/// False of one that is too short for its family: auditd's tools complain of those, and drop the event.
bool is_audit_address(const Address& address);
/// A SOCKADDR record; `bytes` are the struct sockaddr that the address was taken from, if it was.
void put_audit_sockaddr(AuditLine& line, const Address& address, std::string_view bytes, bool enriches);

} // namespace telemetry
