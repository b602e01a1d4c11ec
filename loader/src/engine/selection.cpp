// SPDX-License-Identifier: LGPL-2.1
#include <algorithm>
#include <string>

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/selection.hpp>

namespace ebpf_loader {
namespace {

[[noreturn]] void refuse(const std::string& why) {
    throw Error(ErrorCode::usage, "selection of system calls: " + why);
}

/// The kernel programs trust what stands in the maps.
void check(std::span<const ebt_predicate> filter) {
    if (filter.size() > EBT_PREDICATES)
        refuse("a filter of " + std::to_string(filter.size()) +
               " comparisons; the kernel side evaluates up to " + std::to_string(EBT_PREDICATES) +
               " per call: shorten it");
    for (const auto& predicate : filter)
        if (predicate.value >= EBT_VALUES_USED || predicate.operator_ > EBT_ANY_BITS ||
            (predicate.shift != 0 && predicate.shift != 32 && predicate.shift != 62))
            refuse("a comparison has a value, an operator or a shift that does not exist");
    if (!filter.empty() && !(filter.back().flags & EBT_CLAUSE_END))
        refuse("the last comparison of a filter does not end its clause (EBT_CLAUSE_END)");
}

bool includes(const ebt_predicate& end) {
    return (end.flags & EBT_CLAUSE_END) && !(end.flags & EBT_EXCLUDE);
}

/// What lets a call through whatever its paths are says so, once something else does not.
void complete_screens(ebt_plan& plan) {
    const std::span predicates(plan.predicate, plan.predicates);
    const bool includes_all = plan.flags & EBT_INCLUDE_ALL;
    const auto screens = [](const ebt_predicate& predicate) {
        return includes(predicate) && predicate.screens;
    };
    if (!std::ranges::any_of(predicates, screens) && !(includes_all && plan.screens))
        return;
    if (includes_all && !plan.screens)
        plan.screens = EBT_SCREEN_KEEP;
    for (ebt_predicate& predicate : predicates)
        if (includes(predicate) && !predicate.screens)
            predicate.screens = EBT_SCREEN_KEEP;
}

ebt_plan make_plan(uint16_t flags, std::span<const ebt_step> steps, std::span<const ebt_predicate> filter,
                   bool include_all, uint16_t screens = 0) {
    ebt_plan plan{};
    plan.flags = flags;
    if (include_all || filter.empty())
        plan.flags |= EBT_INCLUDE_ALL;
    for (const ebt_step& step : steps.first(std::min<size_t>(steps.size(), EBT_STEPS)))
        for (const bool succeeded : {false, true})
            if (step.when == EBT_ALWAYS || (step.when == EBT_ON_SUCCESS) == succeeded)
                plan.step[succeeded][plan.steps[succeeded]++] = step;
    plan.predicates = static_cast<__u8>(filter.size());
    std::copy(filter.begin(), filter.end(), plan.predicate);
    plan.screens = plan.flags & EBT_INCLUDE_ALL ? screens : uint16_t{0};
    complete_screens(plan);
    return plan;
}

} // namespace

void Selection::select(const SyscallRow& call, std::span<const ebt_predicate> filter, bool include_all,
                       uint16_t screens) {
    check(filter);
    if (numbers_of(call).empty())
        return; // no program of this machine can make it
    const uint16_t row = row_of(call);
    plans_[row] = make_plan(call.flags, capture_steps(call), filter, include_all, screens);
    plans_[row].witness = call.witness;
    if (!endpoints_.empty())
        select_transfer(call);
    select_numbers(call);
    select_socketcall(call);
    select_ipc(call);
    if (call.flags & EBT_PLAN_EXEC)
        select_execve();
}

void Selection::select_numbers(const SyscallRow& call) {
    for (const SyscallNumber& number : numbers_of(call)) {
        ebt_numbers& entry = numbers_[static_cast<uint32_t>(number.number)];
        entry.row[EBT_ABI_SLOT(number.abi)] = row_of(call);
        if (call.number[number.abi] != number.number)
            entry.flags |= static_cast<__u16>(EBT_OLD_NUMBER << EBT_ABI_SLOT(number.abi));
    }
}

void Selection::limit(const SyscallRow& call, uint8_t abis) {
    if (call.flags & EBT_PLAN_EXEC)
        return;
    for (const SyscallNumber& number : numbers_of(call)) {
        const auto entry = numbers_.find(static_cast<uint32_t>(number.number));
        if (entry == numbers_.end() || (abis >> number.abi & 1))
            continue;
        uint16_t& row = entry->second.row[EBT_ABI_SLOT(number.abi)];
        row = row == row_of(call) ? uint16_t{EBT_ROW_NONE} : row;
    }
}

/// Whatever call it was, an exec that succeeds ends with the number of execve.
void Selection::select_execve() {
    const SyscallRow* execve = find_syscall("execve");
    const auto [plan, is_new] = plans_.try_emplace(row_of(*execve));
    if (!is_new)
        return;
    plan->second.flags = execve->flags | EBT_PLAN_DISPATCH_ONLY;
    select_numbers(*execve);
}

/// And all of System V's ipc through another.
void Selection::select_ipc(const SyscallRow& call) {
    const SyscallRow* ipc = find_syscall("ipc");
    const std::optional<uint8_t> selects = ipc_call_of(call);
    if (!ipc || !selects || numbers_of(*ipc).empty())
        return;
    const int own = call.number[EBT_I386], all = ipc->number[EBT_I386];
    ebt_numbers& entry = numbers_[EBT_NUMBERS + uint32_t{*selects}];
    entry.row[EBT_I386] = row_of(call);
    entry.row[EBT_X86_64] = static_cast<__u16>(own < 0 ? all : own);
    const auto [plan, is_new] = plans_.try_emplace(row_of(*ipc));
    if (!is_new)
        return;
    plan->second.flags = ipc->flags | EBT_PLAN_DISPATCH_ONLY;
    numbers_[static_cast<uint32_t>(all)].row[EBT_I386] = row_of(*ipc);
}

/// Old i386 programs reach all socket calls through one number.
void Selection::select_socketcall(const SyscallRow& call) {
    const SyscallRow* socketcall = find_syscall("socketcall");
    if (!socketcall || numbers_of(*socketcall).empty())
        return;
    const uint16_t row = row_of(*socketcall);
    if (socketcall == &call) {
        plans_[row].flags |= EBT_PLAN_SOCKETCALL;
        return;
    }
    const SyscallRow* becomes = find_socketcall(call.socketcall);
    if (!becomes)
        return;
    if (!plans_.contains(row)) {
        plans_[row].flags = socketcall->flags | EBT_PLAN_SOCKETCALL | EBT_PLAN_DISPATCH_ONLY;
        numbers_[static_cast<uint32_t>(socketcall->number[EBT_I386])].row[EBT_I386] = row;
    }
    // On i386 accept is accept4 without flags. Who wants accept alone gets both under its
    // name rather than none; selecting accept4 takes its number back.
    if (becomes != &call && call.number[EBT_I386] < 0) {
        uint16_t& taken = numbers_[static_cast<uint32_t>(becomes->number[EBT_I386])].row[EBT_I386];
        taken = taken == EBT_ROW_NONE ? row_of(call) : taken;
    }
}

void Selection::keep_rows_of(const Selection& earlier) {
    other_rows_ = earlier.other_rows_;
    next_row_ = earlier.next_row_;
}

uint16_t Selection::row_of_other(int abi, int number) {
    const auto [place, is_new] = other_rows_.try_emplace({abi, number});
    if (!is_new)
        return place->second;
    const auto first = static_cast<uint16_t>(EBT_FIRST_SYSCALL_ROW + syscall_rows().size());
    const uint16_t row = std::max(next_row_, first);
    if (row >= EBT_ROWS) {
        other_rows_.erase(place);
        refuse("no room for another number that the table of system calls does not know: select fewer");
    }
    next_row_ = static_cast<uint16_t>(row + 1);
    return place->second = row;
}

uint16_t Selection::select_number(ebt_abi abi, int number, std::span<const ebt_predicate> filter,
                                  bool include_all) {
    if (std::ranges::find(machine_abis(), abi) == machine_abis().end())
        refuse("programs of this machine make no system calls of that ABI");
    if (number < 0 || number >= EBT_NUMBERS)
        refuse("number " + std::to_string(number) + " is out of range: 0 to " +
               std::to_string(EBT_NUMBERS - 1));
    check(filter);
    const auto known = numbers_.find(static_cast<uint32_t>(number));
    uint16_t row = known == numbers_.end() ? uint16_t{EBT_ROW_NONE} : known->second.row[EBT_ABI_SLOT(abi)];
    const SyscallRow* call = find_syscall(abi, number);
    if (call) {
        row = row_of(*call);
    } else if (row == EBT_ROW_NONE) {
        row = row_of_other(abi, number);
    }
    plans_[row] = call ? make_plan(call->flags, capture_steps(*call), filter, include_all)
                       : make_plan(0, {}, filter, include_all);
    plans_[row].witness = call ? call->witness : 0;
    numbers_[static_cast<uint32_t>(number)].row[EBT_ABI_SLOT(abi)] = row;
    return row;
}

void Selection::select_process(ebt_process_row row, std::span<const ebt_predicate> filter, bool include_all) {
    check(filter);
    if (row < EBT_ROW_FORK || row > EBT_ROW_EXIT)
        refuse("row " + std::to_string(row) + " is not that of a process event");
    plans_[static_cast<uint16_t>(row)] = make_plan(EBT_PLAN_VITAL, {}, filter, include_all);
    if (row == EBT_ROW_EXEC)
        plans_[row].witness = EBT_WITNESS_EXEC;
}

void Selection::select_transfers(std::span<const ebt_endpoint> endpoints) {
    constexpr size_t most = 4096;
    if (endpoints.size() > most)
        refuse(std::to_string(endpoints.size()) + " endpoints; the kernel side watches up to " +
               std::to_string(most) + ": select fewer");
    endpoints_.assign(endpoints.begin(), endpoints.end());
    if (endpoints.empty())
        return;
    for (const SyscallRow& call : syscall_rows()) {
        if (call.move.kind == EBT_MOVE_NONE)
            continue;
        const bool selected = plans_.contains(row_of(call));
        if (!selected) {
            select(call, {}, false);
            ebt_plan only{};
            only.flags = static_cast<__u16>(call.flags | EBT_PLAN_TRANSFER_ONLY);
            plans_[row_of(call)] = only;
        }
        select_numbers(call); // whatever limit() left of them
        select_transfer(call);
    }
}

void Selection::select_transfer(const SyscallRow& call) {
    if (call.move.kind == EBT_MOVE_NONE)
        return;
    ebt_plan& plan = plans_[row_of(call)];
    plan.flags |= EBT_PLAN_TRANSFER;
    plan.move = static_cast<__u8>(call.move.kind);
    plan.move_direction = static_cast<__u8>(call.move.direction);
    plan.move_flags = call.move.flags;
}

bool Selection::needs_enter() const {
    return std::any_of(plans_.begin(), plans_.end(),
                       [](const auto& entry) { return (entry.second.flags & EBT_PLAN_ENTER) != 0; });
}

} // namespace ebpf_loader
