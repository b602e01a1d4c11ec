// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "telemetry/elf/work_budget.hpp"
#include <ebpf_loader/unique_fd.hpp>

namespace telemetry {

/// A file, or a piece of memory, from which any range can be read. The file is never mapped: whoever
/// truncates a file that is mapped ends its readers by SIGBUS. Each read is charged to a budget, which has to
/// live longer; once it is spent nothing is read any more.
class ByteSource {
  public:
    ByteSource(ebpf_loader::UniqueFd file, WorkBudget& budget) : file_(std::move(file)), budget_(&budget) {}
    ByteSource(std::string memory, WorkBudget& budget) : memory_(std::move(memory)), budget_(&budget) {}

    /// As much as there is, up to `size`.
    size_t read_some(uint64_t offset, void* to, size_t size) const;
    /// All of it, or false.
    bool read(uint64_t offset, void* to, size_t size) const { return read_some(offset, to, size) == size; }
    template <class Plain> bool read(uint64_t offset, Plain& to) const {
        static_assert(std::is_trivially_copyable_v<Plain>);
        return read(offset, &to, sizeof(to));
    }
    WorkBudget& budget() const { return *budget_; }

  private:
    ebpf_loader::UniqueFd file_;
    std::string memory_;
    WorkBudget* budget_ = nullptr;
};

} // namespace telemetry
