// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/plan_union.hpp"

#include <cstring>
#include <ebpf_loader/error.hpp>
#include <string>

namespace ebpf_loader {
namespace {

/// Plans of calls that are not reported themselves: they lead to others, or move bytes.
constexpr uint16_t not_itself = EBT_PLAN_DISPATCH_ONLY | EBT_PLAN_TRANSFER_ONLY;

bool compare_the_same(const ebt_plan& a, const ebt_plan& b) {
    return (a.flags & EBT_INCLUDE_ALL) == (b.flags & EBT_INCLUDE_ALL) && a.screens == b.screens &&
           a.predicates == b.predicates &&
           std::memcmp(a.predicate, b.predicate, a.predicates * sizeof(a.predicate[0])) == 0;
}

} // namespace

ebt_plan united(const ebt_plan& old, const ebt_plan& next) {
    const bool is_old_whole = !(old.flags & not_itself), is_next_whole = !(next.flags & not_itself);
    ebt_plan both = is_old_whole || !is_next_whole ? old : next;
    const uint16_t shared = old.flags & next.flags & not_itself;
    both.flags = static_cast<uint16_t>(((old.flags | next.flags) & ~not_itself) | shared);
    both.witness = old.witness | next.witness;
    if (next.flags & EBT_PLAN_TRANSFER) {
        both.move = next.move;
        both.move_direction = next.move_direction;
        both.move_flags = next.move_flags;
    }
    if (!is_old_whole || !is_next_whole) {
        both.flags = static_cast<uint16_t>((both.flags & ~EBT_INCLUDE_ALL) |
                                           ((is_old_whole ? old : next).flags & EBT_INCLUDE_ALL));
        return both; // the other one asks for no record of this call
    }
    if (compare_the_same(old, next))
        return both;
    both.flags |= EBT_INCLUDE_ALL;
    both.predicates = 0;
    both.screens = 0;
    return both;
}

std::map<uint32_t, ebt_numbers> united(const std::map<uint32_t, ebt_numbers>& old,
                                       const std::map<uint32_t, ebt_numbers>& next) {
    constexpr uint16_t gates = (EBT_GATED_ABI << EBT_ABI_SLOTS) - 1 + EBT_GATED;
    std::map<uint32_t, ebt_numbers> all = old;
    for (const auto& [number, rows] : next) {
        const auto [place, is_new] = all.try_emplace(number, rows);
        if (is_new)
            continue;
        ebt_numbers& both = place->second;
        for (int abi = 0; abi < EBT_ABI_SLOTS; abi++) {
            if (both.row[abi] != EBT_ROW_NONE && rows.row[abi] != EBT_ROW_NONE &&
                both.row[abi] != rows.row[abi])
                throw Error(ErrorCode::usage, "system call " + std::to_string(number) +
                                                  " would be reported under another name than before");
            both.row[abi] = static_cast<__u16>(both.row[abi] | rows.row[abi]);
        }
        const auto others = static_cast<__u16>((both.flags | rows.flags) & ~gates);
        both.flags = static_cast<__u16>(others | (both.flags & rows.flags & gates));
    }
    return all;
}

ebt_plan with_comparisons_of(const ebt_plan& plan, const ebt_plan& other) {
    ebt_plan mixed = plan;
    std::memcpy(mixed.predicate, other.predicate, sizeof(mixed.predicate));
    return mixed;
}

ebt_plan unselected(ebt_plan plan) {
    plan.flags = static_cast<uint16_t>(plan.flags & ~EBT_INCLUDE_ALL);
    plan.predicates = 0;
    return plan;
}

} // namespace ebpf_loader
