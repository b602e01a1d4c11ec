// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <ebpf_loader/abi/plan.h>
#include <ebpf_loader/api.hpp>

namespace ebpf_loader {

/// Which paths calls are wanted for: the kernel side drops a call that lets through comparisons with
/// `screens` (see ebt_predicate) and has no path with a needle of one of these screens. It drops none
/// whose paths it could not read whole, and keeps some that have no needle.
class EBPF_LOADER_API PathScreen {
  public:
    static constexpr unsigned screens = 15; ///< that there may be; the last bit is EBT_SCREEN_KEEP

    /// Of texts that a path has to contain, the four bytes that the kernel side looks for: of those that one
    /// component has, the ones that the fewest paths have. Empty: the texts have no such bytes.
    static std::string_view needle_of(std::span<const std::string_view> texts);
    /// Paths with this needle are wanted where bit `screen`, from 0, is set. It has four bytes, "/" as the
    /// first or the last of them alone.
    void add(std::string_view needle, unsigned screen);
    /// And all that `other` has.
    void add(const PathScreen& other);

    bool empty() const { return cells_.empty(); }
    /// EBT_SCREEN_CELLS of them, or none; see ebt_screen.
    const std::vector<uint16_t>& cells() const { return cells_; }

  private:
    EBPF_LOADER_LOCAL void add_group(uint64_t group, uint16_t screens);

    std::vector<uint16_t> cells_;
};

} // namespace ebpf_loader
