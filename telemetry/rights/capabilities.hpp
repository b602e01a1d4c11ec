// SPDX-License-Identifier: MIT
// Capabilities of the kernel, capabilities(7). They belong to threads: libcap-ng acts, as capset(2) itself,
// on the calling one alone, so that it would add a library and nothing else.
#pragma once
#include <cstdint>
#include <string>

namespace telemetry {

/// A set of them, as bits by number.
using CapabilityMask = uint64_t;

constexpr CapabilityMask capability(int number) {
    return CapabilityMask{1} << number;
}

/// Of the running kernel.
bool kernel_has_capability(int number);

/// What this thread may make effective.
CapabilityMask permitted_capabilities();
/// Sets those of this thread; there are no inheritable and no ambient ones afterwards. False: the kernel
/// refused.
bool set_capabilities(CapabilityMask permitted, CapabilityMask effective);
/// Nothing that this thread executes gets any. Needs CAP_SETPCAP; false without.
bool empty_bounding_set();

/// "CAP_SYS_PTRACE, CAP_PERFMON", or "none".
std::string names_of(CapabilityMask set);

} // namespace telemetry
