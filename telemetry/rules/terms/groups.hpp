// SPDX-License-Identifier: MIT
// Groups of system calls, as Linux's audit system classes them for `-F perm=`.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace telemetry::rules {

/// How an open has to ask for a file.
enum class OpenFor { reading, writing };

struct Group {
    std::string_view name; ///< with its @
    std::vector<std::string_view> calls;
    std::optional<OpenFor> opens; ///< those of open, openat and openat2 that are part of it
    std::string_view meaning;

    bool has(std::string_view call) const;
};

/// Does the call open files, by flags in its argument `flags`, or behind a pointer?
bool is_open(std::string_view call);

std::span<const Group> groups();
const Group* find_group(std::string_view name);

} // namespace telemetry::rules
