// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/self_check/mismatches.hpp"
#include "loader/src/self_check/own_process.hpp"

#include <ebpf_loader/abi/plan.h>
#include <ebpf_loader/record_view.hpp>
#include <ebpf_loader/unique_fd.hpp>

namespace ebpf_loader::self_check {

/// Descriptors that the self-check has captured: a pipe with an owner of its own, a file
/// behind a mount point, sockets of both families.
class Samples {
  public:
    Samples();

    UniqueFd pipe, file, inet, inet6;       ///< sockets: none where the kernel or the host has no such family
    uint16_t inet_port = 0, inet6_port = 0; ///< local ones
    static constexpr uint16_t remote_port = 30583;

    /// Compares what a record of the marker call has of them.
    void check(const RecordView& view, Mismatches& mismatches) const;

  private:
    OwnFile pipe_file_, file_file_;
    UniqueFd other_end_;
};

/// A call that is recognised among all others: an invalid dup3, as one of its arguments is a descriptor where
/// flags belong, and whose unused arguments carry a secret. It does nothing but fail.
class MarkerCall {
  public:
    explicit MarkerCall(const Samples& samples);

    void send() const;
    bool is(const ebt_header& header) const;
    /// The same call through the 32-bit interface, which cuts the arguments.
    bool is_32_bit(const ebt_header& header) const;
    /// Selects it, of either width, and captures its descriptors.
    ebt_plan plan() const;
    ebt_plan plan_32_bit() const;
    const uint64_t* args() const { return args_; }

  private:
    ebt_plan plan(uint64_t mask) const;

    uint64_t args_[EBT_ARGS];
};

} // namespace ebpf_loader::self_check
