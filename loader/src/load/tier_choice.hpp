// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/load/loaded_tier.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace ebpf_loader {

/// Loads the first possible tier of the verdicts that the kernel takes, or the one asked for,
/// and completes the verdicts. Throws Error(tiers) with all reasons when there is none.
std::unique_ptr<LoadedTier> load_best(std::vector<TierVerdict>& verdicts, std::optional<Tier> asked,
                                      const LoadPlan& plan, const std::function<void(std::string_view)>& log);

} // namespace ebpf_loader
