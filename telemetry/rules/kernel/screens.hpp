// SPDX-License-Identifier: MIT
#pragma once
#include <map>

#include <ebpf_loader/selection.hpp>

#include "telemetry/rules/kernel/kernel_filter.hpp"

namespace telemetry::rules {

/// Gives each list of needles a screen of its own, until there are no more: the last one is shared.
class Screens {
  public:
    /// Sets the screens of the clauses. Returns that of a filter that includes all; 0: none.
    uint16_t set(KernelFilter& filter);
    const ebpf_loader::PathScreen& paths() const { return paths_; }

  private:
    uint16_t screen_of(const Needles& needles);

    std::map<Needles, unsigned> numbers_;
    ebpf_loader::PathScreen paths_;
};

/// Are the paths of the call's events those of its record, where the kernel side can look for them?
bool is_screened(const ebpf_loader::SyscallRow& call);

} // namespace telemetry::rules
