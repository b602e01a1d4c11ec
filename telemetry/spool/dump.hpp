// SPDX-License-Identifier: MIT
#pragma once
#include <ostream>
#include <string>

namespace telemetry {

/// Writes the lines that are in a spool and not acknowledged. Returns what there is besides: "12 events, 3
/// damaged bytes". Throws ebpf_loader::Error when there is no such folder.
std::string dump_spool(const std::string& folder, std::ostream& out);

} // namespace telemetry
