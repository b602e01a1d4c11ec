// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/thread_registers.hpp"

#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/base/bpf_instructions.hpp"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

namespace ebpf_loader {
namespace {

using namespace insn;

/// At sys_exit: values[0] = registers - task->stack, whoever calls; the difference is
/// the same for every task.
UniqueFd load_program(int map_fd, int32_t stack) {
    const bpf_insn program[] = {
        load(BPF_REG_6, BPF_REG_1, 0), // the tracepoint's struct pt_regs *
        call(BPF_FUNC_get_current_task),
        move(BPF_REG_3, BPF_REG_0),
        add_value(BPF_REG_3, stack),
        move_value(BPF_REG_2, 8),
        move(BPF_REG_1, BPF_REG_10),
        add_value(BPF_REG_1, -8),
        call(BPF_FUNC_probe_read),
        load(BPF_REG_7, BPF_REG_10, -8),
        compute(BPF_SUB, BPF_REG_6, BPF_REG_7),
        store(BPF_REG_10, -8, BPF_REG_6),
        store_value32(BPF_REG_10, -12, 0),
        instruction(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map_fd),
        instruction(0, 0, 0, 0, 0),
        move(BPF_REG_2, BPF_REG_10),
        add_value(BPF_REG_2, -12),
        move(BPF_REG_3, BPF_REG_10),
        add_value(BPF_REG_3, -8),
        move_value(BPF_REG_4, BPF_ANY),
        call(BPF_FUNC_map_update_elem),
        move_value(BPF_REG_0, 0),
        end(),
    };
    return UniqueFd(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "ebt_registers", "GPL", program,
                                  sizeof(program) / sizeof(program[0]), nullptr));
}

} // namespace

std::optional<uint32_t> measure_thread_registers(uint32_t stack) {
    const UniqueFd values(
        bpf_map_create(BPF_MAP_TYPE_ARRAY, "ebt_registers", sizeof(uint32_t), sizeof(uint64_t), 1, nullptr));
    if (!values)
        return std::nullopt;
    const UniqueFd program = load_program(values.get(), static_cast<int32_t>(stack));
    if (!program)
        return std::nullopt;
    const uint32_t key = 0;
    uint64_t distance = 0;
    const UniqueFd link(bpf_raw_tracepoint_open("sys_exit", program.get()));
    if (!link)
        return std::nullopt;
    syscall(SYS_getppid);
    bpf_map_lookup_elem(values.get(), &key, &distance);
    constexpr uint64_t largest_stack = 1 << 20;
    if (distance == 0 || distance > largest_stack)
        return std::nullopt; // the offset of task_struct.stack is wrong: the self-check will say so
    return static_cast<uint32_t>(distance);
}

} // namespace ebpf_loader
