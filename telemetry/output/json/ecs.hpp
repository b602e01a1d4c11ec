// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/event/event.hpp"
#include "telemetry/output/address.hpp"
#include "telemetry/output/json/line.hpp"

namespace telemetry {

class JsonProcess;

// The objects of the Elastic Common Schema for what was done to what: `file`, `source`, `destination`,
// `network`. Each begins with a comma.

void put_json_file(JsonLine& line, const Event& event, JsonProcess& process);
void put_json_network(JsonLine& line, const Event& event, const Ends& ends, SocketRole role);

/// inode, mode, uid, gid and type: members of the object of a file.
void put_json_inode(JsonLine& line, const InodeInfo& inode);

} // namespace telemetry
