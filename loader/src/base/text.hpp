// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ebpf_loader {

/// Without blanks, carriage returns and line ends at both ends.
std::string_view trim(std::string_view text);

/// Safe for a terminal and a log: everything but printable ASCII as \xNN, cut at `longest`.
std::string printable(std::string_view text, size_t longest = std::string_view::npos);

/// The same in quotes, for messages: wrong offsets lead to any bytes, and to many of them.
std::string in_quotes(std::string_view text, size_t longest = 160);

/// Up to `limit` bytes of a file; nullopt, with errno set, when it cannot be read.
std::optional<std::string> read_file(const std::string& file, size_t limit);

} // namespace ebpf_loader
