// SPDX-License-Identifier: MIT
#include "telemetry/rules/values.hpp"

#include <algorithm>
#include <unistd.h>

#include <ebpf_loader/constants.hpp>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/text/suggestion.hpp"
#include "telemetry/rules/terms/accounts.hpp"

namespace telemetry::rules {
namespace {

/// May a string have the character without quotes? Not one that has a meaning in the language, nor one
/// that looks as if it had (wildcards).
bool is_bare(char c) {
    constexpr std::string_view PUNCTUATION = "_./-+@:,%~[]{}";
    return is_word_character(c) || PUNCTUATION.find(c) != std::string_view::npos ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool is_constant(std::string_view name) {
    const auto all = ebpf_loader::constants();
    return ebpf_loader::find_constant({}, name) || // a name with several values is a constant too
           std::any_of(all.begin(), all.end(), [&](const auto& constant) { return constant.name == name; });
}

std::string suggested_constant(std::string_view word) {
    std::vector<std::string_view> names;
    for (const auto& constant : ebpf_loader::constants())
        names.push_back(constant.name);
    return suggestion(word, names);
}

constexpr std::string_view EXPECTED_NUMBER =
    "a number (decimal, 0octal, 0xhex), a constant such as O_WRONLY, or some "
    "of these as (A|B); s before it for a signed comparison";
constexpr std::string_view EXPECTED_TEXT =
    "text; in double quotes when it holds more than letters, digits and "
    "_./-+@:,%~[]{}";

/// Does a constant make sense as the field's value?
bool takes_constants(const Field* field) {
    return !field || field->yields || !field->constants.empty();
}

/// May the field's value be a process id?
bool may_be_process(const Field* field) {
    return !field || field->name == "pid" || field->name == "ppid" || takes_constants(field);
}

class ValueParser {
  public:
    ValueParser(Cursor& cursor, const SourceText& source, Comparison& comparison, bool in_set)
        : cursor_(cursor), source_(source), comparison_(comparison), in_set_(in_set) {}

    void number();
    void truth();
    void text();

  private:
    void sign_prefix();
    NumberTerm number_term();
    void check_symbol(NumberTerm& term, Span word);
    void check_id(NumberTerm& term, Span where, const std::string& name, bool is_word);
    std::string quoted_text();
    char escape();
    std::string bare_text();
    bool separates(char c) const { return in_set_ && (c == ',' || c == '{' || c == '}'); }
    Span since(size_t begin) const { return {begin, cursor_.at()}; }

    Cursor& cursor_;
    const SourceText& source_;
    Comparison& comparison_;
    const bool in_set_;
};

/// [s]NUMBER, [s]CONSTANT or [s](A|B), or the name of a field
void ValueParser::number() {
    sign_prefix();
    if (!cursor_.take("(")) {
        const size_t begin = cursor_.at();
        comparison_.number.push_back(number_term());
        if (!comparison_.other.empty() && comparison_.op != Op::eq && comparison_.op != Op::ne)
            throw Mistake{since(begin), "fields are compared with each other by = and != alone", "= or !="};
        return;
    }
    do {
        cursor_.skip_blanks();
        comparison_.number.push_back(number_term());
        cursor_.skip_blanks();
        if (!comparison_.other.empty())
            throw Mistake{cursor_.here(), "the name of a field stands alone",
                          "numbers or names of constants"};
    } while (cursor_.take("|"));
    if (!cursor_.take(")"))
        throw Mistake{cursor_.here(), "the parenthesis is not closed", "| and another value, or )"};
}

/// "s" may be written together with the value: s-100, s0, sAT_FDCWD.
void ValueParser::sign_prefix() {
    if (cursor_.peek() != 's')
        return;
    const Span word = *cursor_.take_word();
    const std::string_view text = source_.text(word);
    comparison_.is_signed =
        text.size() == 1 || is_digit(text[1]) || (!is_constant(text) && is_constant(text.substr(1)));
    cursor_.take_to(word.begin + comparison_.is_signed);
    cursor_.skip_blanks();
}

NumberTerm ValueParser::number_term() {
    const size_t begin = cursor_.at();
    NumberTerm term;
    term.negative = cursor_.take("-");
    cursor_.skip_blanks();
    const Field* field = find_field(comparison_.field);
    if (field && field->ids != Ids::none && !term.negative && cursor_.peek() == '"') {
        const std::string name = quoted_text();
        check_id(term, since(begin), name, false);
    } else if (is_digit(cursor_.peek())) {
        const uint64_t magnitude = cursor_.take_number();
        if (term.negative && magnitude > (uint64_t{1} << 63))
            throw Mistake{since(begin), "the number is too small for 64 bits",
                          "-9223372036854775808 or more"};
        term.bits = term.negative ? -magnitude : magnitude;
    } else if (auto word = cursor_.take_word()) {
        while (field && field->ids != Ids::none && cursor_.peek() == '.' && is_word_start(cursor_.peek(1))) {
            cursor_.take("."); // file.uid
            word->end = cursor_.take_word()->end;
        }
        check_symbol(term, *word);
    } else {
        throw Mistake{cursor_.here(), "a number is missing", std::string(EXPECTED_NUMBER)};
    }
    term.where = since(begin);
    return term;
}

/// The name of a user or group, or as a word the name of a field of that kind.
void ValueParser::check_id(NumberTerm& term, Span where, const std::string& name, bool is_word) {
    const Field* field = find_field(comparison_.field);
    const Field* other = is_word ? find_field(name) : nullptr;
    if (other && other->ids == field->ids) {
        comparison_.other = other->name;
        return;
    }
    const auto id = terms::find_id(field->ids, name);
    const bool is_user = field->ids == Ids::users;
    if (!id)
        throw Mistake{where,
                      "there is no " + std::string(is_user ? "user " : "group ") + in_quotes(name) + " in " +
                          terms::id_file(field->ids),
                      std::string("a number, the name of a ") + (is_user ? "user" : "group") +
                          (field->may_be_unset ? ", unset" : "") + ", or another field of that kind"};
    term.bits = *id;
}

void ValueParser::check_symbol(NumberTerm& term, Span word) {
    const std::string_view symbol = source_.text(word);
    const Field* field = find_field(comparison_.field);
    const bool may_be_unset = field && field->may_be_unset;
    if (may_be_unset && symbol == "unset") {
        term.bits = UINT32_MAX;
        return;
    }
    if (symbol == "self" && may_be_process(field)) {
        term.bits = static_cast<uint64_t>(getpid());
        return;
    }
    if (field && field->ids != Ids::none && !term.negative)
        return check_id(term, word, std::string(symbol), true);
    if (!takes_constants(field))
        throw Mistake{word,
                      std::string(comparison_.field) + " is compared with a number, not " + in_quotes(symbol),
                      may_be_unset ? "a number, or unset" : "a number"};
    if (!is_constant(symbol))
        throw Mistake{word, "unknown constant " + in_quotes(symbol),
                      std::string(EXPECTED_NUMBER) + suggested_constant(symbol)};
    term.symbol = symbol;
}

void ValueParser::truth() {
    const size_t begin = cursor_.at();
    size_t length = 0;
    // as after all numbers, flags may follow 0 and 1 without a blank
    const bool number = is_digit(cursor_.peek());
    while (number ? is_digit(cursor_.peek(length)) : is_word_character(cursor_.peek(length)))
        ++length;
    const std::string_view word = source_.text({begin, begin + length});
    comparison_.truth = word == "yes" || word == "1";
    if (!comparison_.truth && word != "no" && word != "0")
        throw Mistake{word.empty() ? cursor_.here() : Span{begin, begin + length},
                      std::string(comparison_.field) + " is either yes or no", "yes, no, 1 or 0"};
    cursor_.take_to(begin + length);
}

void ValueParser::text() {
    comparison_.text = cursor_.peek() == '"' ? quoted_text() : bare_text();
}

std::string ValueParser::quoted_text() {
    const size_t begin = cursor_.at();
    std::string result;
    for (cursor_.take("\""); cursor_.peek() != '"';) {
        const char c = cursor_.peek();
        if (cursor_.at_line_end() || (c == '\\' && cursor_.at_line_end(1)))
            throw Mistake{since(begin), "the string is not closed",
                          "a double quote before the end of the line"};
        if (c == '\0')
            throw Mistake{{cursor_.at(), cursor_.at() + 1}, "a NUL byte in the file", "\\x00 to mean one"};
        if (c == '\\') {
            result += escape();
        } else {
            result += c;
            cursor_.take_to(cursor_.at() + 1);
        }
    }
    cursor_.take("\"");
    return result;
}

char ValueParser::escape() {
    const Span escape{cursor_.at(), cursor_.at() + 2};
    const char kind = cursor_.peek(1);
    const int high = kind == 'x' ? hex_digit(cursor_.peek(2)) : -1;
    const int low = high >= 0 ? hex_digit(cursor_.peek(3)) : -1;
    cursor_.take_to(escape.end + (low >= 0 ? 2 : 0));
    if (kind == '"' || kind == '\\')
        return kind;
    if (kind == 'n')
        return '\n';
    if (low < 0)
        throw Mistake{escape,
                      kind == 'x' ? "\\x is not followed by two hexadecimal digits"
                                  : "unknown escape: a backslash before " +
                                        in_quotes(source_.text({cursor_.at() - 1, cursor_.at()})),
                      "\\\", \\\\, \\n, or \\x and two hexadecimal digits"};
    return static_cast<char>(high * 16 + low);
}

std::string ValueParser::bare_text() {
    const size_t begin = cursor_.at();
    size_t length = 0;
    while (begin + length < cursor_.end() && is_bare(cursor_.peek(length)) &&
           !separates(cursor_.peek(length)))
        ++length;
    const char next = cursor_.peek(length);
    const bool ends = begin + length >= cursor_.end() || is_blank(next) || next == '\r' || next == '\n' ||
                      next == '#' || next == '\\' || separates(next) ||
                      (next == '&' && cursor_.peek(length + 1) == '&');
    if (length == 0 && (ends || next == '&'))
        throw Mistake{cursor_.here(), "text to compare with is missing", std::string(EXPECTED_TEXT)};
    cursor_.take_to(begin + length);
    if (next == '*' || next == '?')
        throw Mistake{cursor_.here(), "there are no wildcards",
                      "^ to compare the beginning, $ the end, ~ any part; or quotes around the character"};
    if (!ends)
        throw Mistake{cursor_.here(), in_quotes(source_.text(cursor_.here())) + " in a string without quotes",
                      std::string(EXPECTED_TEXT)};
    return std::string(source_.text(since(begin)));
}

} // namespace

void read_value(Cursor& cursor, const SourceText& source, Comparison& comparison, bool in_set) {
    ValueParser reader(cursor, source, comparison, in_set);
    if (comparison.type == Type::text)
        reader.text();
    else if (comparison.type == Type::truth)
        reader.truth();
    else
        reader.number();
}

std::string read_key(Cursor& cursor, const SourceText& source) {
    const std::string expected = "a name of 1 to " + std::to_string(MAX_KEY) +
                                 " printable ASCII characters; in double quotes when it holds more than "
                                 "letters, digits and _./-+@:,%~[]{}";
    cursor.skip_blanks();
    const size_t begin = cursor.at();
    if (cursor.at_end())
        throw Mistake{cursor.here(), "the key has no name", expected};
    Comparison value;
    value.type = Type::text;
    read_value(cursor, source, value);
    const Span where{begin, cursor.at()};
    if (value.text.empty())
        throw Mistake{where, "the key has no name", expected};
    if (value.text.size() > MAX_KEY)
        throw Mistake{where, "the key is longer than " + std::to_string(MAX_KEY) + " bytes", expected};
    if (!std::all_of(value.text.begin(), value.text.end(), [](char c) { return c >= ' ' && c <= '~'; }))
        throw Mistake{where, "a character in the key that is not printable ASCII", expected};
    return std::move(value.text);
}

} // namespace telemetry::rules
