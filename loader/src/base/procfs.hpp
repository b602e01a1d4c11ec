// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace ebpf_loader {

/// What is observed is compared with /proc. Throws Error(resources) where that is not mounted,
/// and in a time namespace that shifts its clocks: times there are not the kernel's.
void require_proc();

/// The first number in a line of /proc/PID/status, by the line's name: "FDSize"; nullopt when no line has
/// that name.
std::optional<uint64_t> status_number(std::string_view status, std::string_view name, int base = 10);

} // namespace ebpf_loader
