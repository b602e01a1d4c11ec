// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/base/escape.hpp"
#include "telemetry/base/line_buffer.hpp"
#include "telemetry/event/facts.hpp"
#include "telemetry/output/field_notes.hpp"

namespace telemetry {

/// A line of name=value fields under way, and what there is to note of them.
class TextLine {
  protected:
    template <size_t N> void put_id(const char (&name)[N], uint32_t id, bool known) {
        line_.put(name);
        if (known)
            line_.put_decimal(id);
        else
            line_.put('?');
    }
    void put_quoted(std::string_view bytes) {
        line_.put('"');
        put_text_escaped(line_, bytes);
        line_.put('"');
    }
    void put_value(const Text& text) {
        if (text.known())
            put_quoted(text.bytes);
        else
            line_.put('?');
    }
    void put_noted(std::string_view name, const Text& text) {
        if (text.status != Status::absent)
            put_named(name, text);
        notes_.add({name}, text);
    }
    void put_named(std::string_view name, const Text& text) {
        put_name(name);
        put_value(text);
    }
    void put_name(std::string_view name) {
        line_.put(' ');
        line_.put(name);
        line_.put('=');
    }
    /// ["one","another"], of strings that each end with NUL.
    void put_strings(std::string_view strings) {
        line_.put('[');
        while (!strings.empty()) {
            put_quoted(next_string(strings));
            if (!strings.empty())
                line_.put(',');
        }
        line_.put(']');
    }

    LineBuffer line_;
    FieldNotes notes_;
};

} // namespace telemetry
