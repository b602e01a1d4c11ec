// SPDX-License-Identifier: MIT
// What dialects read out of lines that the JSON formatters have made: the form is known, and a quotation mark
// that a process wrote is escaped.
#include "telemetry/delivery/line_fields.hpp"

#include "telemetry/base/text/time.hpp"

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
    if (!line.starts_with(begin))
        return 0;
    line.remove_prefix(begin.size());
    const auto time = nanoseconds_of(line.substr(0, line.find('"')));
    return time && *time > 0 ? static_cast<uint64_t>(*time) : 0;
}

} // namespace telemetry
