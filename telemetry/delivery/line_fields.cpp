// SPDX-License-Identifier: MIT
// What dialects read out of lines that the JSON formatters have made: the form is known, and a quotation mark
// that a process wrote is escaped.
#include <charconv>
#include <ctime>

#include "telemetry/delivery/line_fields.hpp"

namespace telemetry {

std::string_view event_id_of(std::string_view line) {
    constexpr std::string_view object = "\"event\":{", key = "\"id\":\"";
    const size_t event = line.find(object);
    const size_t id = event == line.npos ? line.npos : line.find(key, event);
    if (id == line.npos)
        return {};
    const size_t begin = id + key.size();
    const size_t end = line.find('"', begin);
    return end == line.npos ? std::string_view() : line.substr(begin, end - begin);
}

uint64_t time_of(std::string_view line) {
    constexpr std::string_view begin = "{\"@timestamp\":\"";
    constexpr size_t whole = 19; // "2026-11-27T22:15:18"
    constexpr uint64_t second = 1'000'000'000;
    if (!line.starts_with(begin) || line.size() < begin.size() + whole)
        return 0;
    line.remove_prefix(begin.size());
    const auto number = [&](size_t at, size_t digits) {
        int value = 0;
        std::from_chars(line.data() + at, line.data() + at + digits, value);
        return value;
    };
    std::tm time{};
    time.tm_year = number(0, 4) - 1900;
    time.tm_mon = number(5, 2) - 1;
    time.tm_mday = number(8, 2);
    time.tm_hour = number(11, 2);
    time.tm_min = number(14, 2);
    time.tm_sec = number(17, 2);
    const time_t seconds = timegm(&time);
    uint64_t fraction = 0, unit = second;
    if (line.size() > whole && line[whole] == '.')
        for (size_t i = whole + 1; i < line.size() && line[i] >= '0' && line[i] <= '9' && unit > 1; ++i) {
            unit /= 10;
            fraction += static_cast<uint64_t>(line[i] - '0') * unit;
        }
    return seconds > 0 ? static_cast<uint64_t>(seconds) * second + fraction : 0;
}

} // namespace telemetry
