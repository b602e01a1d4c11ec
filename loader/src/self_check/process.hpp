// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/self_check/mismatches.hpp"
#include "loader/src/self_check/own_process.hpp"

#include <ebpf_loader/record_view.hpp>

namespace ebpf_loader::self_check {

/// Compares what a record of this very process has of its identity, its executable,
/// command line, terminal and current directory.
void check_process(const RecordView& view, const OwnProcess& own, Mismatches& mismatches);

/// /proc shows paths from our root, the engine from the root of the mount namespace.
std::string from_namespace_root(const RecordView& view, const std::string& path);

} // namespace ebpf_loader::self_check
