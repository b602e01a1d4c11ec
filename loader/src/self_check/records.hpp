// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/read/record_source.hpp"

#include <ebpf_loader/abi/record.h>
#include <ebpf_loader/record_view.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

namespace ebpf_loader::self_check {

/// Records that were read so far.
class Records {
  public:
    /// The hooks run before the calls that they watch return: what is to come is
    /// there.
    void read(RecordSource& source) {
        source.drain(
            [&](std::span<const std::byte> record) { all_.emplace_back(record.begin(), record.end()); },
            true);
    }
    /// The first whose header is the one that is looked for. Lives as long as
    /// this.
    template <typename Wanted> std::optional<RecordView> find(Wanted wanted) const {
        for (const auto& record : all_)
            if (const RecordView view(record); wanted(view.header()))
                return view;
        return std::nullopt;
    }

  private:
    std::vector<std::vector<std::byte>> all_;
};

/// How often something is tried that a busy machine may lose.
inline constexpr int self_check_attempts = 4;

} // namespace ebpf_loader::self_check
