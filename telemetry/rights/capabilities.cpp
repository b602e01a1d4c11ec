// SPDX-License-Identifier: MIT
#include "telemetry/rights/capabilities.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace telemetry {

namespace {

constexpr std::pair<int, const char*> names[] = {{CAP_CHOWN, "CAP_CHOWN"},
                                                 {CAP_FOWNER, "CAP_FOWNER"},
                                                 {CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"},
                                                 {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
                                                 {CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
                                                 {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
                                                 {CAP_PERFMON, "CAP_PERFMON"},
                                                 {CAP_BPF, "CAP_BPF"},
                                                 {CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE"}};

constexpr uint32_t low(CapabilityMask set) {
    return static_cast<uint32_t>(set);
}

constexpr uint32_t high(CapabilityMask set) {
    return static_cast<uint32_t>(set >> 32);
}

} // namespace

bool kernel_has_capability(int number) {
    return prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0;
}

CapabilityMask permitted_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    if (syscall(SYS_capget, &header, data) != 0)
        return 0;
    return data[0].permitted | CapabilityMask{data[1].permitted} << 32;
}

bool set_capabilities(CapabilityMask permitted, CapabilityMask effective) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct data[2] = {{low(effective), low(permitted), 0},
                                            {high(effective), high(permitted), 0}};
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, data) == 0;
}

bool empty_bounding_set() {
    for (int number = 0; kernel_has_capability(number); ++number)
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0)
            return false;
    return true;
}

std::string names_of(CapabilityMask set) {
    std::string text;
    for (const auto& [number, name] : names)
        if (set & capability(number))
            text += (text.empty() ? "" : ", ") + std::string(name);
    return text.empty() ? "none" : text;
}

} // namespace telemetry
