// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/arch/programs.h"
#include "loader/src/self_check/marker_call.hpp"

#include <cstdint>
#include <sys/types.h>

namespace ebpf_loader::self_check {

/// A child process that has come and gone.
struct Child {
    pid_t pid = -1;
    int status = 0;           ///< as wait(2) reports it
    uint64_t start_ticks = 0; ///< since boot
};

/// A child that executes a program of two instructions, which ends by exit(2).
struct ExecutedChild : Child {
    static constexpr int exit_status = EBT_EXECUTED_STATUS;
    uint64_t args[EBT_ARGS] = {}; ///< of its execveat

    ExecutedChild();
    bool executed() const { return status == exit_status << 8; }
};

/// A child whose first thread ends by exit(2), whereupon another sends the marker, through
/// the 32-bit interface too where there is one, and ends the process by exit_group(2), with
/// the marker's secret as an unused argument.
struct ThreadedChild : Child {
    static constexpr int exit_status = EBT_BOTH_STATUS, exit_status_64_bit_only = EBT_NATIVE_ONLY_STATUS;

    explicit ThreadedChild(const MarkerCall& marker);
    bool has_sent_both() const { return status == exit_status << 8; }
    bool has_sent() const { return has_sent_both() || status == exit_status_64_bit_only << 8; }
};

} // namespace ebpf_loader::self_check
