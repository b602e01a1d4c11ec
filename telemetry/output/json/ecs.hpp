// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/event/event.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/output/network/address.hpp"
#include "telemetry/output/network/community_id.hpp"

namespace telemetry {

class JsonProcess;

// The objects of the Elastic Common Schema for what was done to what: `file`, `source`, `destination`,
// `network`. Each begins with a comma.

/// The last component; empty when it is not known, as of a cut path, which may have lost its end.
std::string_view file_name_of(const PathField& path);
/// The paths of a call by what they are to the schema. Of two names, as rename and link have them, the
/// file is the new one.
struct Files {
    const PathField* file = nullptr;
    const PathField* original = nullptr; ///< of a rename
    const PathField* target = nullptr;   ///< the text in a symbolic link
};
Files files_of(const Event& event);

void put_json_file(JsonLine& line, const Event& event, JsonProcess& process);
/// Without `community_id` the network has none.
void put_json_network(JsonLine& line, const Event& event, const Ends& ends, SocketRole role,
                      CommunityId* community_id);

/// device, mode, uid, gid and type of a file, as far as they are wanted: members of its object.
void put_json_file_attributes(JsonLine& line, const InodeInfo& inode);
/// inode, device, mode, uid and gid: members of the object of a file.
void put_json_inode_numbers(JsonLine& line, const InodeInfo& inode);
/// The same, and the type.
void put_json_inode(JsonLine& line, const InodeInfo& inode);

} // namespace telemetry
