// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/offsets.hpp>

#include <string>
#include <vector>

namespace ebpf_loader {

/// What events lack because optional offsets are unknown, each with the names of these: "mnt_ns, the mount
/// namespace (task_struct.nsproxy)". Empty when all are known.
std::vector<std::string> unreported(const Offsets& offsets);

} // namespace ebpf_loader
