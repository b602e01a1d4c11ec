// SPDX-License-Identifier: MIT
#include "telemetry/stack/code_map.hpp"

#include <algorithm>
#include <charconv>
#include <sys/sysmacros.h>

namespace telemetry {
namespace {

/// Takes a number and the character behind it off the text.
bool take_number(std::string_view& text, uint64_t& value, int base, char behind) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    const auto length = static_cast<size_t>(stop - text.data());
    if (error != std::errc{} || length >= text.size() || *stop != behind)
        return false;
    text.remove_prefix(length + 1);
    return true;
}

/// "55d0-55d8 r-xp 00002000 08:01 1234    /usr/bin/true"
bool parse(std::string_view line, CodeRange& range) {
    constexpr size_t permissions = 5;
    uint64_t major = 0, minor = 0;
    if (!take_number(line, range.begin, 16, '-') || !take_number(line, range.end, 16, ' ') ||
        line.size() < permissions || line[2] != 'x')
        return false;
    line.remove_prefix(permissions);
    if (!take_number(line, range.offset, 16, ' ') || !take_number(line, major, 16, ':') ||
        !take_number(line, minor, 16, ' ') || !take_number(line, range.inode, 10, ' '))
        return false;
    range.device = makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    range.name = line;
    return range.begin < range.end;
}

} // namespace

CodeMap::CodeMap(std::string_view maps) {
    while (!maps.empty() && ranges_.size() < most_ranges) {
        const size_t end = std::min(maps.find('\n'), maps.size());
        CodeRange range;
        if (parse(maps.substr(0, end), range))
            ranges_.push_back(std::move(range));
        maps.remove_prefix(std::min(end + 1, maps.size()));
    }
    std::ranges::sort(ranges_, {}, &CodeRange::begin);
}

size_t CodeMap::bytes() const {
    size_t names = 0;
    for (const CodeRange& range : ranges_)
        names += range.name.capacity();
    return sizeof *this + ranges_.capacity() * sizeof(CodeRange) + names;
}

const CodeRange* CodeMap::find(uint64_t address) const {
    const auto after = std::ranges::upper_bound(ranges_, address, {}, &CodeRange::begin);
    if (after == ranges_.begin() || address >= std::prev(after)->end)
        return nullptr;
    return &*std::prev(after);
}

} // namespace telemetry
