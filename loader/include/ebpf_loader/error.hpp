// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <stdexcept>
#include <string>

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

/// Thrown at start-up only. what() is a full sentence that says what to do.
class Error : public std::runtime_error {
  public:
    Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
    ErrorCode code() const noexcept { return code_; }

  private:
    ErrorCode code_;
};

} // namespace ebpf_loader
