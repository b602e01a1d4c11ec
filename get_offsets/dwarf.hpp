// SPDX-License-Identifier: MIT
#pragma once
#include <ebpf_loader/offsets.hpp>

/// Offsets from the DWARF of a kernel image. Throws ebpf_loader::Error(offsets).
ebpf_loader::Offsets offsets_from_dwarf(const std::string& file);
