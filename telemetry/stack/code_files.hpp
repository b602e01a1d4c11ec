// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "telemetry/stack/code_map.hpp"
#include "telemetry/stack/elf_file.hpp"

namespace telemetry::imds {

/// Which version of which file it is.
struct FileIdentity {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t modified_s = 0, modified_ns = 0, changed_s = 0, changed_ns = 0;
    auto operator<=>(const FileIdentity&) const = default;
};

/// Opens what a process executes, as it was when the process mapped it: in containers, and deleted files
/// too. Only regular files, and none of file systems that may not answer.
class CodeFiles {
  public:
    CodeFiles(const std::string& proc_root, uint32_t pid);

    struct File {
        ElfFile elf;
        std::optional<FileIdentity> identity; ///< absent: memory
    };
    std::optional<File> open(const CodeRange& range);

  private:
    std::optional<File> open_file(const CodeRange& range);
    std::optional<File> open_memory(const CodeRange& range) const;
    bool answers(uint64_t device);
    void read_mounts(const std::string& file);

    std::string process_, own_;        ///< folders of /proc
    std::map<uint64_t, bool> answers_; ///< by device
    bool has_read_mounts_ = false;
};

/// All of a file of /proc, up to a limit; empty where it cannot be read.
std::string read_whole(const std::string& file, size_t most);

} // namespace telemetry::imds
