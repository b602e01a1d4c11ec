// SPDX-License-Identifier: MIT
// What must hold for any bytes as a rules file; run by the fuzzer, and by the unit tests
// over the corpus.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "telemetry/rules/rules.hpp"
#include "test/unit/support/kernel_filter.hpp"

namespace rules_test {

[[noreturn]] inline void broken(const char* what) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// Messages are for terminals, whatever is in the file.
inline void check_message(std::string_view text) {
    if (text.empty() || text.back() != '\n')
        broken("a message that does not end its line");
    for (const unsigned char c : text)
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            broken("a control byte in a message");
}

inline void check_plan(const ebt_plan& plan) {
    if (plan.predicates > EBT_PREDICATES || plan.steps[0] > EBT_STEPS || plan.steps[1] > EBT_STEPS)
        broken("a plan beyond its size");
    if (plan.predicates > 0 && !(plan.predicate[plan.predicates - 1].flags & EBT_CLAUSE_END))
        broken("a clause without an end");
    for (int i = 0; i < plan.predicates; ++i)
        if (plan.predicate[i].value >= EBT_VALUES_USED || plan.predicate[i].operator_ > EBT_ANY_BITS)
            broken("a predicate that the kernel does not know");
}

/// An event of the row, its values taken from the bytes.
inline Event make_event(uint16_t row, std::string_view bytes) {
    Event event;
    event.row = row;
    event.call = ebpf_loader::syscall_of_row(row);
    event.kind = row == EBT_ROW_FORK   ? EBT_FORK
                 : row == EBT_ROW_EXEC ? EBT_EXEC
                 : row == EBT_ROW_EXIT ? EBT_EXIT
                                       : EBT_SYSCALL;
    const auto byte = [&](size_t i) -> unsigned char {
        return bytes.empty() ? 0 : bytes[(i * 31) % bytes.size()];
    };
    for (size_t i = 0; i < EBT_ARGS; ++i)
        event.args[i] = byte(i) % 3 == 0 ? byte(i + 1) : ~uint64_t{0} << (byte(i + 2) % 64);
    event.ret = byte(7) - 128;
    event.uid = byte(8);
    event.pid = event.ppid = byte(9);
    event.comm = bytes.substr(0, 15);
    event.paths = byte(10) % 5;
    for (size_t i = 0; i < event.paths; ++i) {
        event.path[i].bytes = bytes.substr(bytes.size() / (i + 1));
        event.path[i].status = static_cast<telemetry::Status>(byte(11 + i) % 5);
        event.path[i].relative = byte(12 + i) & 1;
    }
    return event;
}

/// The kernel must let through all that the rules want, and only that where it decides.
inline void check_events(const telemetry::Rules& rules, std::string_view bytes) {
    const auto selection = rules.compile();
    for (const auto& [row, plan] : selection.plans()) {
        check_plan(plan);
        if (plan.flags & EBT_PLAN_DISPATCH_ONLY)
            continue;
        for (size_t shift = 0; shift < 3; ++shift) {
            const Event event = make_event(row, bytes.substr(bytes.size() * shift / 3));
            const bool wanted = rules.matches(event);
            const bool passed = kernel_passes(selection, event);
            if (wanted && !passed)
                broken("the kernel drops what the rules want");
            if (rules.kernel_decides(row) && wanted != passed)
                broken("the kernel decides otherwise");
        }
    }
}

inline void fuzz_rules(std::string_view bytes) {
    try {
        const auto rules = telemetry::Rules::parse(bytes, "fuzz");
        for (const std::string& warning : rules.warnings())
            check_message(warning);
        check_events(rules, bytes);
    } catch (const telemetry::RuleError& error) {
        check_message(error.what());
        if (!std::string_view(error.what()).starts_with("fuzz:"))
            broken("a mistake without its place");
    }
}

} // namespace rules_test
