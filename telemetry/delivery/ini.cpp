// SPDX-License-Identifier: MIT
#include "telemetry/delivery/ini.hpp"

#include <algorithm>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/escape.hpp"

namespace telemetry {

namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const size_t begin = std::min(text.find_first_not_of(blanks), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

} // namespace

void refuse_line(const std::string& file, size_t line, const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, file + ":" + std::to_string(line) + ": " + why);
}

std::vector<IniSection> parse_ini(std::string_view text, const std::string& file) {
    std::vector<IniSection> sections;
    for (size_t number = 1; !text.empty(); ++number) {
        const size_t end = text.find('\n');
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty() || line[0] == '#' || line[0] == ';')
            continue;
        if (line[0] == '[') {
            if (!line.ends_with(']'))
                refuse_line(file, number, "a section is [NAME], not " + quoted(line));
            sections.push_back({std::string(trimmed(line.substr(1, line.size() - 2))), number, {}});
            continue;
        }
        const size_t sign = line.find('=');
        if (sign == std::string_view::npos)
            refuse_line(file, number, "a line is [SECTION] or OPTION = VALUE, not " + quoted(line));
        if (sections.empty())
            refuse_line(file, number, "an option stands in a section: write [output.NAME] first");
        const std::string key(trimmed(line.substr(0, sign)));
        std::vector<IniEntry>& entries = sections.back().entries;
        if (std::ranges::count(entries, key, &IniEntry::key) > 0)
            refuse_line(file, number, quoted(key) + " is given twice");
        entries.push_back({key, std::string(trimmed(line.substr(sign + 1))), number});
    }
    return sections;
}

} // namespace telemetry
