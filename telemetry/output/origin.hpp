// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

/// The machine, as host.* of the Elastic Common Schema describes it. What is not known is empty.
struct Host {
    std::string id;           ///< machine-id(5)
    std::string architecture; ///< of the kernel, as uname(2) has it
    std::string kernel;       ///< its release
    /// os-release(5): NAME, VERSION_ID, PRETTY_NAME, ID, and the best known of ID and ID_LIKE
    std::string os_name, os_version, os_full, os_platform, os_family;
    std::vector<std::string> ip; ///< addresses of its interfaces but the loopback, at most 16
};

/// The program that reports, as agent.* describes it.
struct Agent {
    std::string type; ///< "ebpf_telemetry" or "imds-tracker"
    std::string version;
    std::string id;           ///< a UUID, the same for each run on this machine
    std::string ephemeral_id; ///< a UUID of this run
};

/// Reads the files below `root`, a folder without a slash at its end; the rest is asked of the kernel. A file
/// that is absent, or longer than 64 KiB, leaves its fields empty.
Host read_host(const std::string& root = "");

/// An agent of the machine with that id: a further call is a further run.
Agent make_agent(std::string_view type, std::string_view version, std::string_view host_id);

} // namespace telemetry
