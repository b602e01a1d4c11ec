// SPDX-License-Identifier: MIT
// Comparisons: their fields, operators and sets of values.
#include <algorithm>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/text/suggestion.hpp"
#include "telemetry/rules/parser.hpp"
#include "telemetry/rules/resolve.hpp"
#include "telemetry/rules/values.hpp"

namespace telemetry::rules {
namespace {

constexpr std::string_view OPERATOR_CHARACTERS = "=!<>&|^$~";

std::string suggested_field(std::string_view word, const Subject* subject) {
    std::vector<std::string_view> names;
    for (const auto& field : fields())
        names.push_back(field.name);
    for (int i = 0; subject && subject->call && i < subject->call->arguments; ++i)
        names.push_back(subject->call->argument[i].name);
    return suggestion(word, names);
}

} // namespace

bool is_flags_word(std::string_view word) {
    return word.find_first_not_of("PV") == word.npos;
}

std::string expected_field(const Subject* subject) {
    if (subject) {
        const std::string list = subject->argument_list();
        return (list.empty() ? "" : list + ", ") + field_list(*subject) + ", or $MACRO";
    }
    std::string result = "a0 to a5, the name of an argument, ";
    for (const auto& field : fields())
        result.append(field.name).append(", ");
    return result + "or $MACRO";
}

/// FIELD OP VALUE
std::vector<Clause> Parser::comparison() {
    Comparison result;
    take_field(result);
    result.type = field_type(result.field_at, result.field);
    cursor_.skip_blanks();
    result.op = comparison_operator(result.type).op;
    cursor_.skip_blanks();
    if (result.op == Op::in)
        return set(result);
    const size_t value_begin = cursor_.at();
    read_value(cursor_, source_, result);
    result.value_at = {value_begin, cursor_.last()};
    check_choice(result);
    spend(1);
    return {{Term{std::make_shared<Comparison>(std::move(result)), std::nullopt}}};
}

/// { VALUE, VALUE... }: a clause for each.
std::vector<Clause> Parser::set(const Comparison& common) {
    if (!cursor_.take("{"))
        throw Mistake{cursor_.here(), "a set has to begin with \"{\"", "values in braces: {1, 2}"};
    std::vector<Clause> result;
    do {
        auto one = std::make_shared<Comparison>(common);
        one->op = Op::eq;
        cursor_.skip_blanks();
        const size_t begin = cursor_.at();
        read_value(cursor_, source_, *one, true);
        one->value_at = {begin, cursor_.last()};
        check_choice(*one);
        if (result.size() == MAX_CLAUSES)
            throw Mistake{one->value_at, "more than " + std::to_string(MAX_CLAUSES) + " values in a set",
                          "fewer of them: split the line"};
        spend(1);
        result.push_back({Term{std::move(one), std::nullopt}});
        cursor_.skip_blanks();
    } while (cursor_.take(","));
    if (!cursor_.take("}"))
        throw Mistake{cursor_.here(), "the set is not closed", "a comma and another value, or }"};
    return result;
}

/// NAME, NAME.NAME, or argv[N].
void Parser::take_field(Comparison& comparison) {
    const size_t begin = cursor_.take_word()->begin;
    while (cursor_.peek() == '.' && is_word_start(cursor_.peek(1))) {
        cursor_.take(".");
        cursor_.take_word();
    }
    comparison.field_at = {begin, cursor_.at()};
    comparison.field = source_.text(comparison.field_at);
    if (comparison.field != "argv" || !cursor_.take("["))
        return;
    const std::string expected = "argv[0] to argv[" + std::to_string(MAX_INDEX) + "]";
    if (!is_digit(cursor_.peek()))
        throw Mistake{cursor_.here(), "which argument is missing", expected};
    const uint64_t index = cursor_.take_number();
    if (!cursor_.take("]"))
        throw Mistake{cursor_.here(), "the bracket is not closed", expected};
    comparison.field_at.end = cursor_.at();
    if (index > MAX_INDEX)
        throw Mistake{comparison.field_at, "that many arguments are not counted", expected};
    comparison.index = static_cast<uint16_t>(index);
    comparison.field = "argv[n]";
}

/// Is the text one that the field can be?
void Parser::check_choice(Comparison& comparison) const {
    const Field* field = comparison.type == Type::text ? find_field(comparison.field) : nullptr;
    if (field && field->encode) {
        if (comparison.op != Op::eq && comparison.op != Op::ne)
            throw Mistake{{comparison.field_at.begin, comparison.value_at.end},
                          std::string(comparison.field) + " is only compared by =, != and in",
                          "one of these operators"};
        auto encoded = field->encode(comparison.text);
        if (!encoded)
            throw Mistake{comparison.value_at,
                          in_quotes(comparison.text) + " is no value of " + std::string(comparison.field),
                          std::string(field->form)};
        comparison.text = std::move(*encoded);
        return;
    }
    if (!field || field->choices.empty() || (comparison.op != Op::eq && comparison.op != Op::ne))
        return;
    std::string_view rest = field->choices;
    while (!rest.empty()) {
        const size_t end = std::min(rest.find(' '), rest.size());
        if (rest.substr(0, end) == comparison.text)
            return;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    throw Mistake{comparison.value_at,
                  std::string(comparison.field) + " is never " + in_quotes(comparison.text),
                  "one of " + std::string(field->choices)};
}

Type Parser::field_type(Span at, std::string_view word) const {
    const Field* field = subject_ ? subject_->field(word) : find_field(word);
    if (!field && !is_argument(word)) {
        if (is_flags_word(word))
            throw Mistake{at, std::string(word) + " is a flag of the line, not a field",
                          expected_field(subject_)};
        throw Mistake{at, "unknown field " + in_quotes(word),
                      expected_field(subject_) + suggested_field(word, subject_)};
    }
    if (subject_)
        check_field(*subject_, word, at);
    return field ? field->type : is_text_argument(word) ? Type::text : Type::number;
}

/// Of which call it is an argument is not known in a macro, and in a line for several calls.
bool Parser::is_text_argument(std::string_view word) const {
    if (!subject_)
        return is_string_argument(word);
    const auto argument = subject_->argument(word);
    return argument && word != "a" + std::to_string(*argument) && subject_->is_string(*argument);
}

/// The characters of operators that stand here, or the word `in`.
std::string Parser::operator_sign() {
    const size_t begin = cursor_.at();
    if (is_word_start(cursor_.peek())) {
        const Span word = *cursor_.take_word();
        cursor_.go_back(begin);
        return source_.text(word) == "in" ? "in" : "";
    }
    size_t end = begin;
    while (end < cursor_.end() &&
           OPERATOR_CHARACTERS.find(cursor_.peek(end - begin)) != std::string_view::npos)
        ++end;
    return std::string(source_.text({begin, end}));
}

/// Does an operator stand here? A word `in` is one where a set follows.
bool Parser::at_operator() {
    const size_t begin = cursor_.at();
    const std::string sign = operator_sign();
    if (sign != "in")
        return !sign.empty();
    cursor_.take("in");
    cursor_.skip_blanks();
    const bool has_set = cursor_.peek() == '{';
    cursor_.go_back(begin);
    return has_set;
}

const Operator& Parser::comparison_operator(Type type) {
    const size_t begin = cursor_.at();
    const std::string sign = operator_sign();
    const size_t end = begin + sign.size();
    const char* kind = type == Type::number ? "a number" : type == Type::truth ? "yes or no" : "text";
    const std::string expected = "an operator for " + std::string(kind) + ": " + allowed_operators(type);
    if (sign.empty())
        throw Mistake{cursor_.here(), "the comparison has no operator", expected};
    cursor_.take_to(end);
    for (const Operator& op : operators()) {
        if (op.sign != sign)
            continue;
        if (!allows(op, type))
            throw Mistake{{begin, end}, "operator " + sign + " does not compare " + kind, expected};
        return op;
    }
    throw Mistake{{begin, end},
                  "there is no operator " + in_quotes(sign),
                  expected + (sign == "&&" ? "; && joins whole comparisons" : "")};
}

} // namespace telemetry::rules
