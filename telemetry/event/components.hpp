// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>

#include "telemetry/base/arena.hpp"
#include "telemetry/event/event.hpp"

namespace telemetry {

/// Appends the path that components, leaf first and each ended by NUL, stand for:
/// "passwd\0etc\0" is "/etc/passwd", nothing at all is "/".
void append_path(Arena& arena, std::string_view components) noexcept;

/// Appends what a path that hangs on no mount is called: as in /proc/PID/fd, but
/// without " (deleted)". Is it a file that has no directory, such as a memfd?
/// `is_directory`: by its mode, or since only directories can be there.
bool append_detached(Arena& arena, std::string_view components, const InodeInfo& inode,
                     bool is_directory) noexcept;

/// Components that were cut end with part of a name: the whole ones of them.
std::string_view whole_components(std::string_view components) noexcept;

} // namespace telemetry
