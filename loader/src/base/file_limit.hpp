// SPDX-License-Identifier: LGPL-2.1
#pragma once

namespace ebpf_loader {

/// Lets this process open what an engine needs. Throws Error(resources) when that is not allowed.
void ensure_file_limit();

} // namespace ebpf_loader
