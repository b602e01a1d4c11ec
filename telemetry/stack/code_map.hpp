// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

/// A piece of a process's memory that it may execute.
struct CodeRange {
    uint64_t begin = 0, end = 0;
    uint64_t offset = 0; ///< in the file
    uint64_t device = 0; ///< as makedev has it
    uint64_t inode = 0;  ///< 0: no file
    std::string name;    ///< a path, "[vdso]", or empty
};

/// What a process may execute, in order of addresses.
class CodeMap {
  public:
    CodeMap() = default;
    /// Of the text of /proc/<pid>/maps. Lines that make no sense are left out.
    explicit CodeMap(std::string_view maps);

    const CodeRange* find(uint64_t address) const;
    bool empty() const { return ranges_.empty(); }
    size_t size() const { return ranges_.size(); }

    /// Of memory that it takes.
    size_t bytes() const;

    static constexpr size_t most_ranges = 16384;

  private:
    std::vector<CodeRange> ranges_;
};

} // namespace telemetry
