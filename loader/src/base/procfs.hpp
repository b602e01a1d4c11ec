// SPDX-License-Identifier: LGPL-2.1
#pragma once

namespace ebpf_loader {

/// What is observed is compared with /proc. Throws Error(resources) where that is not mounted,
/// and in a time namespace that shifts its clocks: times there are not the kernel's.
void require_proc();

} // namespace ebpf_loader
