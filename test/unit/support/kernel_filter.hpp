// SPDX-License-Identifier: MIT
// The kernel's filter, written again after kern/lib/filter.h: what a plan lets through.
#pragma once
#include <ebpf_loader/engine.hpp>

#include "telemetry/event/event.hpp"

namespace rules_test {

using telemetry::Event;

/// The value as the kernel has it when it filters.
inline uint64_t kernel_value(const Event& event, uint8_t value) {
    const bool success = event.kind == EBT_EXIT ? event.ret == 0 : event.ret >= 0 && !event.skipped();
    const uint64_t values[EBT_VALUES] = {event.args[0],
                                         event.args[1],
                                         event.args[2],
                                         event.args[3],
                                         event.args[4],
                                         event.args[5],
                                         static_cast<uint64_t>(event.ret),
                                         success,
                                         event.uid,
                                         event.euid,
                                         event.auid,
                                         event.pid,
                                         event.ppid};
    return values[value & (EBT_VALUES - 1)];
}

inline bool kernel_predicate(const ebt_predicate& predicate, uint64_t value) {
    value <<= predicate.shift & 63;
    const uint64_t sign = predicate.flags & EBT_SIGNED ? uint64_t{1} << 63 : 0;
    const bool results[8] = {value == predicate.operand,
                             value != predicate.operand,
                             (value ^ sign) < (predicate.operand ^ sign),
                             (value ^ sign) > (predicate.operand ^ sign),
                             (value & predicate.operand) == predicate.operand,
                             (value & predicate.operand) != 0};
    return results[predicate.operator_ & 7];
}

/// Does the kernel let the event through?
inline bool kernel_passes(const ebpf_loader::Selection& selection, const Event& event) {
    const auto found = selection.plans().find(event.row);
    if (found == selection.plans().end())
        return false;
    const ebt_plan& plan = found->second;
    bool clause = true, included = plan.flags & EBT_INCLUDE_ALL, excluded = false;
    for (int i = 0; i < plan.predicates; ++i) {
        const ebt_predicate& predicate = plan.predicate[i];
        clause = clause && kernel_predicate(predicate, kernel_value(event, predicate.value));
        if (!(predicate.flags & EBT_CLAUSE_END))
            continue;
        if (predicate.flags & EBT_EXCLUDE)
            excluded = excluded || clause;
        else
            included = included || clause;
        clause = true;
    }
    return included && !excluded;
}

} // namespace rules_test
