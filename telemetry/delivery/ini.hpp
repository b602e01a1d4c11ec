// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

struct IniEntry {
    std::string key, value;
    size_t line = 0;
};
struct IniSection {
    std::string name; ///< what stands between the brackets
    size_t line = 0;
    std::vector<IniEntry> entries;
};

/// Lines `[section]` and `key = value`; blank ones and those that begin with # or ; are skipped. A value is
/// what stands behind the sign, without the blanks around it. Throws ebpf_loader::Error(usage), with `file`
/// and line.
std::vector<IniSection> parse_ini(std::string_view text, const std::string& file);

/// Throws ebpf_loader::Error(usage): "file:line: why".
[[noreturn]] void refuse_line(const std::string& file, size_t line, const std::string& why);

} // namespace telemetry
