// SPDX-License-Identifier: MIT
#pragma once
#include <string>

namespace telemetry {

/// What a file says rules this program: throws ebpf_loader::Error(usage), saying what to do, when others may
/// write to it, or when it belongs to neither root nor whom the program runs for (who called sudo, too).
/// `what` it is: "rules". The same of a directory. What is neither, or is not there, is left to whoever reads
/// it.
void require_trusted(const std::string& path, const std::string& what);

} // namespace telemetry
