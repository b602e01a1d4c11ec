// SPDX-License-Identifier: MIT
#pragma once
#include <ebpf_loader/abi/plan.h>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "telemetry/rules/resolve.hpp"

namespace telemetry::rules {

/// What a Selection's paths are screened for; empty: an event may be wanted whatever its paths are.
using Needles = std::set<std::string, std::less<>>;

/// The kernel's part of a filter, as a Selection takes it.
struct KernelFilter {
    std::vector<ebt_predicate> predicates;
    bool include_all = false;
    std::vector<Needles> needles; ///< of each clause that includes, in their order; of all with include_all
    bool exact = false;           ///< the kernel lets through only what the whole filter does
};

/// Of clauses, which have to exist as long: filters share them, and one search is enough for each.
using KnownNeedles = std::unordered_map<const Tests*, std::string_view>;

/// Can the kernel do the comparison?
bool runs_in_kernel(const NumberTest& test);

/// What the kernel can do of clauses that include, joined by OR, and of those that exclude, whatever
/// includes. With `includes_all` one of the former is true of every event. In the kernel a clause with text
/// lets through whatever its numbers allow and that has its needles; a clause that excludes can do so there
/// only when it is wholly numeric.
KernelFilter kernel_filter(const std::vector<const Tests*>& included, bool includes_all,
                           const std::vector<const Tests*>& excluded, KnownNeedles& known);

} // namespace telemetry::rules
