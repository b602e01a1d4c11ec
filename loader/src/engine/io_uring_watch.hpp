// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/selection.hpp>
#include <ebpf_loader/unique_fd.hpp>

namespace ebpf_loader {

/// Operations that programs submit to io_uring make no system call. Kprobes report some of them as events.
/// The others are counted at io_uring's tracepoint, which says which operation it is from Linux 5.5 on.
class IoUringWatch {
  public:
    explicit IoUringWatch(std::string tracefs) : tracefs_(std::move(tracefs)) {}

    /// From now on those count that are like a selected call, but for those that kprobes report.
    /// `witnessed`: ebt_witness. Attaches the hook if there are any.
    void start(const Selection& selection, uint16_t witnessed);
    /// The same while it runs, where nothing can be attached any more.
    void select(const Selection& selection, uint16_t witnessed);
    void stop() { hook_ = UniqueFd(); }

    /// The selected calls of which operations are not reported, in the order of the table.
    const std::vector<std::string_view>& calls() const { return calls_; }
    /// How many operations like them were submitted while they were selected.
    uint64_t operations() const;
    /// False: the hook is not attached, and nothing is counted.
    bool counts() const { return static_cast<bool>(program_); }

  private:
    static constexpr size_t opcodes = 256;
    using Counts = std::array<uint64_t, opcodes>;

    void attach();
    Counts read() const;
    uint64_t since_selected() const;

    const std::string tracefs_;
    UniqueFd map_, program_, hook_;
    std::vector<std::string_view> calls_;
    std::bitset<opcodes> counted_;
    Counts at_selection_{};
    uint64_t before_ = 0; ///< counted under earlier selections
};

} // namespace ebpf_loader
