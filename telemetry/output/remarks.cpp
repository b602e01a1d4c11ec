// SPDX-License-Identifier: MIT
#include "telemetry/output/remarks.hpp"

#include <utility>

#include "telemetry/base/escape.hpp"

namespace telemetry {

namespace {

void put_note(LineBuffer& line, const FieldNotes& notes, Mark mark, std::string_view name) {
    if (!notes.any(mark))
        return;
    line.put(name);
    for (const FieldNotes::Note& note : notes.all()) {
        if (!note.has(mark))
            continue;
        if (line.last() != '=')
            line.put(',');
        note.name.put(line);
        if (mark != Mark::truncated)
            continue;
        line.put(':');
        line.put_decimal(note.original_length);
        if (note.length_is_minimum)
            line.put('+');
    }
}

} // namespace

void put_notes(LineBuffer& line, const FieldNotes& notes) {
    put_note(line, notes, Mark::user_memory, " user_memory=");
    put_note(line, notes, Mark::shared, " shared=");
    put_note(line, notes, Mark::procfs, " procfs=");
    put_note(line, notes, Mark::truncated, " truncated=");
    put_note(line, notes, Mark::fault, " fault=");
    put_note(line, notes, Mark::lexical, " lexical=");
    put_note(line, notes, Mark::relative, " relative=");
    put_note(line, notes, Mark::detached, " detached=");
    put_note(line, notes, Mark::foreign, " foreign=");
    put_note(line, notes, Mark::deleted, " deleted=");
}

void put_key(LineBuffer& line, std::string_view key) {
    if (key.empty())
        return;
    line.put(" key=\"");
    put_text_escaped(line, key);
    line.put('"');
}

std::string_view supervisor_name(const Event& event) {
    switch (event.execution & (EBT_SECCOMP | EBT_TRACED)) {
    case EBT_SECCOMP:
        return "seccomp";
    case EBT_TRACED:
        return "tracer";
    default:
        return "seccomp_or_tracer";
    }
}

void put_execution(LineBuffer& line, const Event& event) {
    if (!event.skipped() && !event.unproven())
        return;
    line.put(event.skipped() ? std::string_view(" executed=no answered_by=") : " executed=? answered_by=");
    line.put(supervisor_name(event));
}

void put_namespaces(LineBuffer& line, const ImageNamespaces& namespaces, const ImageNamespaces& first) {
    const auto put = [&](std::string_view name, uint32_t number, uint32_t first_number) {
        if (!is_elsewhere(number, first_number))
            return;
        line.put(name);
        line.put_decimal(number);
    };
    put(" mnt_ns=", namespaces.mnt, first.mnt);
    put(" pid_ns=", namespaces.pid, first.pid);
    put(" user_ns=", namespaces.user, first.user);
}

void put_missing(LineBuffer& line, const Event& event, const FieldNotes& notes) {
    static constexpr std::pair<uint32_t, std::string_view> parts[] = {
        {EBT_MISSING_ARGS, "args"},   {EBT_MISSING_PPID, "ppid"},
        {EBT_MISSING_AUDIT, "audit"}, {EBT_MISSING_CREDENTIALS, "credentials"},
        {EBT_MISSING_ABI, "arch"},
    };
    constexpr uint32_t shown =
        EBT_MISSING_ARGS | EBT_MISSING_PPID | EBT_MISSING_AUDIT | EBT_MISSING_CREDENTIALS | EBT_MISSING_ABI;
    if (!(event.missing & shown) && !event.lost_fields && !event.unwitnessed && !notes.any(Mark::missing))
        return;
    line.put(" missing=");
    const auto put = [&](std::string_view name) {
        if (line.last() != '=')
            line.put(',');
        line.put(name);
    };
    for (const auto& [bit, name] : parts) {
        if (event.missing & bit)
            put(name);
    }
    for (const FieldNotes::Note& note : notes.all()) {
        if (note.has(Mark::missing))
            put(note.name.base);
    }
    if (event.unwitnessed)
        put("witness");
    if (event.lost_fields)
        put("fields");
}

} // namespace telemetry
