// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/read/record_source.hpp"

namespace ebpf_loader {

/// Do the records of one CPU arrive? Compares what the kernel side has emitted with what was read: who puts
/// another buffer in the place of this program's gets them, and nothing counts as lost.
class FlowWatch {
  public:
    /// `exact`: what is emitted went into a buffer, as programs learn from Linux 5.1 on.
    explicit FlowWatch(bool exact) : exact_(exact) {}

    /// All that was emitted up to the last look has to be read before the next. True: some of it is not
    /// there, or nothing arrives while records find empty buffers full.
    bool misses(const CpuOutput& output, const BufferCount& read, bool buffers_are_empty);

  private:
    struct Look {
        CpuOutput output;
        BufferCount read;
    };
    bool exact_;
    uint64_t missing_ = 0; ///< and said
    Look last_, before_last_;
};

} // namespace ebpf_loader
