// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "telemetry/base/line_buffer.hpp"
#include "telemetry/event/event.hpp"

namespace telemetry {

/// The name of an output field in parts, so that none need be joined for each event:
/// "base", "base[index]", "base.leaf" or "base[index].leaf".
struct FieldName {
    std::string_view base;
    int index = -1;
    std::string_view leaf = {};

    void put(LineBuffer& line) const;
};

/// What a reader should know about a field besides its value.
enum class Mark : uint16_t {
    user_memory = 1 << 0, ///< read from the process's own memory
    procfs = 1 << 1,      ///< read from /proc, after the event
    truncated = 1 << 2,
    fault = 1 << 3,    ///< the memory was not there to read
    missing = 1 << 4,  ///< not to be had
    relative = 1 << 5, ///< a path whose directory is not known
    detached = 1 << 6, ///< a path that hangs on no mount
    foreign = 1 << 7,  ///< a path in another mount namespace
    lexical = 1 << 8,  ///< a path that was rewritten by its text alone
    shared = 1 << 9,   ///< another thread or process could have changed it meanwhile
    deleted = 1 << 10, ///< a path that leads there no more
};

/// Collects, while the fields of an event are written, what a reader should know about them.
/// Most events need no note: adding such a field costs a comparison or two.
class FieldNotes {
  public:
    struct Note {
        FieldName name;
        uint16_t marks;
        bool length_is_minimum;
        uint32_t original_length;

        bool has(Mark mark) const { return marks & static_cast<uint16_t>(mark); }
    };

    void clear() {
        notes_.clear();
        marks_ = 0;
        is_foreign_ = false;
    }
    void add(const FieldName& name, const Text& text) {
        const bool plain = text.status == Status::ok && text.source == Source::kernel;
        if (text.status == Status::absent ||
            (plain && !text.detached && !text.foreign && !text.shared && !text.deleted))
            return;
        add_marks(name, text, marks_of(text));
    }
    /// As add(), for a field that every event should have.
    void add_expected(const FieldName& name, const Text& text) {
        if (text.status == Status::absent)
            add_missing(name);
        else
            add(name, text);
    }
    void add_path(const FieldName& name, const PathField& path, bool may_be_relative);
    /// Of a directory of the process.
    void add_directory(const FieldName& name, const Text& directory);
    void add_missing(const FieldName& name) { add_mark(name, Mark::missing); }
    /// Of several messages, some may have been read where one was not.
    void add_passed(const FieldName& name, const PassedDescriptors& passed);
    void add_mark(const FieldName& name, Mark mark) { add_marks(name, {}, static_cast<uint16_t>(mark)); }
    /// From here on paths are those of another mount namespace than the machine's first.
    void set_foreign(bool foreign) { is_foreign_ = foreign; }

    bool empty() const { return marks_ == 0; }
    bool any(Mark mark) const { return marks_ & static_cast<uint16_t>(mark); }
    const std::vector<Note>& all() const { return notes_; }

  private:
    static uint16_t marks_of(const Text& text);
    void add_marks(const FieldName& name, const Text& text, uint16_t marks);

    std::vector<Note> notes_; // keeps its memory from event to event
    uint16_t marks_ = 0;
    bool is_foreign_ = false;
};

} // namespace telemetry
