// SPDX-License-Identifier: MIT
#include "telemetry/output/json/notes.hpp"

#include <string_view>
#include <utility>

namespace telemetry {
namespace {

void put_fields(JsonLine& line, Mark mark, std::string_view key) {
    if (!line.notes.any(mark))
        return;
    line.put(key);
    for (const FieldNotes::Note& note : line.notes.all()) {
        if (!note.has(mark))
            continue;
        line.next();
        line.put('"');
        note.name.put(line);
        line.put('"');
    }
    line.put(']');
}

void put_truncated(JsonLine& line) {
    if (!line.notes.any(Mark::truncated))
        return;
    line.put(",\"truncated\":[");
    for (const FieldNotes::Note& note : line.notes.all()) {
        if (!note.has(Mark::truncated))
            continue;
        line.key("{\"field\":\"");
        note.name.put(line);
        line.put("\",\"original_length\":");
        line.put_decimal(note.original_length);
        if (note.length_is_minimum)
            line.put(",\"at_least\":true");
        line.put('}');
    }
    line.put(']');
}

/// The parts of a record's header that the output shows, by the names they have there.
constexpr std::pair<uint32_t, std::string_view> header_parts[] = {
    {EBT_MISSING_ARGS, "linux.syscall.args"}, {EBT_MISSING_PPID, "process.parent.pid"},
    {EBT_MISSING_AUDIT, "linux.audit"},       {EBT_MISSING_CREDENTIALS, "user"},
    {EBT_MISSING_ABI, "linux.syscall.abi"},   {EBT_MISSING_START_TIME, "process.entity_id"},
};

void put_missing(JsonLine& line, const Event& event) {
    const size_t begin = line.view().size();
    line.put(",\"missing\":[");
    for (const auto& [bit, name] : header_parts) {
        if (!(event.missing & bit))
            continue;
        line.next();
        line.put_quoted(name);
    }
    for (const FieldNotes::Note& note : line.notes.all()) {
        if (!note.has(Mark::missing))
            continue;
        line.key("\"");
        note.name.put(line);
        line.put('"');
    }
    if (event.unwitnessed) {
        line.next();
        line.put("\"witness\"");
    }
    if (line.last() == '[')
        line.cut(begin);
    else
        line.put(']');
}

void put_raw(JsonLine& line) {
    line.put(",\"raw\":[");
    for (const JsonLine::Raw& raw : line.raw()) {
        line.key("{\"field\":\"");
        raw.name.put(line);
        line.put("\",\"base64\":\"");
        put_base64(line, raw.bytes);
        line.put("\"}");
    }
    line.put(']');
}

} // namespace

void put_json_notes(JsonLine& line, const Event& event) {
    if (event.missing || event.unwitnessed || line.notes.any(Mark::missing))
        put_missing(line, event);
    if (event.lost_fields)
        line.put(",\"lost_fields\":true");
    if (!line.notes.empty()) {
        put_fields(line, Mark::fault, ",\"fault\":[");
        put_truncated(line);
        put_fields(line, Mark::user_memory, ",\"user_memory\":[");
        put_fields(line, Mark::shared, ",\"shared\":[");
        put_fields(line, Mark::procfs, ",\"procfs\":[");
        put_fields(line, Mark::lexical, ",\"lexical\":[");
        put_fields(line, Mark::relative, ",\"relative\":[");
        put_fields(line, Mark::detached, ",\"detached\":[");
        put_fields(line, Mark::foreign, ",\"foreign\":[");
        put_fields(line, Mark::deleted, ",\"deleted\":[");
    }
    if (!line.raw().empty())
        put_raw(line);
}

} // namespace telemetry
