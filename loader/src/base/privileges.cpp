// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/privileges.hpp"

#include "loader/src/base/text.hpp"

#include <ebpf_loader/unique_fd.hpp>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace ebpf_loader {
namespace {

uint64_t effective_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    if (syscall(SYS_capget, &header, data) != 0)
        return 0;
    return data[0].effective | uint64_t{data[1].effective} << 32;
}

void set_effective_capabilities(uint64_t set) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    if (syscall(SYS_capget, &header, data) != 0)
        return;
    data[0].effective = static_cast<uint32_t>(set);
    data[1].effective = static_cast<uint32_t>(set >> 32);
    syscall(SYS_capset, &header, data);
}

} // namespace

bool kernel_has_cap_bpf() {
    const std::string text = read_file("/proc/sys/kernel/cap_last_cap", 32).value_or("");
    int last = 0;
    std::from_chars(text.data(), text.data() + text.size(), last);
    return last >= CAP_BPF;
}

bool perf_events_need_sys_admin() {
    if (!kernel_has_cap_bpf())
        return true;
    const WithoutCapabilities without(uint64_t{1} << CAP_SYS_ADMIN);
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.size = sizeof(attributes);
    attributes.config = PERF_COUNT_SW_DUMMY;
    const UniqueFd event(
        static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
    return !event && errno == EACCES;
}

WithoutCapabilities::WithoutCapabilities(uint64_t capabilities) : before_(effective_capabilities()) {
    set_effective_capabilities(before_ & ~capabilities);
}

WithoutCapabilities::~WithoutCapabilities() {
    set_effective_capabilities(before_);
}

std::string missing_capabilities() {
    const uint64_t effective = effective_capabilities();
    const auto has = [&](int capability) { return (effective >> capability & 1) != 0; };
    if (has(CAP_SYS_ADMIN))
        return {};
    if (!kernel_has_cap_bpf())
        return "CAP_SYS_ADMIN";
    if (has(CAP_BPF) && has(CAP_PERFMON))
        return perf_events_need_sys_admin()
                   ? "CAP_SYS_ADMIN, since this kernel refuses perf events to CAP_PERFMON while "
                     "kernel.perf_event_paranoid is above 2"
                   : "";
    if (has(CAP_BPF))
        return "CAP_PERFMON (or CAP_SYS_ADMIN)";
    if (has(CAP_PERFMON))
        return "CAP_BPF (or CAP_SYS_ADMIN)";
    return "CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN)";
}

std::vector<std::string> held_capabilities() {
    constexpr std::pair<int, const char*> of_interest[] = {{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
                                                           {CAP_BPF, "CAP_BPF"},
                                                           {CAP_PERFMON, "CAP_PERFMON"},
                                                           {CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE"},
                                                           {CAP_SYS_PTRACE, "CAP_SYS_PTRACE"}};
    const uint64_t effective = effective_capabilities();
    std::vector<std::string> names;
    for (const auto& [capability, name] : of_interest)
        if (effective >> capability & 1)
            names.emplace_back(name);
    return names;
}

} // namespace ebpf_loader
