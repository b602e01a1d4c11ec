// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "telemetry/process/procfs.hpp"
#include "telemetry/stack/code_map.hpp"
#include "telemetry/stack/elf.hpp"

namespace telemetry {

/// Which version of which file it is.
struct FileIdentity {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t modified_s = 0, modified_ns = 0, changed_s = 0, changed_ns = 0;
    auto operator<=>(const FileIdentity&) const = default;
};

/// Opens what a process executes, as it was when the process mapped it: in containers, and deleted files
/// too. It opens regular files alone, and only on file systems that are sure to answer.
class CodeFiles {
  public:
    /// `procfs` must outlive it.
    CodeFiles(const Procfs& procfs, uint32_t pid);

    struct File {
        ElfFile elf;
        std::optional<FileIdentity> identity; ///< absent: memory
    };
    std::optional<File> open(const CodeRange& range);

  private:
    std::optional<File> open_file(const CodeRange& range);
    std::optional<File> open_memory(const CodeRange& range) const;
    bool answers(uint64_t device);
    void read_mounts(const std::string& process);

    const Procfs& procfs_;
    std::string pid_;
    std::map<uint64_t, bool> answers_; ///< by device
    bool has_read_mounts_ = false;
};

} // namespace telemetry
