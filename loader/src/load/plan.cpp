// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/plan.hpp"

#include "loader/src/arch/machine.hpp"
#include "loader/src/base/procfs.hpp"
#include "loader/src/base/tracing/tracefs.hpp"
#include "loader/src/base/tracing/tracepoint.hpp"
#include "loader/src/load/thread_registers.hpp"

#include <bit>

namespace ebpf_loader {

LoadPlan make_load_plan(KernelSupport& kernel, const Offsets& offsets, Hooks hooks, const Rings& rings,
                        const std::function<void(std::string_view)>& log) {
    LoadPlan plan{
        .offsets = offsets, .features = {}, .tracefs = ensure_tracefs(), .hooks = hooks, .rings = rings};
    kernel.tracefs = true; // mounted by now, if it was not
    kernel.tracefs_path = plan.tracefs;
    if (kernel.ring_buffer)
        plan.features[Feature::ring_buffer] = 0;
    if (rings.count > 1) {
        plan.features[Feature::ring_shift] = std::countr_zero(rings.cpus_each);
        plan.features[Feature::ring_mask] = static_cast<uint32_t>(rings.count - 1);
    }
    if (kernel.direct_reads)
        plan.features[Feature::direct_reads] = 0;
    plan.rdonly_cast = kernel.rdonly_cast;
    if (kernel.boot_clock)
        plan.features[Feature::boot_clock] = 0;
    const auto stack = offsets.get(*Offsets::find("task_struct.stack"));
    const auto measured = stack ? measure_thread_registers(*stack) : std::nullopt;
    plan.features[Feature::thread_regs] = measured.value_or(machine::usual_thread_registers);
    plan.features[Feature::user_bits] = machine::user_address_bits();
    plan.features[Feature::tp_syscall_id] = tracepoint_field(plan.tracefs, "raw_syscalls/sys_exit", "id");
    plan.features[Feature::tp_syscall_ret] = tracepoint_field(plan.tracefs, "raw_syscalls/sys_exit", "ret");
    plan.features[Feature::tp_fork_child] =
        tracepoint_field(plan.tracefs, "sched/sched_process_fork", "child_pid");
    if (plan.hooks.user_stacks)
        plan.features[Feature::user_stack] = 0;
    if (plan.hooks.environment)
        plan.features[Feature::environment] = 0;
    if (plan.hooks.exe_versions)
        plan.features[Feature::exe_version] = 0;
    if (plan.hooks.screens)
        plan.features[Feature::screened] = 0;
    if (has_cgroup_controllers())
        plan.features[Feature::cgroup_controllers] = 0;
    if (plan.hooks.witnesses != 0)
        plan.features[Feature::witnesses] = 0;
    kernel.sock_states = has_tracepoint(plan.tracefs, sock_states_tracepoint);
    plan.hooks.sock_states &= kernel.sock_states;
    plan.features[Feature::tp_sock_address] =
        tracepoint_field(plan.tracefs, sock_states_tracepoint, "skaddr");
    plan.features[Feature::tp_sock_state] =
        tracepoint_field(plan.tracefs, sock_states_tracepoint, "newstate");
    plan.hooks.renames &= has_tracepoint(plan.tracefs, "task/task_rename");
    if (plan.hooks.exec_args && (!has_tracepoint(plan.tracefs, "syscalls/sys_enter_execve") ||
                                 !has_tracepoint(plan.tracefs, "syscalls/sys_enter_execveat"))) {
        plan.hooks.exec_args = plan.hooks.renames = false;
        plan.hooks.enter = true;
        if (log)
            log("this kernel has no tracepoints of execve and execveat: their arguments are captured by a "
                "hook at "
                "the start of every system call, which doubles what the program costs each call");
    }
    return plan;
}

} // namespace ebpf_loader
