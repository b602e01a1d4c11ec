// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/load/loaded_tier.hpp"

#include <functional>
#include <string_view>

namespace ebpf_loader {

/// What loading needs of this kernel; tracefs is mounted where it is not yet, and noted in
/// `kernel`. `offsets` has to outlive the plan. `log`, which may be empty, gets what
/// will cost more here. Throws Error(tracefs).
LoadPlan make_load_plan(KernelSupport& kernel, const Offsets& offsets, Hooks hooks, const Rings& rings,
                        const std::function<void(std::string_view)>& log);

} // namespace ebpf_loader
