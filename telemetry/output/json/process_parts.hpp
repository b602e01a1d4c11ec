// SPDX-License-Identifier: MIT
// What the files that write JsonProcess share.
#pragma once
#include "telemetry/event/facts.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry {

/// A piece that is longer is rendered each time.
inline constexpr size_t longest_fragment = 8192;

/// For reading and searching alone: the parts joined with blanks.
template <size_t N> void put_joined(JsonLine& line, const char (&key)[N], std::string_view strings) {
    line.put(key);
    while (!strings.empty()) {
        put_json_escaped(line, next_string(strings));
        if (!strings.empty())
            line.put(' ');
    }
    line.put('"');
}

template <size_t N> void put_flag(JsonLine& line, Field field, const char (&key)[N], bool value) {
    if (!line.wants(field))
        return;
    line.key(key);
    line.put(value ? std::string_view("true") : "false");
}

/// Is the process in a container, whose names are not the machine's?
inline bool is_contained(const Event& event) {
    return event.lineage && !event.lineage->facts.container.id.empty();
}

} // namespace telemetry
