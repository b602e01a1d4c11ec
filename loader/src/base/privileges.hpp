// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ebpf_loader {

/// The capabilities that this process lacks to load the engine, in words; empty when none.
std::string missing_capabilities();

/// Those of this process that eBPF may ask for, by name.
std::vector<std::string> held_capabilities();

/// Before Linux 5.8, CAP_SYS_ADMIN alone opened the way to eBPF.
bool kernel_has_cap_bpf();

/// Are perf events, and so tracepoints of system calls and kprobes, refused to CAP_PERFMON? Kernels of Debian
/// and Ubuntu do so where kernel.perf_event_paranoid is above 2, as it is there unless somebody has lowered
/// it. For who has CAP_PERFMON or CAP_SYS_ADMIN.
bool perf_events_need_sys_admin();

/// While it lives these are not effective in this thread.
class WithoutCapabilities {
  public:
    explicit WithoutCapabilities(uint64_t capabilities);
    ~WithoutCapabilities();
    WithoutCapabilities(const WithoutCapabilities&) = delete;
    WithoutCapabilities& operator=(const WithoutCapabilities&) = delete;

  private:
    uint64_t before_;
};

} // namespace ebpf_loader
