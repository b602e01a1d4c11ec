// SPDX-License-Identifier: MIT
#include "telemetry/base/text/ini.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/escape.hpp"

namespace telemetry {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::optional<std::string> read_text_file(const std::string& path, size_t most) {
    std::ifstream stream(path, std::ios::binary);
    std::string text(most + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(stream.gcount()));
    const bool is_longer = text.size() > most;
    if (stream.bad() || (!stream.eof() && !is_longer))
        return std::nullopt;
    return text;
}

void refuse_line(const std::string& file, size_t line, const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, file + ":" + std::to_string(line) + ": " + why);
}

std::vector<IniLine> ini_lines(std::string_view text) {
    std::vector<IniLine> lines;
    for (size_t number = 1; !text.empty(); ++number) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line[0] != '#' && line[0] != ';')
            lines.push_back({line, number});
    }
    return lines;
}

std::optional<IniEntry> ini_entry(const IniLine& line) {
    const size_t sign = line.text.find('=');
    if (sign == std::string_view::npos)
        return std::nullopt;
    return IniEntry{std::string(trimmed(line.text.substr(0, sign))),
                    std::string(trimmed(line.text.substr(sign + 1))), line.number};
}

IniFile parse_ini_file(std::string_view text, const std::string& file) {
    IniFile ini;
    for (const IniLine& line : ini_lines(text)) {
        if (line.text[0] == '[') {
            if (!line.text.ends_with(']'))
                refuse_line(file, line.number, "a section is [NAME], not " + in_quotes(line.text));
            ini.sections.push_back(
                {std::string(trimmed(line.text.substr(1, line.text.size() - 2))), line.number, {}});
            continue;
        }
        const auto entry = ini_entry(line);
        if (!entry)
            refuse_line(file, line.number,
                        "a line is [SECTION] or OPTION = VALUE, not " + in_quotes(line.text));
        if (ini.sections.empty()) {
            ini.entries.push_back(*entry);
            continue;
        }
        std::vector<IniEntry>& entries = ini.sections.back().entries;
        if (std::ranges::count(entries, entry->key, &IniEntry::key) > 0)
            refuse_line(file, line.number, in_quotes(entry->key) + " is given twice");
        entries.push_back(*entry);
    }
    return ini;
}

std::vector<IniSection> parse_ini(std::string_view text, const std::string& file) {
    IniFile ini = parse_ini_file(text, file);
    if (!ini.entries.empty())
        refuse_line(file, ini.entries[0].line, "an option stands in a section: write [output.NAME] first");
    return std::move(ini.sections);
}

} // namespace telemetry
