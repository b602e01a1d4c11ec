// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/discovery/block.hpp"

#include <array>
#include <string>

namespace ebpf_loader::discovery {

/// Attaches a program to a classic tracepoint ("sched/sched_switch") on all CPUs for as long as
/// the descriptor lives. Throws Error.
UniqueFd hook_tracepoint(const std::string& tracefs, const std::string& event, int program_fd);

/// Reads kernel memory: an eBPF program at the start of system calls answers those
/// whose first two arguments are a secret, with a copy of the memory that the others name.
/// What carries the secret is getppid(2), which takes no arguments and harms nobody.
class KernelMemory {
  public:
    static constexpr size_t chunk = 4096;

    /// Throws Error where the program cannot be loaded or attached.
    explicit KernelMemory(const std::string& tracefs);

    /// Up to `length` bytes: up to the first page that is not there.
    Block read(uint64_t where, size_t length) const;
    uint64_t read_pointer(uint64_t where) const { return read(where, sizeof(uint64_t)).at<uint64_t>(0); }

    /// The arguments that ask for `length` bytes, at most a chunk, from an address, or from an
    /// offset in the caller's own task_struct. They fit 32-bit system calls too.
    using Request = std::array<uint64_t, 5>;
    enum From { address, own_task };
    Request request(From from, uint64_t where, size_t length) const;

    /// What became of the last request, whoever made it.
    struct Answer {
        uint64_t task = 0;            ///< the caller's task_struct
        uint32_t tid = 0, tgid = 0;   ///< as the kernel counts, in the initial namespace
        std::vector<std::byte> bytes; ///< empty: the memory is not there
    };
    Answer answer(size_t length) const;
    /// The calling thread itself.
    Answer self() const;

    /// Is it worth asking for? Kernels may complain of other addresses.
    bool can_be_address(uint64_t where) const;

  private:
    uint32_t secret_[2];
    uint64_t own_task_ = 0;
    UniqueFd map_, program_, hook_;
};

/// Watches one process at a tracepoint for two words of its task_struct that are equal almost
/// always, and keeps them as they were when they last differed.
class PairWatch {
  public:
    PairWatch(const std::string& tracefs, const std::string& event, uint32_t tgid, uint32_t first,
              uint32_t second);
    bool differed() const;
    std::array<uint64_t, 2> words() const;

  private:
    UniqueFd map_, program_, hook_;
};

} // namespace ebpf_loader::discovery
