// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/tables/features.hpp"

namespace ebpf_loader {

/// Finds out which argument of the kernel's functions is the dentry where that has changed: from
/// the kernel's BTF, else by its release.
void find_witness_signatures(Features& features);

} // namespace ebpf_loader
