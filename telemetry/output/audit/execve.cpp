// SPDX-License-Identifier: MIT
#include "telemetry/event/facts.hpp"
#include "telemetry/output/audit/line.hpp"

namespace telemetry {
namespace {

/// The kernel's figures: what a record takes of arguments, and what it leaves free for their names.
constexpr size_t longest_arguments = 7500; // MAX_EXECVE_AUDIT_LEN
constexpr size_t name_size = 96;
constexpr size_t least_worth = name_size + 8;

void put_argument_name(AuditLine& line, uint32_t index) {
    line.put(" a");
    line.put_decimal(index);
}

/// One argument, over as many records as it takes; `left` is what the record at hand has room for.
size_t put_argument(AuditLine& line, uint32_t index, std::string_view argument, size_t left) {
    const bool is_hex =
        argument.size() >= longest_arguments || AuditLine::needs_hex(argument, AuditRule::kernel);
    const size_t whole = is_hex ? 2 * argument.size() : argument.size();
    uint32_t part = 0;
    do {
        if (left < least_worth) {
            line.end();
            line.begin("EXECVE");
            left = longest_arguments;
        }
        const size_t begin = line.view().size();
        const size_t size = is_hex ? 2 * argument.size() : argument.size() + 2;
        if (part > 0 || size + name_size > left) {
            if (part == 0) {
                put_argument_name(line, index);
                line.put("_len=");
                line.put_decimal(whole);
            }
            put_argument_name(line, index);
            line.put('[');
            line.put_decimal(part++);
            line.put(']');
        } else {
            put_argument_name(line, index);
        }
        line.put('=');
        left -= line.view().size() - begin;
        size_t taken = argument.size();
        if (size > left)
            taken = is_hex ? left / 2 : left - 2;
        if (is_hex) {
            line.put_untrusted_hex(argument.substr(0, taken));
        } else {
            line.put('"');
            line.put(argument.substr(0, taken));
            line.put('"');
        }
        left -= is_hex ? 2 * taken : taken + 2;
        argument.remove_prefix(taken);
    } while (!argument.empty());
    return left;
}

} // namespace

void put_audit_execve(AuditLine& line, std::string_view strings) {
    line.begin("EXECVE");
    line.put(" argc=");
    line.put_decimal(count_strings(strings));
    size_t left = longest_arguments;
    for (uint32_t index = 0; !strings.empty(); ++index)
        left = put_argument(line, index, next_string(strings), left);
    line.end();
}

} // namespace telemetry
