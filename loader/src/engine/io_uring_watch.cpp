// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/engine/io_uring_watch.hpp"

#include "loader/src/base/bpf_instructions.hpp"
#include "loader/src/base/tracing/tracepoint.hpp"
#include "loader/src/tables/io_uring_operations.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace ebpf_loader {
namespace {

using namespace insn;

/// Counts in each CPU's value of the map, an array by operation.
UniqueFd load_program(int map_fd, int16_t opcode) {
    Program program;
    program << load8(BPF_REG_6, BPF_REG_1, opcode) << store_value32(BPF_REG_10, -4, 0);
    program.load_map(BPF_REG_1, map_fd);
    program << move(BPF_REG_2, BPF_REG_10) << add_value(BPF_REG_2, -4) << call(BPF_FUNC_map_lookup_elem);
    program.leave_if_value(BPF_JEQ, BPF_REG_0, 0);
    program << compute_value(BPF_LSH, BPF_REG_6, 3) << compute(BPF_ADD, BPF_REG_0, BPF_REG_6)
            << load(BPF_REG_1, BPF_REG_0, 0) << add_value(BPF_REG_1, 1) << store(BPF_REG_0, 0, BPF_REG_1);
    const std::vector<bpf_insn>& all = program.finish();
    return UniqueFd(
        bpf_prog_load(BPF_PROG_TYPE_TRACEPOINT, "ebt_io_uring", "GPL", all.data(), all.size(), nullptr));
}

/// As begin_operation() of kern/lib/witness/io_uring.h decides.
bool is_selected(const Selection& selection, const SyscallRow& call) {
    const auto numbers = selection.numbers().find(static_cast<uint32_t>(call.number[EBT_NATIVE_ABI]));
    if (numbers == selection.numbers().end())
        return false;
    const auto plan = selection.plans().find(numbers->second.row[EBT_ABI_SLOT(EBT_NATIVE_ABI)]);
    return plan != selection.plans().end() &&
           ((plan->second.flags & EBT_INCLUDE_ALL) || plan->second.predicates);
}

} // namespace

void IoUringWatch::select(const Selection& selection, uint16_t witnessed) {
    before_ += since_selected();
    calls_.clear();
    counted_.reset();
    for (const IoUringOperation& operation : io_uring_operations()) {
        const SyscallRow* call = find_syscall(operation.call);
        const bool is_seen = operation.is_reported && !(call->witness & ~witnessed);
        if (is_seen || !is_selected(selection, *call))
            continue;
        counted_.set(operation.opcode);
        if (std::ranges::find(calls_, call->name) == calls_.end())
            calls_.push_back(call->name);
    }
    at_selection_ = read();
}

void IoUringWatch::start(const Selection& selection, uint16_t witnessed) {
    select(selection, witnessed);
    if (calls_.empty())
        return;
    attach();
    at_selection_ = read();
}

/// Linux 5.1 to 5.4 do not say which operation it is.
void IoUringWatch::attach() {
    program_ = UniqueFd();
    for (const std::string event : {"io_uring/io_uring_submit_req", "io_uring/io_uring_submit_sqe"}) {
        const auto opcode = tracepoint_field(tracefs_, event, "opcode");
        if (!opcode)
            continue; // the second is its name before 6.0
        map_ = UniqueFd(bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "ebt_io_uring", sizeof(uint32_t),
                                       sizeof(Counts), 1, nullptr));
        if (map_)
            program_ = load_program(map_.get(), static_cast<int16_t>(*opcode));
        std::string problem; // all that follows from it is that nothing is counted
        if (program_)
            hook_ = hook_tracepoint(tracefs_, event, program_.get(), problem);
        if (!hook_)
            program_ = UniqueFd();
        return;
    }
}

IoUringWatch::Counts IoUringWatch::read() const {
    Counts sum{};
    const int cpus = libbpf_num_possible_cpus();
    if (!program_ || cpus <= 0)
        return sum;
    std::vector<Counts> counts(static_cast<size_t>(cpus));
    const uint32_t key = 0;
    if (bpf_map_lookup_elem(map_.get(), &key, counts.data()) != 0)
        return sum;
    for (const Counts& of_cpu : counts)
        for (size_t i = 0; i < opcodes; ++i)
            sum[i] += of_cpu[i];
    return sum;
}

uint64_t IoUringWatch::since_selected() const {
    const Counts now = read();
    uint64_t sum = 0;
    for (size_t i = 0; i < opcodes; ++i)
        if (counted_[i] && now[i] > at_selection_[i])
            sum += now[i] - at_selection_[i];
    return sum;
}

uint64_t IoUringWatch::operations() const {
    return before_ + since_selected();
}

} // namespace ebpf_loader
