// SPDX-License-Identifier: MIT
#include "telemetry/output/field_notes.hpp"

namespace telemetry {
namespace {

constexpr uint16_t bit(Mark mark) {
    return static_cast<uint16_t>(mark);
}

} // namespace

void FieldName::put(LineBuffer& line) const {
    line.put(base);
    if (index >= 0) {
        line.put('[');
        line.put_decimal(static_cast<uint64_t>(index));
        line.put(']');
    }
    if (!leaf.empty()) {
        line.put('.');
        line.put(leaf);
    }
}

uint16_t FieldNotes::marks_of(const Text& text) {
    switch (text.status) {
    case Status::absent:
        return 0;
    case Status::fault:
        return bit(Mark::fault);
    case Status::unavailable:
        return bit(Mark::missing);
    default:
        break;
    }
    uint16_t marks = text.status == Status::truncated ? bit(Mark::truncated) : 0;
    if (text.source == Source::user_memory)
        marks |= bit(Mark::user_memory);
    if (text.source == Source::procfs)
        marks |= bit(Mark::procfs);
    if (text.detached)
        marks |= bit(Mark::detached);
    if (text.foreign)
        marks |= bit(Mark::foreign);
    if (text.shared)
        marks |= bit(Mark::shared);
    if (text.deleted)
        marks |= bit(Mark::deleted);
    return marks;
}

void FieldNotes::add_marks(const FieldName& name, const Text& text, uint16_t marks) {
    if (!marks)
        return;
    notes_.push_back({name, marks, text.length_is_minimum, text.original_length});
    marks_ |= marks;
}

void FieldNotes::add_path(const FieldName& name, const PathField& path, bool may_be_relative) {
    uint16_t marks = marks_of(path);
    if (path.known() && path.relative && !may_be_relative)
        marks |= bit(Mark::relative);
    if (path.lexical)
        marks |= bit(Mark::lexical);
    if (is_foreign_ && path.known() && !path.detached && !may_be_relative)
        marks |= bit(Mark::foreign);
    add_marks(name, path, marks);
}

void FieldNotes::add_passed(const FieldName& name, const PassedDescriptors& passed) {
    uint16_t marks = marks_of(passed.control);
    if (passed.kept && passed.control.status == Status::fault)
        marks |= bit(Mark::user_memory) | (passed.control.shared ? bit(Mark::shared) : 0);
    add_marks(name, passed.control, marks);
}

void FieldNotes::add_directory(const FieldName& name, const Text& directory) {
    uint16_t marks = directory.status == Status::absent ? bit(Mark::missing) : marks_of(directory);
    if (is_foreign_ && directory.known() && !directory.detached)
        marks |= bit(Mark::foreign);
    if (directory.status == Status::truncated) // what is cut is its beginning
        marks |= bit(Mark::relative);
    add_marks(name, directory, marks);
}

} // namespace telemetry
