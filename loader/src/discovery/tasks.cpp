// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/steps.hpp"

#include <sys/ptrace.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

/// The task_structs of the shared helpers, as they stand now.
struct Tasks {
    explicit Tasks(const Setup& setup)
        : worker(setup.task(setup.worker)), thread(setup.task(setup.thread)), other(setup.task(setup.other)) {
        for (size_t i = 0; i < children.size(); i++)
            children[i] = setup.task(*setup.children[i]);
    }
    Block worker, thread, other;
    std::array<Block, 3> children;
};

void find_ids(Setup& s, const Tasks& t) {
    s.found.settle("task_struct.pid", places<uint32_t>({{&t.worker, s.worker.tid()},
                                                        {&t.thread, s.thread.tid()},
                                                        {&t.other, s.other.tid()},
                                                        {&t.children[0], s.children[0]->tid()},
                                                        {&t.children[1], s.children[1]->tid()}}));
    s.found.settle("task_struct.tgid", places<uint32_t>({{&t.worker, s.worker.tgid()},
                                                         {&t.thread, s.thread.tgid()},
                                                         {&t.other, s.other.tgid()},
                                                         {&t.children[0], s.children[0]->tgid()},
                                                         {&t.children[1], s.children[1]->tgid()}}));
    s.found.settle("task_struct.group_leader", places<uint64_t>({{&t.worker, s.worker.task()},
                                                                 {&t.thread, s.worker.task()},
                                                                 {&t.other, s.other.task()},
                                                                 {&t.children[0], s.children[0]->task()},
                                                                 {&t.children[1], s.children[1]->task()}}));
}

/// The parent and the real parent differ while a process is traced.
void find_parent(Setup& s, const Tasks& t) {
    const uint64_t ours = s.memory.self().task;
    HelperProcess& tracer = s.helpers.spawn();
    tracer.must("tracing a process (ptrace)", SYS_ptrace, PTRACE_SEIZE, as_argument(s.children[1]->pid()), 0,
                0);
    const Block traced = s.task(*s.children[1]);
    s.found.settle("task_struct.real_parent", places<uint64_t>({{&t.worker, ours},
                                                                {&t.thread, ours},
                                                                {&t.other, ours},
                                                                {&t.children[0], s.worker.task()},
                                                                {&t.children[2], s.worker.task()},
                                                                {&traced, s.worker.task()}}));
    s.helpers.dismiss(tracer);
}

/// The heads of lists are known by what they lead to: the siblings' list nodes of the
/// first and the last child, which in turn lead to each other and back.
void find_children(Setup& s, const Tasks& t) {
    std::vector<uint32_t> heads, nodes;
    for (uint32_t head = 0; head + 16 <= t.worker.size(); head += 8) {
        const uint64_t node = t.worker.at<uint64_t>(head) - t.children[0].address;
        if (node == head || node % 8 != 0 || !t.children[0].has(node, 16))
            continue; // `node == head` is a list of all processes
        const uint64_t chain[] = {t.worker.address + head, t.children[0].address + node,
                                  t.children[1].address + node, t.children[2].address + node,
                                  t.worker.address + head};
        const bool linked =
            t.worker.at<uint64_t>(head + 8) == chain[3] && t.children[0].at<uint64_t>(node) == chain[2] &&
            t.children[0].at<uint64_t>(node + 8) == chain[0] &&
            t.children[1].at<uint64_t>(node) == chain[3] &&
            t.children[1].at<uint64_t>(node + 8) == chain[1] &&
            t.children[2].at<uint64_t>(node) == chain[4] && t.children[2].at<uint64_t>(node + 8) == chain[2];
        if (linked) {
            heads.push_back(head);
            nodes.push_back(static_cast<uint32_t>(node));
        }
    }
    s.found.settle("task_struct.children", heads);
    s.found.settle("task_struct.sibling", nodes);
}

/// A task keeps its start on the monotonic clock and on the clock that goes on in suspend.
/// They differ by the time spent suspended; where that is none, by the order in which they
/// are read: the kernel reads the monotonic one first.
void find_start_time(Setup& s, const Tasks& t) {
    const std::vector<const Block*> blocks = {&t.worker,      &t.thread,      &t.other,
                                              &t.children[0], &t.children[1], &t.children[2]};
    const HelperProcess* const helpers[] = {&s.worker,     &s.thread,     &s.other,
                                            s.children[0], s.children[1], s.children[2]};
    std::vector<uint32_t> times = places_if(blocks, sizeof(uint64_t), [&](size_t offset) {
        for (size_t i = 0; i < blocks.size(); i++) {
            const auto value = blocks[i]->at<uint64_t>(offset);
            if (value < helpers[i]->born_after() || value > helpers[i]->born_before())
                return false;
        }
        return true;
    });
    if (times.size() == 2) {
        bool never_before = true, once_later = false;
        for (const Block* block : blocks) {
            const auto first = block->at<uint64_t>(times[0]), second = block->at<uint64_t>(times[1]);
            never_before = never_before && second >= first;
            once_later = once_later || second > first;
        }
        if (never_before && once_later)
            times.erase(times.begin());
    }
    s.found.settle("task_struct.start_boottime", times);
}

} // namespace

void discover_tasks(Setup& setup) {
    const Tasks tasks(setup);
    find_ids(setup, tasks);
    find_children(setup, tasks);
    find_start_time(setup, tasks);
    find_parent(setup, tasks);
}

} // namespace ebpf_loader::discovery
