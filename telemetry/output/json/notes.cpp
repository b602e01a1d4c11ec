// SPDX-License-Identifier: MIT
#include "telemetry/output/json/notes.hpp"

#include <string_view>
#include <utility>

namespace telemetry {
namespace {

template <size_t N> void put_fields(JsonLine& line, Field field, Mark mark, const char (&key)[N]) {
    if (!line.notes.any(mark) || !line.wants(field))
        return;
    line.key(key);
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
    if (!line.notes.any(Mark::truncated) || !line.wants(Field::linux_telemetry_truncated))
        return;
    line.key("\"truncated\":[");
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
    line.key("\"missing\":[");
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
    line.key("\"raw\":[");
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

bool has_json_notes(const JsonLine& line, const Event& event) {
    return event.missing || event.unwitnessed || event.lost_fields || !line.notes.empty() ||
           !line.raw().empty();
}

void put_json_notes(JsonLine& line, const Event& event) {
    const bool has_missing = event.missing || event.unwitnessed || line.notes.any(Mark::missing);
    if (has_missing && line.wants(Field::linux_telemetry_missing))
        put_missing(line, event);
    if (event.lost_fields && line.wants(Field::linux_telemetry_lost_fields))
        line.key("\"lost_fields\":true");
    if (!line.notes.empty()) {
        put_fields(line, Field::linux_telemetry_fault, Mark::fault, "\"fault\":[");
        put_truncated(line);
        put_fields(line, Field::linux_telemetry_user_memory, Mark::user_memory, "\"user_memory\":[");
        put_fields(line, Field::linux_telemetry_shared, Mark::shared, "\"shared\":[");
        put_fields(line, Field::linux_telemetry_procfs, Mark::procfs, "\"procfs\":[");
        put_fields(line, Field::linux_telemetry_lexical, Mark::lexical, "\"lexical\":[");
        put_fields(line, Field::linux_telemetry_relative, Mark::relative, "\"relative\":[");
        put_fields(line, Field::linux_telemetry_detached, Mark::detached, "\"detached\":[");
        put_fields(line, Field::linux_telemetry_foreign, Mark::foreign, "\"foreign\":[");
        put_fields(line, Field::linux_telemetry_deleted, Mark::deleted, "\"deleted\":[");
    }
    if (!line.raw().empty() && line.wants(Field::linux_telemetry_raw))
        put_raw(line);
}

} // namespace telemetry
