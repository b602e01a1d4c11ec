// SPDX-License-Identifier: MIT
#include "telemetry/output/json/fields/fields.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/refuse.hpp"
#include "telemetry/base/text/ini.hpp"
#include "telemetry/base/text/suggestion.hpp"
#include "telemetry/base/trusted_file.hpp"

namespace telemetry {
namespace {

enum class Compact : uint8_t { never, once, every_line };

struct Row {
    std::string_view name;
    bool is_object;
    bool in_rules;
    Compact compact;
};

constexpr Row rows[] = {
#define OBJECT(id, name) {name, true, false, Compact::never},
#define FIELD(id, name, rules, compact) {name, false, rules, Compact::compact},
#include "telemetry/output/json/fields/fields.def"
#undef FIELD
#undef OBJECT
};
static_assert(std::size(rows) == static_cast<size_t>(Field::count));

constexpr Field always[] = {Field::event_id, Field::event_action, Field::event_outcome, Field::process_pid,
                            Field::process_entity_id};
constexpr std::string_view always_there = "@timestamp"; // a line begins with it
constexpr size_t longest_file = 64 * 1024;

bool is_inside(std::string_view name, std::string_view object) {
    return name.size() > object.size() && name.starts_with(object) && name[object.size()] == '.';
}

/// Those that `is_chosen`, and what tells events apart.
template <class Chosen> FieldSet set_of(Chosen is_chosen) {
    FieldSet set;
    for (const Field field : always)
        set.add(field);
    for (size_t i = 0; i < std::size(rows); ++i)
        if (!rows[i].is_object && is_chosen(rows[i]))
            set.add(static_cast<Field>(i));
    set.add_objects();
    return set;
}

FieldChoice same_in_each_line(const FieldSet& set) {
    return {set, set};
}

FieldChoice full() {
    return {};
}

FieldChoice rules() {
    return same_in_each_line(set_of([](const Row& row) { return row.in_rules; }));
}

FieldChoice compact() {
    return {set_of([](const Row& row) { return row.compact != Compact::never; }),
            set_of([](const Row& row) { return row.compact == Compact::every_line; })};
}

constexpr std::pair<std::string_view, FieldChoice (*)()> choices[] = {
    {"full", full}, {"rules", rules}, {"compact", compact}};

std::string_view nearest(std::string_view name) {
    std::string_view best = rows[0].name;
    size_t least = SIZE_MAX;
    for (const Row& row : rows) {
        const size_t far = edit_distance(name.substr(0, 100), row.name);
        if (far < least) {
            least = far;
            best = row.name;
        }
    }
    return best;
}

} // namespace

void FieldSet::add_objects() {
    for (size_t i = 0; i < std::size(rows); ++i) {
        if (!rows[i].is_object)
            continue;
        for (size_t j = i + 1; j < std::size(rows); ++j)
            if (!rows[j].is_object && has(static_cast<Field>(j)) && is_inside(rows[j].name, rows[i].name))
                add(static_cast<Field>(i));
    }
}

const FieldSet& FieldSet::all() {
    static const FieldSet set = set_of([](const Row&) { return true; });
    return set;
}

FieldChoice parse_fields(std::string_view text, const std::string& file) {
    std::vector<std::string_view> names;
    size_t number = 0;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        ++number;
        const std::string_view name = trimmed(line.substr(0, line.find('#')));
        if (name.empty() || name == always_there)
            continue;
        if (std::ranges::find(rows, name, &Row::name) == std::end(rows))
            refuse(file + ":" + std::to_string(number) + ": there is no field " + in_quotes(name) +
                   "; the nearest is " + std::string(nearest(name)) + " (docs/output.md lists them)");
        names.push_back(name);
    }
    if (names.empty())
        refuse(file + ": names no field: one a line, as in docs/output.md");
    return same_in_each_line(set_of([&](const Row& row) {
        return std::ranges::any_of(
            names, [&](std::string_view name) { return row.name == name || is_inside(row.name, name); });
    }));
}

FieldChoice choose_fields(const std::string& name_or_file) {
    const auto* known =
        std::ranges::find(choices, name_or_file, [](const auto& choice) { return choice.first; });
    if (known != std::end(choices))
        return known->second();
    require_trusted(name_or_file, "fields");
    const auto text = read_text_file(name_or_file, longest_file);
    if (!text || text->empty())
        refuse("--fields is one of " + field_choice_names() + " or a file with names of fields, and " +
               in_quotes(name_or_file) + " cannot be read or is empty");
    if (text->size() > longest_file)
        refuse("--fields: " + in_quotes(name_or_file) + " is longer than 64 KiB");
    return parse_fields(*text, name_or_file);
}

std::string field_choice_names() {
    std::string names;
    for (const auto& [name, make] : choices)
        names.append(names.empty() ? "" : ", ").append(name);
    return names;
}

} // namespace telemetry
