// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <functional>
#include <string_view>

#include <ebpf_loader/api.hpp>
#include <ebpf_loader/offsets.hpp>

namespace ebpf_loader {

/// The offsets of the running kernel, without any preparation: from its BTF; on a kernel
/// without, from what an earlier discovery kept under /var/cache/ebpf_telemetry; or
/// discovered now (see discovery.hpp), which is said in one line and kept there.
/// Throws Error.
EBPF_LOADER_API Offsets running_kernel_offsets(const std::function<void(std::string_view)>& log = {});

} // namespace ebpf_loader
