// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace telemetry {

/// A field of a line of JSON, or an object that fields are in. fields.def lists them.
enum class Field : uint16_t {
#define OBJECT(id, name) id,
#define FIELD(id, name, rules, compact) id,
#include "telemetry/output/json/fields/fields.def"
#undef FIELD
#undef OBJECT
    count
};

/// Which fields a line has. What the choice is made of is compared at the start; with each event it is
/// a bit that is tested.
class FieldSet {
  public:
    bool has(Field field) const {
        const auto bit = static_cast<size_t>(field);
        return words_[bit / 64] >> bit % 64 & 1;
    }
    void add(Field field) {
        const auto bit = static_cast<size_t>(field);
        words_[bit / 64] |= uint64_t{1} << bit % 64;
    }
    /// Adds the objects that the fields are in.
    void add_objects();
    bool operator==(const FieldSet&) const = default;

    static const FieldSet& all();

  private:
    std::array<uint64_t, (static_cast<size_t>(Field::count) + 63) / 64> words_{};
};

/// What --fields chooses.
struct FieldChoice {
    FieldSet whole = FieldSet::all();
    /// Of a line whose process a line before has described; the same as `whole` where each line stands for
    /// itself.
    FieldSet rest = FieldSet::all();
};

/// One of the names in field_choice_names(), or a file: a name of a field or of an object a line, which
/// stands for all of its fields; `#` begins a comment. What tells events apart is always chosen. Throws
/// ebpf_loader::Error(usage) with file, line and the nearest name.
FieldChoice choose_fields(const std::string& name_or_file);
/// The same, of the text of a file.
FieldChoice parse_fields(std::string_view text, const std::string& file);
std::string field_choice_names();

} // namespace telemetry
