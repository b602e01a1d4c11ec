// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/read/flow_watch.hpp"

namespace ebpf_loader {

bool FlowWatch::misses(const CpuOutput& output, const BufferCount& read, bool buffers_are_empty) {
    const auto put_out = [](const Look& look) { return look.output.emitted + look.output.full; };
    const bool stands_still =
        buffers_are_empty && read.taken == before_last_.read.taken && put_out(last_) > put_out(before_last_);
    const uint64_t due = last_.output.emitted;
    const bool is_missing = exact_ && due > read.taken + missing_;
    if (is_missing)
        missing_ = due - read.taken;
    before_last_ = last_;
    last_ = {output, read};
    return is_missing || stands_still;
}

} // namespace ebpf_loader
