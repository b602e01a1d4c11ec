// SPDX-License-Identifier: MIT
// What the text files of /proc/PID mean. Procfs (procfs.hpp) reads them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ebpf_loader/abi/record.h>

#include "telemetry/process/facts.hpp"

namespace telemetry {

/// The fields of /proc/PID/stat that are used here.
struct ProcessStat {
    std::array<char, EBT_COMM_LEN> name{}; ///< any bytes, as the kernel has them
    size_t name_length = 0;
    uint32_t ppid = 0;
    int64_t group = 0;       ///< process group; 0 or below: none
    int64_t session = 0;     ///< the same
    int64_t tty = 0;         ///< the terminal's device number; 0: the process has no terminal
    bool is_exiting = false; ///< it gives up what it has: its namespaces first, then its cgroup
    bool is_kernel_thread = false;
    uint64_t start_ticks = 0; ///< since boot, in the coarse unit of /proc

    std::string_view comm() const { return {name.data(), name_length}; }
};
/// Absent when a field is missing or is no number. The text may be cut after its 22nd field.
std::optional<ProcessStat> parse_stat(std::string_view stat);

/// Whom a process acts for.
struct ProcessIds {
    uint32_t uid = 0, gid = 0, euid = 0, egid = 0, suid = 0, sgid = 0, fsuid = 0, fsgid = 0;
    bool operator==(const ProcessIds&) const = default;
};
/// Of the text of /proc/PID/status.
std::optional<ProcessIds> parse_ids(std::string_view status);
std::optional<CapabilitySets> parse_capabilities(std::string_view status);

/// Of the text of /proc/PID/cgroup, which has a path for each hierarchy: the path that belongs to
/// a container, else the longest.
std::string_view main_cgroup(std::string_view cgroups);
/// Of the same: is there a hierarchy of version 1?
bool names_controllers(std::string_view cgroups);

/// The number of "net:[4026531840]", as a link in /proc/PID/ns reads; 0 when there is none.
uint32_t namespace_inode(std::string_view link);

} // namespace telemetry
