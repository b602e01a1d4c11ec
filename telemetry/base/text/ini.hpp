// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <optional>
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

/// And the file that has it.
struct FileSection {
    std::string file;
    IniSection section;
};
struct IniFile {
    std::vector<IniEntry> entries; ///< before the first section; keys may come again
    std::vector<IniSection> sections;
};

/// A line with something on it but a comment, without the blanks around it.
struct IniLine {
    std::string_view text;
    size_t number; ///< from 1
};
/// Blank lines and those that begin with # or ; are left out.
std::vector<IniLine> ini_lines(std::string_view text);
/// Of `key = value`; none: there is no sign.
std::optional<IniEntry> ini_entry(const IniLine& line);

/// Lines `key = value`, then sections of such lines, each begun by `[section]`. A value is what stands behind
/// the sign, without the blanks around it. Throws ebpf_loader::Error(usage), with `file` and line.
IniFile parse_ini_file(std::string_view text, const std::string& file);
/// The same of a file that has sections alone.
std::vector<IniSection> parse_ini(std::string_view text, const std::string& file);

/// Without the blanks around it, a carriage return included.
std::string_view trimmed(std::string_view text);

/// A file of the user's. One byte more than `most` if it is longer; none if it cannot be read.
std::optional<std::string> read_text_file(const std::string& path, size_t most);

/// Throws ebpf_loader::Error(usage): "file:line: why".
[[noreturn]] void refuse_line(const std::string& file, size_t line, const std::string& why);

} // namespace telemetry
