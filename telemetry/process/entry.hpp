// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

namespace telemetry {

class LineageNode;

/// How the first process of a session came to be, as far as its parent shows it.
enum class EntryType : uint8_t {
    unknown,
    init,      ///< a service: started by the machine's first process
    sshd,      ///< a login over the network
    terminal,  ///< a login at a terminal
    container, ///< the first process in a container
};
/// As process.entry_leader.entry_meta.type of the Elastic Common Schema has it.
std::string_view name_of(EntryType type);

/// Sets the node's entry leader: the process itself if it came in by itself, else its parent's. To
/// be called whenever its session, its program, its container or its parent is another one.
void find_entry(const std::shared_ptr<LineageNode>& node);

} // namespace telemetry
