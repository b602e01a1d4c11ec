// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <ebpf_loader/api.hpp>

namespace ebpf_loader {

/// A named number of the system call interface of this machine: O_WRONLY, AF_INET, SIGKILL, ...
struct Constant {
    std::string_view set; ///< "open", "mmap_prot", "signal", ...: Argument::flag_set
    std::string_view name;
    uint64_t value;
};

/// All constants, grouped by set.
EBPF_LOADER_API std::span<const Constant> constants();
/// By name within a set; an empty set searches all, nullopt if absent or ambiguous in value.
EBPF_LOADER_API std::optional<uint64_t> find_constant(std::string_view set, std::string_view name);
/// Those of one set; empty if there is no such set.
EBPF_LOADER_API std::span<const Constant> constants_of(std::string_view set);

} // namespace ebpf_loader
