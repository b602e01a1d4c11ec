// SPDX-License-Identifier: LGPL-2.1
#pragma once

namespace ebpf_loader {

/// Throws Error(resources) where /proc is not mounted: what is observed is compared with it.
void require_proc();

} // namespace ebpf_loader
