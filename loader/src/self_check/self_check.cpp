// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/self_check/self_check.hpp"

#include "loader/src/arch/machine.hpp"
#include "loader/src/self_check/children.hpp"
#include "loader/src/self_check/marker_call.hpp"
#include "loader/src/self_check/process.hpp"
#include "loader/src/self_check/records.hpp"
#include "loader/src/self_check/transfers.hpp"
#include "loader/src/self_check/unix_names.hpp"

#include <cerrno>
#include <cstring>
#include <sys/syscall.h>

namespace ebpf_loader::self_check {
namespace {

/// Rows that the plans of the check take.
enum CheckRow : uint16_t {
    row_marker = EBT_FIRST_SYSCALL_ROW,
    row_marker_32_bit,
    row_exec,
    row_exit_group,
};

void select_own_call(LoadedTier& tier, const MarkerCall& marker) {
    ebt_numbers rows{};
    rows.row[EBT_ABI_SLOT(EBT_NATIVE_ABI)] = row_marker;
    tier.select({{row_marker, marker.plan()}}, {{SYS_dup3, rows}});
}

/// Of each kind of event, those of our own children, in which `self` is our header.
void select_children(LoadedTier& tier, const MarkerCall& marker, const ebt_header& self) {
    const auto match = [](uint16_t flags, uint8_t value, uint64_t operand) {
        ebt_plan plan{};
        plan.flags = flags;
        plan.predicates = 1;
        plan.predicate[0] = {
            .value = value, .operator_ = EBT_EQ, .flags = EBT_CLAUSE_END, .operand = operand};
        return plan;
    };
    const auto number = [](ebt_abi abi, uint16_t row) {
        ebt_numbers rows{};
        rows.row[EBT_ABI_SLOT(abi)] = row;
        return rows;
    };
    tier.select({{EBT_ROW_FORK, match(0, EBT_VALUE_PID, self.tgid)},
                 {EBT_ROW_EXIT, match(0, EBT_VALUE_PPID, self.tgid)},
                 {row_marker, marker.plan()},
                 {row_marker_32_bit, marker.plan_32_bit()},
                 {row_exec, match(EBT_PLAN_EXEC, EBT_VALUE_PPID, self.tgid)},
                 {row_exit_group, match(EBT_PLAN_NO_RETURN, EBT_VALUE_ARG0 + 1, marker.args()[4])}},
                {{SYS_dup3, number(EBT_NATIVE_ABI, row_marker)},
                 {machine::compat_dup3, number(EBT_COMPAT_ABI, row_marker_32_bit)},
                 {SYS_execveat, number(EBT_NATIVE_ABI, row_exec)},
                 {SYS_execve, number(EBT_NATIVE_ABI, row_exec)}, // what the kernel calls it once it succeeded
                 {SYS_exit_group, number(EBT_NATIVE_ABI, row_exit_group)}});
}

void check_arguments(const ebt_header& h, const uint64_t (&args)[EBT_ARGS], Mismatches& mismatches) {
    if (h.missing & EBT_MISSING_ARGS) {
        mismatches.add("task_struct.stack", "no arguments", "those of a call of this process");
        return;
    }
    for (size_t i = 0; i < EBT_ARGS; i++)
        mismatches.expect("task_struct.stack (argument " + std::to_string(i) + ")", h.args[i], args[i]);
}

/// A call of this process. Returns its header.
ebt_header check_own_call(LoadedTier& tier, RecordSource& source, const OwnProcess& own,
                          const Samples& samples, const MarkerCall& marker) {
    select_own_call(tier, marker);
    Records records;
    std::optional<RecordView> view;
    for (int i = 0; i < self_check_attempts && !view; i++) {
        marker.send();
        records.read(source);
        view = records.find([&](const ebt_header& h) { return marker.is(h); });
    }
    Mismatches mismatches;
    if (!view) {
        mismatches.absent("task_struct.stack, task_struct.status",
                          "a system call of this process was not seen with its own arguments");
        mismatches.finish();
    }
    const ebt_header& h = view->header();
    mismatches.expect("system call number", static_cast<uint64_t>(h.nr), SYS_dup3);
    mismatches.expect("system call result", static_cast<uint64_t>(h.ret), static_cast<uint64_t>(-EINVAL));
    check_process(*view, own, mismatches);
    samples.check(*view, mismatches);
    mismatches.finish();
    return h;
}

/// The children, in the order in which they lived, and what was seen of them.
class ChildrenCheck {
  public:
    ChildrenCheck(RecordSource& source, const OwnProcess& own, const Samples& samples,
                  const MarkerCall& marker, const Hooks& hooks, const ebt_header& self)
        : own_(own), samples_(samples), marker_(marker), hooks_(hooks), self_(self), threaded_(marker) {
        records_.read(source);
        find_ids();
    }

