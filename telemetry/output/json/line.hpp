// SPDX-License-Identifier: MIT
// The JSON of events is written here and not by nlohmann-json, which makes all other JSON: a tree of
// objects for each event would cost more than everything else that is done for it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/line_buffer.hpp"
#include "telemetry/output/field_notes.hpp"
#include "telemetry/output/json/fields/fields.hpp"

namespace telemetry {

/// A line of JSON under construction, and the notes about its fields, which its end reports.
class JsonLine : public LineBuffer {
  public:
    /// A string that is no UTF-8: its bytes go into linux.telemetry.raw.
    struct Raw {
        FieldName name;
        std::string_view bytes;
    };

    /// What is not chosen is not written: who writes a field asks first. All fields are, until others
    /// are selected; the set has to outlive the line.
    void select(const FieldSet& fields) {
        if (selected_ == &fields) [[likely]]
            return;
        selected_ = &fields;
        fields_ = fields;
    }
    bool wants(Field field) const { return fields_.has(field); }
    /// Which fields are selected, for who keeps a piece of a line: the same ones at the same address.
    const FieldSet* selected() const { return selected_; }

    void clear() {
        LineBuffer::clear();
        notes.clear();
        raw_.clear();
    }

    /// Ends the object that was begun at `begin` with its key and brace; if nothing is in it, it is taken
    /// back.
    void end_object(size_t begin) {
        if (last() == '{')
            cut(begin);
        else
            put('}');
    }

    /// A comma, unless the object or array has just begun.
    void next() {
        const char before = last();
        if (before != '{' && before != '[')
            put(',');
    }
    /// The next member: `literal` is "\"name\":" and what follows it.
    template <size_t N> void key(const char (&literal)[N]) {
        next();
        put(literal);
    }
    void put_quoted(std::string_view plain) {
        put('"');
        put(plain);
        put('"');
    }
    void put_quoted_number(uint64_t value) {
        put('"');
        put_decimal(value);
        put('"');
    }

    /// A value of the process's or the kernel's; `name` is what linux.telemetry.raw calls it.
    void put_string(const FieldName& name, std::string_view bytes) {
        put('"');
        put_inside_string(name, bytes);
        put('"');
    }
    void put_inside_string(const FieldName& name, std::string_view bytes) {
        if (!put_json_escaped(*this, bytes)) [[unlikely]]
            raw_.push_back({name, bytes});
    }
    /// Bytes that are no UTF-8, of a field that was put by put_derived().
    void add_raw(const FieldName& name, std::string_view bytes) { raw_.push_back({name, bytes}); }
    /// A string that another field has whole: its bytes are not reported twice.
    bool put_derived(std::string_view bytes) {
        put('"');
        const bool is_utf8 = put_json_escaped(*this, bytes);
        put('"');
        return is_utf8;
    }
    template <size_t N>
    void put_text(Field field, const char (&literal)[N], const FieldName& name, const Text& text) {
        if (wants(field))
            put_text(literal, name, text);
    }
    /// A member, unless its value is not known.
    template <size_t N> void put_text(const char (&literal)[N], const FieldName& name, const Text& text) {
        if (!text.known())
            return;
        key(literal);
        put_string(name, text.bytes);
    }

    const std::vector<Raw>& raw() const { return raw_; }
    FieldNotes notes;

  private:
    const FieldSet* selected_ = nullptr;
    FieldSet fields_ = FieldSet::all(); // a copy, since it is asked some fifty times a line
    std::vector<Raw> raw_;              // keeps its memory from line to line
};

/// A JSON array of the strings of a list, each ended by NUL.
void put_json_strings(JsonLine& line, const FieldName& name, std::string_view list);

/// An escaped string for what is made once, at the start.
std::string json_escaped(std::string_view bytes);

} // namespace telemetry
