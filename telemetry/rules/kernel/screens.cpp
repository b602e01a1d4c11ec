// SPDX-License-Identifier: MIT
#include "telemetry/rules/kernel/screens.hpp"

#include <algorithm>

namespace telemetry::rules {
namespace {

/// What stands in each written path that leads through another file (see LexicalPath::is_relative):
/// /proc/N/exe, /proc/N/cwd, /proc/N/fd/M, /dev/fd/M and /proc/N/map_files/A-B. It may be any that is wanted.
constexpr std::string_view LEADING_ELSEWHERE[] = {"/exe", "/cwd", "/fd/", "p_fi"};

} // namespace

uint16_t Screens::screen_of(const Needles& needles) {
    if (needles.empty())
        return 0;
    const auto next = static_cast<unsigned>(numbers_.size());
    const auto [place, is_new] =
        numbers_.try_emplace(needles, std::min(next, ebpf_loader::PathScreen::screens - 1));
    if (is_new) {
        for (const std::string& needle : needles)
            paths_.add(needle, place->second);
        for (const std::string_view needle : LEADING_ELSEWHERE)
            paths_.add(needle, place->second);
    }
    return static_cast<uint16_t>(1u << place->second);
}

uint16_t Screens::set(KernelFilter& filter) {
    if (std::ranges::all_of(filter.needles, &Needles::empty))
        return 0;
    if (filter.include_all)
        return screen_of(filter.needles.front());
    auto needles = filter.needles.begin();
    for (ebt_predicate& predicate : filter.predicates)
        if ((predicate.flags & EBT_CLAUSE_END) && !(predicate.flags & EBT_EXCLUDE))
            predicate.screens = screen_of(*needles++);
    return 0;
}

bool is_screened(const ebpf_loader::SyscallRow& call) {
    constexpr uint16_t others = EBT_PLAN_EXEC | EBT_PLAN_VITAL | EBT_PLAN_ENTER | EBT_PLAN_SOCKETCALL;
    return !(call.flags & others) &&
           std::ranges::all_of(ebpf_loader::capture_steps(call), [](const ebt_step& step) {
               return step.capture == EBT_CAPTURE_PATH || step.capture == EBT_CAPTURE_FILE ||
                      step.capture == EBT_CAPTURE_STRING;
           });
}

} // namespace telemetry::rules
