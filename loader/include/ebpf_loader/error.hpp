// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstddef>
#include <stdexcept>
#include <string>

#include <ebpf_loader/api.hpp>

namespace ebpf_loader {

/// Why a start failed; each has its own exit status in the program.
enum class ErrorCode {
    usage,      ///< an argument or a file of the caller's is wrong
    privileges, ///< not root, or a capability is missing
    lockdown,   ///< kernel lockdown forbids reading kernel memory
    tracefs,    ///< no tracefs, and it cannot be mounted
    offsets,    ///< no kernel offsets to be had, or they are wrong
    tiers,      ///< the kernel refused every tier
    resources,  ///< memory, descriptors, buffers
};

/// What it was exactly, where the way out depends on the program: on its options, on the files that
/// come with it. what() does not name that way, so that the program can.
enum class ErrorCause {
    other,
    config_unreadable,     ///< the offsets config cannot be read
    config_line,           ///< a line of it is wrong
    config_incomplete,     ///< it ends without all that is required
    other_release,         ///< the offsets are for another kernel release
    offsets_unsound,       ///< the offsets lack something, or cannot be true
    kernel_btf_missing,    ///< the running kernel does not describe its structures
    kernel_btf_unreadable, ///< it does, but not to this process
    file_without_btf,      ///< the file named as the source of the offsets has no BTF
    btf_ambiguous,         ///< the BTF describes several structures of one name
    not_discovered,        ///< observation left a required offset open
    offsets_refuted,       ///< the offsets are not those of this kernel: the self-check saw other values
    buffer_refused,        ///< the kernel refused a buffer of that size
    memory_limit,          ///< see MemoryLimitError
};

/// Thrown at start-up only. what() says in full sentences what failed.
class EBPF_LOADER_API Error : public std::runtime_error {
  public:
    Error(ErrorCode code, const std::string& message, ErrorCause cause = ErrorCause::other)
        : std::runtime_error(message), code_(code), cause_(cause) {}
    ErrorCode code() const noexcept { return code_; }
    ErrorCause cause() const noexcept { return cause_; }

  private:
    ErrorCode code_;
    ErrorCause cause_;
};

/// EngineOptions::max_memory is too low. All sizes are in bytes.
class EBPF_LOADER_API MemoryLimitError : public Error {
  public:
    struct Sizes {
        size_t limit;
        size_t besides; ///< EngineOptions::other_memory
        size_t buffers; ///< what they take as they were asked for
        size_t least;   ///< what the smallest ones would take
    };
    MemoryLimitError(const std::string& message, const Sizes& sizes)
        : Error(ErrorCode::resources, message, ErrorCause::memory_limit), sizes_(sizes) {}
    const Sizes& sizes() const noexcept { return sizes_; }

  private:
    Sizes sizes_;
};

} // namespace ebpf_loader
