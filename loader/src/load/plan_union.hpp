// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <ebpf_loader/abi/plan.h>
#include <map>

namespace ebpf_loader {

/// A plan that captures what either of two plans for the same row does. Where their comparisons differ it
/// lets everything through and keeps the comparisons of `old`, which are not evaluated.
ebt_plan united(const ebt_plan& old, const ebt_plan& next);
/// Rows of either. Throws Error(usage) where a number leads to different rows.
std::map<uint32_t, ebt_numbers> united(const std::map<uint32_t, ebt_numbers>& old,
                                       const std::map<uint32_t, ebt_numbers>& next);
/// The plan with the comparisons of `other`, as many of them counted as before.
ebt_plan with_comparisons_of(const ebt_plan& plan, const ebt_plan& other);
/// The plan, selecting nothing.
ebt_plan unselected(ebt_plan plan);

} // namespace ebpf_loader
