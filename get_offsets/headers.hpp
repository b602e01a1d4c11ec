// SPDX-License-Identifier: MIT
#pragma once
#include <ebpf_loader/offsets.hpp>

/// Offsets from a tree of kernel headers (/lib/modules/RELEASE/build): compiles a small
/// object against it and reads that; loads nothing. Throws ebpf_loader::Error(offsets).
ebpf_loader::Offsets offsets_from_headers(const std::string& folder);
