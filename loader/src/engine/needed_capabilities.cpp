// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/engine/needed_capabilities.hpp"

#include "loader/src/base/kernel_image.hpp"
#include "loader/src/base/privileges.hpp"
#include "loader/src/base/text.hpp"

#include <bpf/bpf.h>
#include <cerrno>
#include <linux/capability.h>

namespace ebpf_loader {
namespace {

constexpr uint64_t bit(int capability) {
    return uint64_t{1} << capability;
}

/// bpf(2) with a descriptor. Up to Linux 5.18 kernel.unprivileged_bpf_disabled closes it to those without the
/// capability, and can be set at any time; later kernels, and those that took it over from them, let through
/// who holds the descriptor.
bool commands_need(uint64_t capability, int map_fd) {
    const bool is_closed =
        !read_file("/proc/sys/kernel/unprivileged_bpf_disabled", 8).value_or("1").starts_with("0");
    if (!is_closed)
        return !is_running_since(5, 19);
    const WithoutCapabilities without(capability | bit(CAP_SYS_ADMIN));
    uint32_t key = 0;
    errno = 0;
    return bpf_map_get_next_key(map_fd, nullptr, &key) != 0 && errno == EPERM;
}

} // namespace

uint64_t needed_capabilities(const LoadedTier& tier, const CallWatch& watch, const WitnessObject* witnesses) {
    const bool opens_buffers = !tier.uses_ring(); // of a processor that goes offline and comes back
    const bool may_attach = watch.may_begin() || !tier.has_exit(); // hooks of calls
    const bool opens_perf_events = opens_buffers || (tier.tier() == Tier::tp && may_attach) ||
                                   (witnesses && witnesses->may_open_perf_events());
    const uint64_t commands = bit(kernel_has_cap_bpf() ? CAP_BPF : CAP_SYS_ADMIN);
    uint64_t needed = 0;
    if (commands_need(commands, tier.map_fd("settings")))
        needed |= commands;
    if (opens_perf_events)
        needed |= bit(perf_events_need_sys_admin() ? CAP_SYS_ADMIN : CAP_PERFMON);
    if (opens_buffers)
        needed |= bit(CAP_IPC_LOCK); // a buffer is larger than kernel.perf_event_mlock_kb
    return needed;
}

} // namespace ebpf_loader
