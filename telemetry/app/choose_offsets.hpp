// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include <ebpf_loader/offsets.hpp>

#include "telemetry/cli/options.hpp"

namespace telemetry {

/// Where a config is looked for when none is named: above the program's folder, where
/// `make conf` in the sources puts it, then in /etc/ebpf-telemetry, then where earlier versions did. Never
/// relative to the current directory, which need not belong to whom the program runs for.
std::vector<std::string> usual_configs();

/// The kernel offsets that the options ask for: of a config, of the BTF in a file, else
/// of the running kernel. Throws ebpf_loader::Error.
ebpf_loader::Offsets choose_offsets(const Options& options, const std::vector<std::string>& usual);

} // namespace telemetry
