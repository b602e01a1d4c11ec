// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <ebpf_loader/unique_fd.hpp>

namespace ebpf_loader {

/// Offset of a field in a tracepoint's record, as its format file says; distributions
/// put fields of their own in front. nullopt without the tracepoint or the field.
std::optional<uint32_t> tracepoint_field(const std::string& tracefs, const std::string& event,
                                         const std::string& field);

/// Does the tracepoint exist ("syscalls/sys_enter_execve")?
bool has_tracepoint(const std::string& tracefs, const std::string& event);

/// Attaches a program to a classic tracepoint ("sched/sched_switch") on all CPUs for as long as the
/// descriptor lives. Invalid: it cannot be attached, and `problem` says why.
UniqueFd hook_tracepoint(const std::string& tracefs, const std::string& event, int program_fd,
                         std::string& problem);

/// Hit when a TCP socket's state changes; Linux 4.16 brought it.
inline constexpr const char* sock_states_tracepoint = "sock/inet_sock_set_state";

} // namespace ebpf_loader
