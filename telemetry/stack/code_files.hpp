// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "telemetry/stack/code_map.hpp"
#include "telemetry/stack/mounts.hpp"
#include <ebpf_loader/unique_fd.hpp>

namespace telemetry {

/// Which version of which file it is.
struct FileIdentity {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t modified_s = 0, modified_ns = 0, changed_s = 0, changed_ns = 0;
    auto operator<=>(const FileIdentity&) const = default;
};

/// Opens what a process executes, as it was when the process mapped it: in containers, and deleted files
/// too. A file is opened only by its mapping (/proc/PID/map_files, which takes root), never by a name, since
/// names are the process's to choose; only if it is a regular one, and only on local file systems.
class CodeFiles {
  public:
    /// All of it has to live longer. `process`: its folder of /proc.
    CodeFiles(const std::string& proc_root, int process, HostMounts& host, WorkBudget& budget)
        : own_(proc_root + "/self"), process_(process), host_(host), budget_(budget) {}

    /// A file, or a piece of memory.
    struct File {
        ebpf_loader::UniqueFd file;
        std::string memory;
        std::optional<FileIdentity> identity; ///< absent: memory
    };
    std::optional<File> open(const CodeRange& range);
    /// What the process executes, whose file is on this device.
    ebpf_loader::UniqueFd open_executable(uint64_t device) { return open_link("exe", device); }

  private:
    ebpf_loader::UniqueFd open_link(const std::string& name, uint64_t device);
    std::optional<File> open_file(const CodeRange& range);
    std::optional<File> open_own_vdso(const CodeRange& range) const;
    bool may_open(uint64_t device);
    bool is_local_file(int path);
    bool is_local(const MountTable::Mount& mount);
    std::optional<uint64_t> mount_id(int file) const;
    MountTable& process_mounts();

    std::string own_; ///< this process's folder of /proc
    int process_;
    HostMounts& host_;
    WorkBudget& budget_;
    std::optional<MountTable> process_mounts_;
};

} // namespace telemetry
