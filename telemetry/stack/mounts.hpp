// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/elf/work_budget.hpp"
#include <ebpf_loader/unique_fd.hpp>

namespace telemetry {

/// Is it a file system that answers from this machine's own memory and disks? All others may have a process
/// or a network behind them, and whoever opens their files may wait without end. An overlay is as local as
/// the file systems under it.
bool is_local_file_system(std::string_view type);                 ///< as mountinfo has it
bool is_local_file_system(std::string_view type, uint64_t magic); ///< and as statfs(2) has it
/// Of Work::entries, for each mount that is read: the kernel writes a line for it.
inline constexpr uint64_t mount_cost = 50;
inline constexpr std::string_view overlay_type = "overlay";

/// What is mounted in a mount namespace, as a mountinfo says.
class MountTable {
  public:
    MountTable() = default;
    explicit MountTable(std::string mountinfo, bool is_whole = true);
    MountTable(const MountTable&) = delete;
    MountTable& operator=(const MountTable&) = delete;

    struct Mount {
        uint64_t id = 0, device = 0;
        std::string_view point, type, options; ///< with the escapes of mountinfo; options of the file system
    };
    const Mount* find_id(uint64_t id) const;
    const Mount* find_device(uint64_t device) const;
    /// Are all layers of this overlay, by their names in this namespace, on local file systems?
    bool has_local_layers(const Mount& overlay);

    /// `is_whole`: there were no more lines.
    void assign(std::string mountinfo, bool is_whole);
    size_t size() const { return mounts_.size(); }

  private:
    const Mount* find_below(std::string_view path) const;
    bool judge_layers(const Mount& overlay) const;

    std::string text_; ///< what the views are into
    bool is_whole_ = true;
    std::vector<Mount> mounts_;
    std::vector<uint32_t> by_id_, by_device_;
    std::map<uint64_t, bool> layers_; ///< what was found out about overlays, by device
};

/// The mounts of the machine's first mount namespace, where nobody but its administrator mounts an overlay.
class HostMounts {
  public:
    explicit HostMounts(const std::string& proc_root);

    /// As they are now.
    MountTable& table(WorkBudget& budget);

  private:
    ebpf_loader::UniqueFd file_;
    MountTable table_;
    bool is_read_ = false;
};

/// The lines of a file of /proc.
struct Lines {
    std::string text;
    bool is_whole = true; ///< false: there are more than the limit or the budget allow
};
Lines read_lines(int file, size_t most, WorkBudget& budget);

} // namespace telemetry
