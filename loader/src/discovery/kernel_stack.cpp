// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/steps.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t page = 4096;
constexpr size_t largest_stack = 64 << 10;

/// The saved registers of the very request that reads the page, if they are in it.
std::optional<size_t> find_registers(const Block& memory, const KernelMemory::Request& r) {
    for (size_t at = 0; at < memory.size(); at += sizeof(uint64_t)) {
        const auto saved = machine::saved_call(std::span(memory.bytes).subspan(at));
        if (!saved)
            break;
        if (saved->number == SYS_getppid && std::equal(r.begin(), r.end(), saved->args))
            return at;
    }
    return std::nullopt;
}

/// How far above `base` the helper's saved registers stand; nullopt if they do not.
std::optional<size_t> distance_of_registers(const Setup& s, HelperProcess& helper, uint64_t base) {
    for (size_t at = 0; at < largest_stack && s.memory.can_be_address(base + at); at += page) {
        const KernelMemory::Request r = s.memory.request(KernelMemory::address, base + at, page);
        helper.call(SYS_getppid, r[0], r[1], r[2], r[3], r[4]);
        const Block memory{.address = base + at, .bytes = s.memory.answer(page).bytes};
        if (memory.size() == 0)
            return std::nullopt; // beyond the stack
        if (const auto found = find_registers(memory, r))
            return at + *found;
    }
    return std::nullopt;
}

void find_stack(Setup& s) {
    HelperProcess* const helpers[] = {&s.worker, &s.thread, &s.other};
    std::vector<uint32_t> found;
    const Block task = s.task(s.worker);
    for (uint32_t offset = 0; offset + 8 <= task.size(); offset += 8) {
        if (!is_heap_pointer(task.at<uint64_t>(offset)) || task.at<uint64_t>(offset) % page != 0)
            continue;
        std::set<std::optional<size_t>> distances;
        for (HelperProcess* helper : helpers)
            distances.insert(
                distance_of_registers(s, *helper, s.memory.read_pointer(helper->task() + offset)));
        if (distances.size() == 1 && *distances.begin())
            found.push_back(offset);
    }
    s.found.settle("task_struct.stack", found);
}

/// A helper's own task_struct, read within a call of the 64-bit or the 32-bit kind.
std::optional<Block> task_in_call(const Setup& s, HelperProcess& helper, bool wide) {
    Block task{.address = helper.task(), .bytes = {}};
    const size_t length = s.task(helper).size();
    while (task.size() < length) {
        const size_t bytes = std::min(page, length - task.size());
        const KernelMemory::Request r = s.memory.request(KernelMemory::own_task, task.size(), bytes);
        if (wide)
            helper.call(SYS_getppid, r[0], r[1], r[2], r[3], r[4]);
        else if (!helper.call_32_bit(r))
            return std::nullopt;
        const auto got = s.memory.answer(bytes).bytes;
        if (got.empty())
            break;
        task.bytes.insert(task.bytes.end(), got.begin(), got.end());
    }
    return task;
}

void find_status(Setup& s) {
    if (machine::status_offset) {
        s.found.settle("task_struct.status", {*machine::status_offset});
        return;
    }
    HelperProcess& caller = s.helpers.spawn();
    std::vector<Block> tasks;
    for (int i = 0; i < 6; i++) {
        const auto task = task_in_call(s, caller, i % 2 == 0);
        if (!task) {
            s.found.absent("task_struct.status"); // the mark of calls that this kernel does not take
            return;
        }
        tasks.push_back(*task);
    }
    std::vector<Observation> observations;
    for (size_t i = 0; i < tasks.size(); i++)
        observations.push_back({&tasks[i], i % 2 == 0 ? 0 : machine::compat_status});
    s.found.settle("task_struct.status", places<uint32_t>(observations));
}

} // namespace

void discover_kernel_stack(Setup& setup) {
    find_stack(setup);
    find_status(setup);
}

} // namespace ebpf_loader::discovery
