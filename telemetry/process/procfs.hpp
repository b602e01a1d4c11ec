// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/event/environment.hpp"
#include "telemetry/process/facts.hpp"
#include "telemetry/process/proc_files.hpp"

namespace telemetry {

/// What /proc says of processes: it is read later than the event that needs it, and only while
/// the process lives. What cannot be read, or makes no sense, is absent.
class Procfs {
  public:
    /// `environment`: the variables that images are read with.
    explicit Procfs(std::string root = "/proc", EnvironmentNames environment = {});
    ~Procfs();
    Procfs(Procfs&&) noexcept;

    /// A process as it is now. The views are valid until the next call.
    struct Process {
        uint64_t start_ticks = 0; ///< since boot, in the coarse unit of /proc
        std::string_view comm;
        Image image;
    };
    /// Null when the process has ended, or has no image, as zombies and threads of the kernel.
    const Process* read(uint32_t pid) noexcept;
    /// The same; null also when the id belongs to another process by now.
    const Image* read(uint32_t pid, uint64_t start_time_ns) noexcept;

    std::optional<ProcessStat> stat(uint32_t pid) const noexcept;
    std::optional<ProcessIds> ids(uint32_t pid) const;

    /// Capabilities, namespaces and cgroup. Absent when the process is exiting or has ended, or
    /// when its id belongs to another process by now.
    std::optional<ProcessFacts> facts(uint32_t pid, uint64_t start_ticks) const;
    /// The cgroup's path alone; absent in the same cases.
    std::optional<std::string> cgroup(uint32_t pid, uint64_t start_ticks) const;
    /// The inode number of the namespace "net", "mnt", ...; 0: not known.
    uint32_t namespace_of(uint32_t pid, const char* name) const;

    /// At most so many bytes of the file `name` of a process: of its id, or "self".
    std::optional<std::string> file(const std::string& process, const char* name, size_t most) const;

    /// The ids of all processes there are.
    std::vector<uint32_t> processes() const;

    const std::string& root() const { return root_; }
    uint64_t ticks(uint64_t time_ns) const { return time_ns / ns_per_tick_; }
    uint64_t nanoseconds(uint64_t ticks) const { return ticks * ns_per_tick_; }

  private:
    struct Buffers; ///< behind a pointer: what refers to them stays valid when a Procfs is moved

    ebpf_loader::UniqueFd open_process(const char* process) const noexcept;
    ebpf_loader::UniqueFd open_process(uint32_t pid) const noexcept;
    void read_exe(int process) noexcept;
    void read_argv(int process) noexcept;
    void read_tty(int64_t device) noexcept;
    void read_environment(int process) noexcept;

    std::string root_;
    uint64_t ns_per_tick_;
    EnvironmentNames environment_names_;
    std::unique_ptr<Buffers> buffers_;
};

} // namespace telemetry
