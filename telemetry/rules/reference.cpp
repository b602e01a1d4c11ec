// SPDX-License-Identifier: MIT
#include "telemetry/rules/reference.hpp"

#include <stdexcept>
#include <vector>

#include <ebpf_loader/constants.hpp>

#include "telemetry/base/escape.hpp"
#include "telemetry/rules/fields.hpp"
#include "telemetry/rules/syntax.hpp"

namespace telemetry {
namespace {

using namespace rules;

/// Escapes what would end a cell of a Markdown table: |.
std::string cell(std::string_view text) {
    std::string result;
    for (const char c : text)
        result.append(c == '|' ? "\\" : "") += c;
    return result;
}

std::string code(std::string_view text) {
    return '`' + cell(text) + '`';
}

std::string row(std::initializer_list<std::string> cells) {
    std::string result = "|";
    for (const std::string& text : cells)
        result += ' ' + text + " |";
    return result + '\n';
}

std::string operators_table() {
    std::string result =
        "| operator | true when the field | numbers | yes or no | text |\n|---|---|---|---|---|\n";
    for (const Operator& op : operators())
        result += row({code(op.sign), cell(op.meaning), op.for_number ? "x" : "", op.for_truth ? "x" : "",
                       op.for_text ? "x" : ""});
    return result;
}

std::string fields_table() {
    std::string result = "| field | is | meaning |\n|---|---|---|\n";
    result += row({"`a0` to `a5`", "a number", "the arguments, as the call's table row counts them"});
    result += row({"an argument's name", "a number", "the same by name: `flags`, `sig`, ..."});
    for (const Field& field : fields()) {
        const char* is = field.type == Type::text    ? "text"
                         : field.type == Type::truth ? "yes or no"
                                                     : "a number";
        result += row({code(field.name), is, cell(field.meaning)});
    }
    return result;
}

std::string groups_table() {
    std::string result = "| group | calls |\n|---|---|\n";
    for (const Group& group : groups()) {
        std::string calls = group.opens == OpenFor::reading   ? "`open`, `openat` for reading, `openat2`"
                            : group.opens == OpenFor::writing ? "`open`, `openat` for writing, `openat2`"
                                                              : "";
        for (const std::string_view call : group.calls)
            calls.append(calls.empty() ? "" : ", ") += code(call);
        result += row({code(group.name), cell(calls)});
    }
    return result;
}

std::string process_events_table() {
    std::string result = "| name | an event is |\n|---|---|\n";
    for (const ProcessEvent& event : process_events())
        result += row({code(event.name), cell(event.meaning)});
    return result;
}

/// Returns up to two arguments, as examples, whose names are looked up in the set first.
std::string users_of(std::string_view set) {
    constexpr size_t SHOWN = 2;
    std::string result = set == "errno" ? "`ret`" : "";
    size_t count = 0;
    for (const auto& call : ebpf_loader::syscall_rows()) {
        if (ebpf_loader::find_syscall(call.name) != &call)
            continue; // this is another form of a call that was already looked at
        for (int i = 0; i < call.arguments && count < SHOWN; ++i) {
            if (call.argument[i].flag_set != set)
                continue;
            result += (result.empty() ? "" : ", ") +
                      code(std::string(call.name) + ' ' + std::string(call.argument[i].name));
            ++count;
            break;
        }
    }
    return result;
}

std::string constants_table() {
    constexpr size_t SHOWN = 3;
    std::string result = "| set | of | names |\n|---|---|---|\n";
    const auto all = ebpf_loader::constants();
    for (size_t begin = 0, end; begin < all.size(); begin = end) {
        std::string names;
        for (end = begin; end < all.size() && all[end].set == all[begin].set; ++end)
            if (end - begin < SHOWN)
                names += (names.empty() ? "" : ", ") + code(all[end].name);
        if (end - begin > SHOWN)
            names += " and " + std::to_string(end - begin - SHOWN) + " more";
        if (const std::string users = users_of(all[begin].set); !users.empty()) // not of a structure's member
            result += row({cell(all[begin].set), users, names});
    }
    return result;
}

std::string limits_table() {
    std::string result = "| limit | |\n|---|---|\n";
    result += row({"comparisons a call that the kernel evaluates", std::to_string(EBT_PREDICATES)});
    result += row({"clauses a line, macros expanded", std::to_string(MAX_CLAUSES)});
    result += row({"comparisons a clause", std::to_string(MAX_COMPARISONS)});
    result += row({"bytes of a key", std::to_string(MAX_KEY)});
    result += row({"comparisons a file, macros expanded", std::to_string(MAX_EXPANDED)});
    return result;
}

std::string table(std::string_view name) {
    if (name == "operators")
        return operators_table();
    if (name == "fields")
        return fields_table();
    if (name == "process-events")
        return process_events_table();
    if (name == "groups")
        return groups_table();
    if (name == "constants")
        return constants_table();
    if (name == "limits")
        return limits_table();
    throw std::runtime_error("no table is called " + in_quotes(name));
}

} // namespace

std::string update_rules_reference(std::string_view document) {
    constexpr std::string_view BEGIN = "<!-- generated:", CLOSE = " -->\n", END = "<!-- end -->";
    std::string result;
    size_t at = 0;
    for (size_t begin; (begin = document.find(BEGIN, at)) != document.npos;) {
        const size_t close = document.find(CLOSE, begin);
        const size_t end = close == document.npos ? close : document.find(END, close);
        if (end == document.npos)
            throw std::runtime_error("a generated table without an end");
        const size_t name = begin + BEGIN.size();
        result.append(document.substr(at, close + CLOSE.size() - at));
        result += table(document.substr(name, close - name));
        at = end;
    }
    return result.append(document.substr(at));
}

} // namespace telemetry
