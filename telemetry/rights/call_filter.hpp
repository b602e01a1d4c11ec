// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>

#include <seccomp.h>

namespace telemetry {

/// Rules of one seccomp filter, seccomp_rule_add(3). An error stays, so that it is asked for once. A call of
/// another ABI of this machine ends the process.
class CallFilter {
  public:
    /// `action`: what becomes of calls that no rule names.
    explicit CallFilter(uint32_t action);

    void add(int call, uint32_t action = SCMP_ACT_ALLOW);
    void add_all(std::span<const int> calls, uint32_t action = SCMP_ACT_ALLOW);
    /// Of calls whose argument has this value, in the bits of the mask.
    void add(int call, unsigned argument, uint64_t mask, uint64_t value, uint32_t action = SCMP_ACT_ALLOW);
    void add_each(int call, unsigned argument, std::initializer_list<unsigned long> values);

    /// Puts it in force for all threads, for good. 0, or -errno.
    int load();

  private:
    void set(scmp_filter_attr attribute, uint32_t value);
    void note(int result);

    std::unique_ptr<void, decltype(&seccomp_release)> context_;
    int error_ = 0;
};

} // namespace telemetry
