// SPDX-License-Identifier: MIT
// What the files that write JsonProcess share.
#pragma once
#include "telemetry/event/facts.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry {

/// A piece that is longer is rendered each time.
inline constexpr size_t longest_fragment = 8192;

/// The parts joined with blanks. False: they are no UTF-8, and cannot be made from that.
template <size_t N> bool put_joined(JsonLine& line, const char (&key)[N], std::string_view strings) {
    bool is_utf8 = true;
    line.put(key);
    while (!strings.empty()) {
        is_utf8 &= put_json_escaped(line, next_string(strings));
        if (!strings.empty())
            line.put(' ');
    }
    line.put('"');
    return is_utf8;
}

/// The field has the beginning of the list alone.
inline void note_cut(JsonLine& line, const FieldName& name, const StringList& list) {
    Text cut = list;
    cut.status = Status::truncated;
    cut.original_length = static_cast<uint32_t>(list.bytes.size());
    line.notes.add(name, cut);
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
