// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <span>
#include <vector>

namespace ebpf_loader {

/// An eBPF object that is embedded, packed by gzip, as it is to be loaded: without what says which C
/// functions and lines its instructions are from. With that the kernel lets others replace a loaded program's
/// functions (BPF_PROG_TYPE_EXT), or hook them, unseen. Empty if it cannot be unpacked.
std::vector<char> object_to_load(std::span<const char> packed);

} // namespace ebpf_loader