    void check(Mismatches& mismatches) const {
        for (size_t i = 0; i < std::size(children_); i++) {
            if (hooks_.fork)
                check_fork(i, mismatches);
            if (hooks_.exit)
                check_exit(i, mismatches);
        }
        if (hooks_.exec_args || hooks_.enter)
            check_exec(mismatches);
        if (hooks_.exit)
            check_exit_group(mismatches);
        check_marker_calls(mismatches);
    }

  private:
    void find_ids();
    std::optional<ebt_child> forked(size_t child) const;
    void check_fork(size_t child, Mismatches& mismatches) const;
    void check_exit(size_t child, Mismatches& mismatches) const;
    void check_exec(Mismatches& mismatches) const;
    void check_exit_group(Mismatches& mismatches) const;
    void check_marker_calls(Mismatches& mismatches) const;
    void check_marker_call(const std::optional<RecordView>& view, ebt_abi abi, Mismatches& mismatches) const;
    bool is_of(const ebt_header& h, size_t child) const { return !ids_[child] || h.tgid == ids_[child]; }

    const OwnProcess& own_;
    const Samples& samples_;
    const MarkerCall& marker_;
    const Hooks& hooks_;
    const ebt_header& self_;
    ExecutedChild executed_;
    ThreadedChild threaded_;
    const Child* children_[2] = {&executed_, &threaded_};
    uint32_t ids_[2] = {}; ///< in the initial pid namespace; 0: unknown
    Records records_;
};

/// What the record of our n-th child's fork has of it.
std::optional<ebt_child> ChildrenCheck::forked(size_t child) const {
    size_t count = 0;
    const auto record = records_.find([&](const ebt_header& h) {
        return h.kind == EBT_FORK && h.tgid == self_.tgid && h.tid == self_.tid && count++ == child;
    });
    const auto field = record ? record->find(EBT_FIELD_CHILD) : std::nullopt;
    ebt_child seen{};
    if (!field || field->content.size() != sizeof(seen))
        return std::nullopt;
    memcpy(&seen, field->content.data(), sizeof(seen));
    return seen;
}

void ChildrenCheck::find_ids() {
    for (size_t i = 0; i < std::size(children_); i++) {
        const auto seen = forked(i);
        ids_[i] = own_.initial_pid_namespace ? static_cast<uint32_t>(children_[i]->pid)
                  : seen                     ? seen->tgid
                                             : 0;
    }
}

void ChildrenCheck::check_fork(size_t child, Mismatches& mismatches) const {
    const auto seen = forked(child);
    if (!seen) {
        mismatches.absent("task_struct.pid, task_struct.tgid, task_struct.mm, task_struct.children, "
                          "task_struct.sibling",
                          "the fork of a child was not seen");
        return;
    }
    mismatches.expect("task_struct.pid, task_struct.tgid (of a child)", seen->tgid, ids_[child]);
    mismatches.expect("task_struct.start_boottime, task_struct.children, task_struct.sibling (of a child)",
                      seen->start_time / own_.ns_per_tick, children_[child]->start_ticks);
}

void ChildrenCheck::check_exit(size_t child, Mismatches& mismatches) const {
    const auto ended =
        records_.find([&](const ebt_header& h) { return h.kind == EBT_EXIT && is_of(h, child); });
    if (!ended) {
        mismatches.absent("task_struct.signal, signal_struct.live, task_struct.self_exec_id",
                          "the end of a child was not seen");
        return;
    }
    const ebt_header& h = ended->header();
    mismatches.expect("task_struct.signal, signal_struct.live, signal_struct.flags, "
                      "signal_struct.group_exit_code, task_struct.exit_code",
                      static_cast<uint64_t>(h.ret), static_cast<uint64_t>(children_[child]->status));
    mismatches.expect("task_struct.group_leader, task_struct.start_boottime (of a child)",
                      h.start_time / own_.ns_per_tick, children_[child]->start_ticks);
    if (children_[child] == &executed_ && executed_.executed())
        mismatches.expect("task_struct.self_exec_id", h.exec_id, self_.exec_id + 1);
}

void ChildrenCheck::check_exec(Mismatches& mismatches) const {
    if (!executed_.executed())
        return; // not allowed here
    const auto call = records_.find(
        [&](const ebt_header& h) { return h.kind == EBT_SYSCALL && h.row == row_exec && is_of(h, 0); });
    if (call)
        check_arguments(call->header(), executed_.args, mismatches);
    else
        mismatches.absent("task_struct.stack", "a child's execveat was not seen with its own arguments");
}

void ChildrenCheck::check_exit_group(Mismatches& mismatches) const {
    if (!threaded_.has_sent())
        return; // something ended it earlier
    const auto call =
        records_.find([&](const ebt_header& h) { return h.kind == EBT_SYSCALL && h.row == row_exit_group; });
    if (call)
        mismatches.expect("task_struct.stack (arguments)", call->header().args[0],
                          static_cast<uint64_t>(threaded_.status >> 8));
    else
        mismatches.absent("task_struct.stack", "a child's exit_group was not seen with its own arguments");
}

void ChildrenCheck::check_marker_calls(Mismatches& mismatches) const {
    if (threaded_.has_sent())
        check_marker_call(records_.find([&](const ebt_header& h) { return marker_.is(h); }), EBT_NATIVE_ABI,
                          mismatches);
    if (threaded_.has_sent_both())
        check_marker_call(records_.find([&](const ebt_header& h) { return marker_.is_32_bit(h); }),
                          EBT_COMPAT_ABI, mismatches);
}

/// A call of the second thread's, in a process with a descriptor table of its own.
void ChildrenCheck::check_marker_call(const std::optional<RecordView>& view, ebt_abi abi,
                                      Mismatches& mismatches) const {
    if (!view) {
        mismatches.absent(abi == EBT_COMPAT_ABI ? "task_struct.status"
                                                : "task_struct.stack, task_struct.status",
                          std::string("a ") + (abi == EBT_COMPAT_ABI ? "32" : "64") +
                              "-bit system call of a child was not seen");
        return;
    }
    const ebt_header& h = view->header();
    mismatches.expect("task_struct.status (system call ABI)", h.abi, abi);
    mismatches.expect("task_struct.real_parent, task_struct.tgid (of a thread)", h.ppid, self_.tgid);
    mismatches.expect("task_struct.group_leader, task_struct.start_boottime (of a thread)",
                      h.start_time / own_.ns_per_tick, threaded_.start_ticks);
    samples_.check(*view, mismatches);
}

} // namespace

uint32_t run(LoadedTier& tier, RecordSource& source, const Hooks& hooks, const Offsets& offsets) {
    const OwnProcess own; // reads the command line, so that it is in memory
    const Samples samples;
    const MarkerCall marker(samples);
    ebt_settings settings{};
    settings.wakeup_bytes = 1;
    settings.ordinary_bytes = settings.query_bytes = UINT32_MAX; // nothing is kept out
    tier.set(settings);
    tier.attach_all();
    tier.attach_exit(); // no call is selected yet
    const ebt_header self = check_own_call(tier, source, own, samples, marker);
    for (int i = 1;; i++) {
        Mismatches mismatches;
        select_children(tier, marker, self);
        ChildrenCheck(source, own, samples, marker, hooks, self).check(mismatches);
        if (hooks.endpoints)
            check_transfers(tier, source, offsets, mismatches);
        check_unix_names(tier, source, offsets, mismatches);
        if (!mismatches.incomplete() || i == self_check_attempts) {
            mismatches.finish();
            break;
        }
    }
    tier.select({}, {});
    return self.tgid;
}

} // namespace ebpf_loader::self_check
