// SPDX-License-Identifier: MIT
// The kernel's filter, written again after kern/lib/filter.h and screen.h: what a plan lets through.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

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

/// The screens that something in the fields of a record has.
inline uint16_t screens_in(const ebpf_loader::PathScreen& screen, std::string_view fields) {
    uint16_t found = 0;
    for (size_t at = 0; at + EBT_SCREEN_GROUP < fields.size(); at += 2) {
        uint64_t group = 0;
        for (size_t i = 0; i < EBT_SCREEN_GROUP; i++)
            group |= uint64_t{static_cast<unsigned char>(fields[at + i])} << 8 * i;
        found |= static_cast<uint16_t>(screen.cells()[EBT_SCREEN_FIRST(group)] &
                                       screen.cells()[EBT_SCREEN_SECOND(group)]);
    }
    return found;
}

/// A path as its caller wrote it, behind the end of the structure before it.
inline std::string as_written(std::string_view path) {
    return std::string(4, '\0').append(path).append(8 - path.size() % 8, '\0');
}

/// As the kernel has it: from the leaf up.
inline std::string as_components(std::string_view path) {
    std::string components(4, '\0');
    for (size_t end = path.size(); end > 0 && end != path.npos;) {
        const size_t slash = path.rfind('/', end - 1), begin = slash == path.npos ? 0 : slash + 1;
        components.append(path.substr(begin, end - begin)).push_back('\0');
        end = slash;
    }
    return components + std::string(8, '\0');
}

/// Does the kernel emit a call that has passed with these screens?
inline bool has_wanted_path(const ebpf_loader::Selection& selection, uint16_t screens, const Event& event) {
    if (!screens || (screens & EBT_SCREEN_KEEP) || event.lost_fields)
        return true;
    for (const telemetry::PathField& path : std::span(event.path.data(), event.paths)) {
        const bool is_certain = path.status == telemetry::Status::ok && !path.relative && !path.lexical;
        if (!is_certain || (screens & screens_in(selection.path_screen(), as_written(path.bytes))))
            return true;
    }
    return false;
}

/// The screens of what lets the event pass the comparisons of a plan; nullopt: nothing does.
inline std::optional<uint16_t> screens_passed(const ebt_plan& plan, const Event& event) {
    bool clause = true, included = plan.flags & EBT_INCLUDE_ALL, excluded = false;
    uint16_t screens = plan.screens;
    for (int i = 0; i < plan.predicates; ++i) {
        const ebt_predicate& predicate = plan.predicate[i];
        clause = clause && kernel_predicate(predicate, kernel_value(event, predicate.value));
        if (!(predicate.flags & EBT_CLAUSE_END))
            continue;
        if (predicate.flags & EBT_EXCLUDE)
            excluded = excluded || clause;
        else if (clause) {
            included = true;
            screens |= predicate.screens;
        }
        clause = true;
    }
    return included && !excluded ? std::optional(screens) : std::nullopt;
}

/// Does the kernel let the event through?
inline bool kernel_passes(const ebpf_loader::Selection& selection, const Event& event) {
    const auto found = selection.plans().find(event.row);
    if (found == selection.plans().end())
        return false;
    const auto screens = screens_passed(found->second, event);
    return screens && has_wanted_path(selection, *screens, event);
}

} // namespace rules_test
