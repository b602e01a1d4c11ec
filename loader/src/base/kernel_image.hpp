// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace ebpf_loader {

/// Where the running kernel describes its types. EBPF_TELEMETRY_BTF overrides it, so
/// that tests can show what happens on a kernel without.
std::string kernel_btf_path();

/// uname -r.
std::string running_release();

/// Is the running kernel of this version or a later one?
bool is_running_since(int version, int patchlevel);

/// Finds the first section of that name in an ELF file that has bytes, and calls `visit` with them. Returns
/// false, without a call, where there is no such section, or where the file cannot be read or is no ELF file.
bool visit_section(const std::string& file, std::string_view name,
                   const std::function<void(std::string_view)>& visit);

/// The release in the banner of a kernel image (ELF); empty when it has none.
std::string release_of_image(const std::string& file);

} // namespace ebpf_loader
