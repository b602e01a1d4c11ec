// SPDX-License-Identifier: MIT
#include "telemetry/delivery/settings.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sys/stat.h>

#include "telemetry/base/escape.hpp"

namespace telemetry {

namespace {

/// A number and what stands behind it.
struct Quantity {
    uint64_t value = 0;
    std::string_view unit;
};

std::optional<Quantity> quantity(std::string_view text, int base = 10) {
    Quantity quantity;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, quantity.value, base);
    if (error != std::errc{})
        return std::nullopt;
    quantity.unit = {rest, end};
    return quantity;
}

struct Unit {
    std::string_view name;
    uint64_t value;
};
constexpr Unit sizes[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};
constexpr Unit times[] = {{"", 1000},    {"ms", 1},        {"s", 1000},
                          {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

template <size_t N> std::optional<uint64_t> scaled(std::string_view text, const Unit (&units)[N]) {
    const auto found = quantity(text);
    if (!found)
        return std::nullopt;
    const auto unit = std::ranges::find(units, found->unit, &Unit::name);
    if (unit == std::end(units) || found->value > UINT64_MAX / unit->value)
        return std::nullopt;
    return found->value * unit->value;
}

} // namespace

const IniEntry* Settings::find(std::string_view key) const {
    const auto found = std::ranges::find(section_.entries, key, &IniEntry::key);
    return found == section_.entries.end() ? nullptr : &*found;
}

void Settings::refuse(std::string_view key, const std::string& why) const {
    const IniEntry* entry = find(key);
    refuse_line(file_, entry ? entry->line : section_.line, std::string(key) + " " + why);
}

void Settings::refuse(const std::string& why) const {
    refuse_line(file_, section_.line, "[" + section_.name + "] " + why);
}

std::string Settings::text(std::string_view key) const {
    const IniEntry* entry = find(key);
    if (entry && entry->value.empty())
        refuse(key, "has no value");
    return entry ? entry->value : std::string();
}

std::string Settings::required(std::string_view key) const {
    if (!find(key))
        refuse("needs the option " + std::string(key));
    return text(key);
}

size_t Settings::size(std::string_view key, size_t usual, size_t least, size_t most) const {
    if (!find(key))
        return usual;
    const auto value = scaled(text(key), sizes);
    if (!value || *value < least || *value > most)
        refuse(key, "takes a number of bytes such as 4194304, 4096K or 4M, from " + std::to_string(least) +
                        " to " + std::to_string(most) + ", not " + in_quotes(text(key)));
    return *value;
}

uint64_t Settings::number(std::string_view key, uint64_t usual, uint64_t least, uint64_t most) const {
    if (!find(key))
        return usual;
    const auto value = quantity(text(key));
    if (!value || !value->unit.empty() || value->value < least || value->value > most)
        refuse(key, "takes a number from " + std::to_string(least) + " to " + std::to_string(most) +
                        ", not " + in_quotes(text(key)));
    return value->value;
}

std::chrono::milliseconds Settings::time(std::string_view key, std::chrono::milliseconds usual) const {
    constexpr uint64_t most = 366 * times[5].value;
    if (!find(key))
        return usual;
    const auto value = scaled(text(key), times);
    if (!value || *value == 0 || *value > most)
        refuse(key,
               "takes a time such as 200ms, 90s, 15m, 24h or 7d, up to 366d, not " + in_quotes(text(key)));
    return std::chrono::milliseconds(*value);
}

bool Settings::flag(std::string_view key, bool usual) const {
    if (!find(key))
        return usual;
    return choice(key, {"yes", "no"}) == 0;
}

std::optional<uint32_t> Settings::mode(std::string_view key) const {
    constexpr uint32_t most = 0777;
    if (!find(key))
        return std::nullopt;
    const auto value = quantity(text(key), 8);
    if (!value || !value->unit.empty() || value->value > most || value->value == 0)
        refuse(key, "takes a mode such as 0640, not " + in_quotes(text(key)));
    return static_cast<uint32_t>(value->value);
}

size_t Settings::choice(std::string_view key, std::initializer_list<std::string_view> choices) const {
    if (!find(key))
        return 0;
    const std::string value = text(key);
    const auto found = std::ranges::find(choices, value);
    if (found != choices.end())
        return static_cast<size_t>(found - choices.begin());
    std::string names;
    for (const std::string_view choice : choices)
        names.append(names.empty() ? "" : ", ").append(choice);
    refuse(key, "is one of " + names + ", not " + in_quotes(value));
}

std::vector<std::string> Settings::list(std::string_view key) const {
    std::vector<std::string> names;
    std::string name;
    for (const char c : text(key) + ",") {
        if (c == ' ' || c == '\t')
            continue;
        if (c != ',') {
            name += c;
        } else if (find(key)) {
            if (name.empty())
                refuse(key, "takes names with commas between them, not " + in_quotes(text(key)));
            names.push_back(std::move(name));
            name.clear();
        }
    }
    return names;
}

std::string Settings::path(std::string_view key) const {
    std::string path = text(key);
    if (!path.empty() && path[0] != '/')
        refuse(key, "takes a path that begins with /, not " + in_quotes(path));
    return path;
}

std::string Settings::secret(std::string_view key) const {
    constexpr size_t longest = 16 * 1024;
    const std::string file = path(key);
    if (file.empty())
        return {};
    struct stat status {};
    if (stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
        refuse(key, file + " cannot be read");
    if (status.st_mode & (S_IWOTH | S_IROTH))
        refuse(key, file + " may be read or written by anyone. Take that away: chmod o-rw " + file);
    std::string line;
    if (!std::getline(std::ifstream(file), line) || line.empty() || line.size() > longest)
        refuse(key, file + " has no first line of at most " + std::to_string(longest) + " bytes");
    for (const char c : line)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
            refuse(key, file + " has a control character in its first line");
    return line;
}

} // namespace telemetry
