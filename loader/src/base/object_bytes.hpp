// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <span>
#include <vector>

namespace ebpf_loader {

/// An eBPF object without what says which C functions and lines its instructions are from. With that the
/// kernel lets others replace a loaded program's functions (BPF_PROG_TYPE_EXT), or hook them, unseen.
std::vector<char> without_functions(std::span<const char> object);

} // namespace ebpf_loader
