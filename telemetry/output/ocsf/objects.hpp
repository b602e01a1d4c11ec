// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>

#include "telemetry/event/event.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/output/network/address.hpp"
#include "telemetry/output/network/community_id.hpp"

namespace telemetry {

class OcsfProcess;

constexpr uint64_t ns_per_ms = 1'000'000;

// What was done to what: members of an event, each begins with a comma.

/// `file`, and `file_result` of a rename.
void put_ocsf_files(JsonLine& line, const Event& event, OcsfProcess& process);
void put_ocsf_module(JsonLine& line, const Event& event, OcsfProcess& process);
void put_ocsf_kernel(JsonLine& line, const Event& event);
/// `src_endpoint`, `dst_endpoint` and `connection_info`.
void put_ocsf_network(JsonLine& line, const Event& event, const Ends& ends, SocketRole role,
                      CommunityId& ids);
/// Can one of the endpoints be named?
bool has_ocsf_endpoint(const Ends& ends);

/// The object of a user or a group.
void put_ocsf_account(JsonLine& line, uint32_t id, std::string_view name);

/// What happened, by its name here: "openat", "process_exec", "syscall_999".
void put_ocsf_call_name(LineBuffer& line, const Event& event);

} // namespace telemetry
