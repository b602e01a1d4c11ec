// SPDX-License-Identifier: LGPL-2.1
// What a tier's maps say is selected, and how that changes while its hooks are attached.
#include "loader/src/load/loaded_tier.hpp"
#include "loader/src/load/plan_union.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>

namespace ebpf_loader {
namespace {

/// Credentials are read before the filter only where it asks for them.
ebt_plan with_derived_flags(ebt_plan plan, uint16_t witnessed) {
    const bool asks =
        std::any_of(plan.predicate, plan.predicate + plan.predicates, [](const ebt_predicate& predicate) {
            return predicate.value >= EBT_VALUE_UID && predicate.value != EBT_VALUE_PID;
        });
    if (asks)
        plan.flags |= EBT_PLAN_IDENTITY;
    // An open need not create anything; of all others something is witnessed when they succeed.
    const int certain = plan.witness & ~EBT_WITNESS_CREATE;
    if (certain != 0 && (certain & ~witnessed) == 0)
        plan.flags |= EBT_PLAN_WITNESSED;
    if (plan.flags & EBT_PLAN_SOCKETCALL) // it may become any of them
        plan.witness = EBT_WITNESS_CONNECT | EBT_WITNESS_BIND | EBT_WITNESS_SEND;
    plan.witness &= witnessed;
    return plan;
}

/// Is it a call of which nothing is wanted while the gate of transfers is closed? Those that may
/// open it are not.
bool is_gated(const ebt_plan& plan) {
    const bool opens = plan.move == EBT_MOVE_CONNECT || (plan.move_direction == EBT_SENT && plan.move_flags);
    return (plan.flags & EBT_PLAN_TRANSFER_ONLY) && !opens;
}

ebt_numbers with_gates(ebt_numbers rows, const LoadedTier::Plans& plans) {
    bool all = true, any = false;
    for (int abi = 0; abi < EBT_ABI_SLOTS; abi++) {
        const auto plan = plans.find(rows.row[abi]);
        if (plan == plans.end())
            continue;
        const bool gated = is_gated(plan->second);
        any |= gated;
        all &= gated;
        rows.flags |= static_cast<__u16>((gated ? EBT_GATED_ABI : 0) << abi);
    }
    if (any && all)
        rows.flags |= EBT_GATED;
    return rows;
}

LoadedTier::Numbers complete(const LoadedTier::Numbers& numbers, const LoadedTier::Plans& plans) {
    LoadedTier::Numbers all;
    for (const auto& [number, rows] : numbers)
        all[number] = number < EBT_NUMBERS ? with_gates(rows, plans) : rows;
    return all;
}

std::map<uint32_t, ebt_plan> complete(const LoadedTier::Plans& plans, uint16_t witnessed) {
    std::map<uint32_t, ebt_plan> all;
    for (const auto& [row, plan] : plans)
        all[row] = with_derived_flags(plan, witnessed);
    return all;
}

} // namespace

void LoadedTier::write(const char* map, uint32_t key, const void* value) {
    if (bpf_map_update_elem(map_fd(map), &key, value, BPF_ANY))
        throw Error(ErrorCode::resources, std::string("cannot write to a map: ") + strerror(errno));
}

void LoadedTier::select(const Plans& plans, const Numbers& numbers) {
    const ebt_numbers no_rows{};
    const ebt_plan no_plan{};
    for (const auto& [number, rows] : written_numbers_)
        write("numbers", number, &no_rows);
    for (const auto& [row, plan] : written_plans_)
        write("plans", row, &no_plan);
    written_plans_ = complete(plans, witnessed_);
    written_numbers_ = complete(numbers, plans);
    for (const auto& [row, plan] : written_plans_)
        write("plans", row, &plan);
    for (const auto& [number, rows] : written_numbers_)
        write("numbers", number, &rows);
}

void LoadedTier::set_screen(const PathScreen& screen) {
    write_screen(screen);
    screen_ = screen;
}

void LoadedTier::write_screen(const PathScreen& screen) {
    if (screen.empty())
        return;
    write("screens", 0, screen.cells().data());
    written_screen_ = screen;
}

std::string LoadedTier::lacks(const Hooks& hooks) const {
    const auto is_missing = [&](bool is_needed, std::string_view hook) {
        return is_needed && !is_attached(hook);
    };
    if (is_missing(hooks.enter, "on_sys_enter"))
        return "the hook at the start of calls";
    if (is_missing(hooks.fork, "on_fork"))
        return "the hook where processes start";
    if (is_missing(hooks.exec_args, "on_enter_execve") ||
        is_missing(hooks.exec || hooks.exec_args, "on_exec"))
        return "the hooks where processes execute programs";
    if (is_missing(hooks.exit, "on_exit"))
        return "the hook where processes end";
    if (hooks.environment && !hooks_.environment)
        return "what reads the environments of processes";
    if (hooks.exe_versions && !hooks_.exe_versions)
        return "what tells versions of executables apart";
    if ((hooks.endpoints != 0) != (hooks_.endpoints != 0))
        return "what reads the bytes of connections";
    return "";
}

/// Programs may read a plan while it is written, some of it old and some new: in whatever mixture, it lets
/// through at least what the old one does. So the comparisons themselves stay until nothing reads them any
/// more.
void LoadedTier::widen(const Plans& plans, const Numbers& numbers, const PathScreen& screen) {
    next_plans_ = complete(plans, witnessed_);
    next_numbers_ = complete(numbers, plans);
    const Numbers all = united(written_numbers_, next_numbers_);
    PathScreen all_paths = screen_; // of the plans in force, also where an earlier widen() has failed
    all_paths.add(screen);
    write_screen(all_paths);
    next_screen_ = screen;
    for (const auto& [row, next] : next_plans_) {
        const auto [old, is_new] = written_plans_.try_emplace(row, next);
        const ebt_plan both = is_new ? next : united(old->second, next);
        if (!is_new && std::memcmp(&both, &old->second, sizeof(both)) == 0)
            continue;
        old->second = both;
        write("plans", row, &both);
    }
    written_numbers_ = all;
    for (const auto& [number, rows] : written_numbers_)
        write("numbers", number, &rows);
}

void LoadedTier::narrow() {
    screen_ = std::exchange(next_screen_, {}); // the map keeps both until the next selection comes
    const ebt_numbers no_rows{};
    for (const auto& [number, rows] : written_numbers_) {
        const auto next = next_numbers_.find(number);
        write("numbers", number, next == next_numbers_.end() ? &no_rows : &next->second);
    }
    written_numbers_ = std::exchange(next_numbers_, {});
    for (const auto& [row, plan] : written_plans_) {
        const auto next = next_plans_.find(row);
        // Records that are being filled still use the rest of the plan.
        const ebt_plan last = next == next_plans_.end() ? unselected(plan) : next->second;
        if (std::memcmp(&plan, &last, sizeof(plan)) == 0)
            continue;
        const ebt_plan first = with_comparisons_of(plan, last); // before they are counted
        write("plans", row, &first);
        write("plans", row, &last);
    }
    written_plans_ = std::exchange(next_plans_, {});
}

} // namespace ebpf_loader
