// SPDX-License-Identifier: MIT
// What a text line says of an event as a whole, and of its fields.
#pragma once
#include "telemetry/base/line_buffer.hpp"
#include "telemetry/event/event.hpp"
#include "telemetry/output/field_notes.hpp"

namespace telemetry {

/// Is a namespace another than the machine's first? Not, as far as is known.
constexpr bool is_elsewhere(uint32_t number, uint32_t first) {
    return number != 0 && first != 0 && number != first;
}

/// Who has answered the call in the kernel's place, or may have: "seccomp", "tracer", or either.
std::string_view supervisor_name(const Event& event);

/// executed=no, and who decided so.
void put_execution(LineBuffer& line, const Event& event);
/// Those that are not the machine's first.
void put_namespaces(LineBuffer& line, const ImageNamespaces& namespaces, const ImageNamespaces& first);
/// The key of the rule that selected the event.
void put_key(LineBuffer& line, std::string_view key);
/// Names of fields by what there is to know about them, but for those that are missing.
void put_notes(LineBuffer& line, const FieldNotes& notes);
/// And of these, with the parts of the record that could not be had.
void put_missing(LineBuffer& line, const Event& event, const FieldNotes& notes);

} // namespace telemetry
