// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ebpf_loader/unique_fd.hpp>

namespace telemetry {

/// The folder of a spool: segments named by the number of their first record, and the number up to which all
/// records have been acknowledged.
class SpoolFolder {
  public:
    /// Makes the folder, and those above it, for their owner alone. Refuses one that others may enter, and
    /// one that another program uses. Throws ebpf_loader::Error.
    static SpoolFolder claim(const std::string& path);
    /// Only to read. Throws ebpf_loader::Error when it is not there.
    static SpoolFolder look_into(const std::string& path);

    /// The numbers of the segments' first records, in order.
    std::vector<uint64_t> segments() const;
    /// Empty when there is none.
    ebpf_loader::UniqueFd open(uint64_t segment) const;
    /// All of it, but no more than a segment may have. Empty, with errno, when it cannot be read.
    std::optional<std::string> read(uint64_t segment) const;
    /// Empty, with errno, when it cannot be made.
    ebpf_loader::UniqueFd make(uint64_t segment) const;
    void remove(uint64_t segment) const;
    /// What was made and removed stays so after a crash.
    void sync() const;

    uint64_t acknowledged() const;
    void set_acknowledged(uint64_t number) const;

    /// Puts aside lines that the far end will never take, in a file of bounded size.
    void put_aside(std::string_view lines) const;

    static constexpr size_t longest_segment = 64 << 20;

  private:
    explicit SpoolFolder(ebpf_loader::UniqueFd folder) : folder_(std::move(folder)) {}

    ebpf_loader::UniqueFd folder_, lock_;
};

} // namespace telemetry
