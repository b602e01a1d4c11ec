// SPDX-License-Identifier: MIT
#include "telemetry/rules/match.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "telemetry/rules/terms/values.hpp"

namespace telemetry::rules {
namespace {

using ebpf_loader::ArgKind;

Truth maybe(bool possible) {
    return possible ? Truth::unknown : Truth::no;
}

Truth compare_known_part(const TextTest& test, std::string_view text, bool begin_known, bool end_known) {
    const std::string_view wanted = test.text;
    const bool whole = begin_known && end_known;
    switch (test.op) {
    case Op::prefix:
        if (!begin_known)
            return Truth::unknown;
        return text.starts_with(wanted) ? Truth::yes : maybe(!end_known && wanted.starts_with(text));
    case Op::suffix:
        if (!end_known)
            return Truth::unknown;
        return text.ends_with(wanted) ? Truth::yes : maybe(!begin_known && wanted.ends_with(text));
    case Op::contains:
        return contains(text, wanted) ? Truth::yes : maybe(!whole);
    default:
        if (whole)
            return text == wanted ? Truth::yes : Truth::no;
        return maybe(begin_known ? wanted.starts_with(text) : !end_known || wanted.ends_with(text));
    }
}

/// A null pointer names nothing, so that nothing could be read through it is not a failure.
bool is_null_pointer(const Event& event, uint8_t argument) {
    if (!event.call || argument >= event.call->arguments || event.args[argument] != 0)
        return false;
    const ArgKind kind = event.call->argument[argument].kind;
    if (ebpf_loader::is_path(kind))
        return true;
    switch (kind) {
    case ArgKind::string:
    case ArgKind::sockaddr:
    case ArgKind::sockaddr_out:
    case ArgKind::msghdr:
    case ArgKind::msghdr_out:
    case ArgKind::argv:
    case ArgKind::structure:
        return true;
    default:
        return false;
    }
}

bool failed(Status status) {
    return status == Status::fault || status == Status::unavailable;
}

bool has_argument(const Event& event, uint8_t argument, ArgKind kind) {
    return event.call && argument < event.call->arguments && event.call->argument[argument].kind == kind;
}

/// Of a path that was cut, kernel structures give the end and user memory the beginning. One that was
/// rewritten by its text alone may be another: neither it nor what was written decides for certain.
Truth compare(const TextTest& test, const Event& event, uint8_t index) {
    const PathField& path = event.path[index];
    if (!path.known())
        return Truth::no;
    const bool end_known = path.status == Status::ok || path.source != Source::user_memory;
    // the target of a symbolic link is compared as it is written
    const bool begin_known = !path.relative || has_argument(event, path.argument, ArgKind::path_text);
    const Truth truth = rules::compare(test, path.bytes, begin_known, end_known);
    if (!path.lexical)
        return truth;
    const bool was_written = event.witnessed && rules::compare(test, event.witnessed->called[index].bytes,
                                                               begin_known, end_known) != Truth::no;
    return maybe(truth != Truth::no || was_written);
}

/// Might the event name a path that it does not show? A descriptor that a successful call used was
/// open, so there was a file even when it could not be read.
bool hides_a_path(const Event& event) {
    for (uint8_t i = 0; i < event.paths; ++i) {
        const PathField& path = event.path[i];
        if (path.status == Status::fault && !is_null_pointer(event, path.argument))
            return true;
        if (path.status == Status::unavailable && event.success() && !is_null_pointer(event, path.argument))
            return true;
    }
    return event.lost_fields;
}

bool path_holds(const TextTest& test, const Event& event, bool when_unknown) {
    const bool negated = test.op == Op::ne;
    Truth truth = Truth::no;
    for (uint8_t i = 0; i < event.paths && truth != Truth::yes; ++i)
        truth = std::max(truth, compare(test, event, i));
    if (truth == Truth::yes)
        return !negated;
    return truth == Truth::unknown || hides_a_path(event) ? when_unknown : negated;
}

bool exe_holds(const TextTest& test, const Event& event, bool when_unknown) {
    const PathField& exe = event.image.exe;
    if (!exe.known()) // every process has an executable
        return when_unknown;
    const Truth truth = rules::compare(test, exe.bytes, !exe.relative, true);
    return truth == Truth::unknown ? when_unknown : (truth == Truth::yes) != (test.op == Op::ne);
}

bool holds_for(const NumberTest& test, uint64_t unshifted) {
    const uint64_t flip = test.is_signed ? uint64_t{1} << 63 : 0;
    const uint64_t value = unshifted << test.shift;
    switch (test.op) {
    case EBT_EQ:
        return value == test.operand;
    case EBT_NE:
        return value != test.operand;
    case EBT_LT:
        return (value ^ flip) < (test.operand ^ flip);
    case EBT_GT:
        return (value ^ flip) > (test.operand ^ flip);
    case EBT_ALL_BITS:
        return (value & test.operand) == test.operand;
    case static_cast<uint8_t>(Op::no_bits):
        return (value & test.operand) == 0;
    default:
        return (value & test.operand) != 0;
    }
}

Values values_of(uint8_t value, const Event& event) {
    const Field* field = program_field(value);
    if (field && field->values)
        return field->values(event);
    Values one;
    one.add(value_of(value, event));
    return one;
}

/// As with paths: of several values one that fits is enough, and for != all must differ, unless the test says
/// otherwise.
bool holds_for_any(const NumberTest& test, const Values& values, bool when_unknown) {
    const bool negated = test.op == EBT_NE && !test.one_differs;
    NumberTest plain = test;
    plain.op = negated ? uint8_t{EBT_EQ} : test.op;
    for (uint8_t i = 0; i < values.count; ++i)
        if (holds_for(plain, values.value[i]))
            return !negated;
    return values.hides ? when_unknown : negated;
}

/// The same with the values of another field in place of the operand.
bool holds_between(NumberTest test, const Event& event, bool when_unknown) {
    const bool negated = test.op == EBT_NE && !test.one_differs;
    const Values values = values_of(test.value, event), others = values_of(test.other, event);
    for (uint8_t i = 0; i < others.count; ++i) {
        test.operand = others.value[i] << test.shift;
        if (holds_for_any(test, values, negated) != negated)
            return !negated;
    }
    return values.hides || others.hides ? when_unknown : negated;
}

} // namespace

/// std::string_view::find compares all of a long pattern wherever its first byte stands; memmem does not.
bool contains(std::string_view text, std::string_view wanted) {
    return wanted.empty() || // an empty text may have no address
           (text.size() >= wanted.size() &&
            memmem(text.data(), text.size(), wanted.data(), wanted.size()) != nullptr);
}

Truth compare(const TextTest& test, std::string_view text, bool begin_known, bool end_known) {
    return compare_known_part(test, text, begin_known, end_known);
}

bool holds(const NumberTest& test, const Event& event, bool when_unknown) {
    if (test.other != NumberTest::NONE)
        return holds_between(test, event, when_unknown);
    if (const Field* field = program_field(test.value); field && field->values)
        return holds_for_any(test, field->values(event), when_unknown);
    return holds_for(test, value_of(test.value, event));
}

bool holds(const TextTest& test, const Event& event, bool when_unknown) {
    switch (test.field) {
    case TextField::path:
        return path_holds(test, event, when_unknown);
    case TextField::exe:
        return exe_holds(test, event, when_unknown);
    case TextField::comm:
        return (compare(test, event.comm, true, true) == Truth::yes) != (test.op == Op::ne);
    case TextField::argument:
        break;
    }
    const Field* field = program_field(static_cast<uint8_t>(test.field));
    const auto known = test.field == TextField::argument ? terms::argument : field ? field->compare : nullptr;
    const Truth truth = known ? known(test, event) : Truth::unknown;
    return truth == Truth::unknown ? when_unknown : (truth == Truth::yes) != (test.op == Op::ne);
}

bool TextOrder::is_before(std::string_view one, std::string_view other) const {
    if (!reversed_)
        return one < other;
    return std::lexicographical_compare(one.rbegin(), one.rend(), other.rbegin(), other.rend());
}

bool TextOrder::begins(std::string_view text, std::string_view with) const {
    return reversed_ ? text.ends_with(with) : text.starts_with(with);
}

void TextOrder::finish() {
    std::vector<std::string> all = std::move(texts_);
    texts_.clear();
    std::sort(all.begin(), all.end(),
              [&](const std::string& one, const std::string& other) { return is_before(one, other); });
    for (std::string& text : all)
        if (texts_.empty() || !begins(text, texts_.back()))
            texts_.push_back(std::move(text));
    for (const std::string& text : texts_)
        if (text.size() == 1)
            single_bytes_.set(static_cast<unsigned char>(text[0]));
        else if (text.size() > 1)
            first_pairs_.set(pair(text[0], text[1]) % pairs);
}

/// Since none begins with another, only the last one that does not come after the text can begin it.
bool TextOrder::has_begin_of(std::string_view text) const {
    const auto behind =
        std::upper_bound(texts_.begin(), texts_.end(), text,
                         [&](std::string_view one, std::string_view other) { return is_before(one, other); });
    return behind != texts_.begin() && begins(text, *std::prev(behind));
}

bool TextOrder::has_part_of(std::string_view text) const {
    if (texts_.empty() || texts_.front().empty())
        return !texts_.empty();
    for (size_t at = 0; at + 1 < text.size(); ++at)
        if (first_pairs_[pair(text[at], text[at + 1]) % pairs] && has_begin_of(text.substr(at)))
            return true;
    return single_bytes_.any() && std::any_of(text.begin(), text.end(), [&](char byte) {
               return single_bytes_[static_cast<unsigned char>(byte)];
           });
}

TextSet::TextSet(std::vector<TextTest> tests) : tests_(std::move(tests)) {
    for (const TextTest& test : tests_) {
        if (test.op == Op::prefix)
            prefixes_.add(test.text);
        else if (test.op == Op::suffix)
            suffixes_.add(test.text);
        else if (test.op == Op::contains)
            parts_.add(test.text);
        else
            wholes_.push_back(test.text);
    }
    std::sort(wholes_.begin(), wholes_.end());
    for (TextOrder* order : {&prefixes_, &suffixes_, &parts_})
        order->finish();
}

bool TextSet::any_matches(std::string_view text) const {
    return prefixes_.has_begin_of(text) || suffixes_.has_begin_of(text) ||
           std::binary_search(wholes_.begin(), wholes_.end(), text, std::less<>()) ||
           parts_.has_part_of(text);
}

bool TextSet::any_holds(const Event& event, bool when_unknown) const {
    const auto whole = [](const PathField& path) {
        return path.status == Status::ok && !path.relative && !path.lexical;
    };
    const std::span paths(event.path.data(), event.paths);
    // A path that was named, and that of the file behind it, are mostly the same.
    const auto any_path_matches = [&] {
        for (size_t i = 0; i < paths.size(); ++i)
            if ((i == 0 || paths[i].bytes != paths[i - 1].bytes) && any_matches(paths[i].bytes))
                return true;
        return false;
    };
    switch (tests_.front().field) {
    case TextField::comm:
        return any_matches(event.comm);
    case TextField::exe:
        if (whole(event.image.exe))
            return any_matches(event.image.exe.bytes);
        break;
    case TextField::path:
        if (!event.lost_fields && std::all_of(paths.begin(), paths.end(), whole))
            return any_path_matches();
        break;
    case TextField::argument:
        break;
    }
    return std::any_of(tests_.begin(), tests_.end(),
                       [&](const TextTest& test) { return holds(test, event, when_unknown); });
}

/// A successful exec clears the registers: arguments that no hook kept are not a failure. An
/// operation of io_uring has none.
bool standard_fields_failed(const Event& event) {
    const bool is_exec = event.call && (event.call->flags & EBT_PLAN_EXEC);
    const bool may_lack_arguments = is_exec || event.via_io_uring;
    const uint32_t excused = may_lack_arguments ? EBT_MISSING_ARGS | EBT_MISSING_ABI : 0;
    return (event.missing & ~excused) != 0 || failed(event.image.exe.status) ||
           failed(event.image.tty.status) || failed(event.cwd.status);
}

/// Of a call that never ran nobody has read the memory before: it may not be there.
bool specific_fields_failed(const Event& event) {
    if (event.skipped())
        return false;
    const auto field_failed = [&](Status status, uint8_t argument) {
        return failed(status) && !is_null_pointer(event, argument);
    };
    for (uint8_t i = 0; i < event.paths; ++i)
        if (field_failed(event.path[i].status, event.path[i].argument))
            return true;
    for (uint8_t i = 0; i < event.strings; ++i)
        if (field_failed(event.string[i].status, event.string[i].argument))
            return true;
    return (event.structure_layout && failed(event.structure.status)) ||
           field_failed(event.sockaddr.status, event.sockaddr_argument) || failed(event.socket_status) ||
           failed(event.exec_argv.status) || failed(event.child_status) ||
           (event.passed && event.passed->kept == 0 && failed(event.passed->control.status));
}

} // namespace telemetry::rules
