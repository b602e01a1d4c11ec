// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <string>

namespace ebpf_loader {

/// Where the running kernel describes its types. EBPF_TELEMETRY_BTF overrides it, so
/// that tests can show what happens on a kernel without.
std::string kernel_btf_path();

/// uname -r.
std::string running_release();

/// Is the running kernel of this version or a later one?
bool is_running_since(int version, int patchlevel);

/// The release in the banner of a kernel image (ELF); empty when it has none.
std::string release_of_image(const std::string& file);

} // namespace ebpf_loader
