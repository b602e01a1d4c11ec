// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/steps.hpp"

#include <sys/ptrace.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

/// The cast's task_structs, as they stand now.
struct Tasks {
    explicit Tasks(const Scene& scene)
        : actor(scene.task(scene.actor)), thread(scene.task(scene.thread)), other(scene.task(scene.other)) {
        for (size_t i = 0; i < heirs.size(); i++)
            heirs[i] = scene.task(*scene.heirs[i]);
    }
    Block actor, thread, other;
    std::array<Block, 3> heirs;
};

void find_ids(Scene& s, const Tasks& t) {
    s.found.settle("task_struct.pid", places<uint32_t>({{&t.actor, s.actor.tid()},
                                                        {&t.thread, s.thread.tid()},
                                                        {&t.other, s.other.tid()},
                                                        {&t.heirs[0], s.heirs[0]->tid()},
                                                        {&t.heirs[1], s.heirs[1]->tid()}}));
    s.found.settle("task_struct.tgid", places<uint32_t>({{&t.actor, s.actor.tgid()},
                                                         {&t.thread, s.thread.tgid()},
                                                         {&t.other, s.other.tgid()},
                                                         {&t.heirs[0], s.heirs[0]->tgid()},
                                                         {&t.heirs[1], s.heirs[1]->tgid()}}));
    s.found.settle("task_struct.group_leader", places<uint64_t>({{&t.actor, s.actor.task()},
                                                                 {&t.thread, s.actor.task()},
                                                                 {&t.other, s.other.task()},
                                                                 {&t.heirs[0], s.heirs[0]->task()},
                                                                 {&t.heirs[1], s.heirs[1]->task()}}));
}

/// The parent and the real parent differ while a process is traced.
void find_parent(Scene& s, const Tasks& t) {
    const uint64_t ours = s.peek.self().task;
    Puppet& tracer = s.stage.spawn();
    tracer.must("tracing a process (ptrace)", SYS_ptrace, PTRACE_SEIZE, as_argument(s.heirs[1]->pid()), 0, 0);
    const Block traced = s.task(*s.heirs[1]);
    s.found.settle("task_struct.real_parent", places<uint64_t>({{&t.actor, ours},
                                                                {&t.thread, ours},
                                                                {&t.other, ours},
                                                                {&t.heirs[0], s.actor.task()},
                                                                {&t.heirs[2], s.actor.task()},
                                                                {&traced, s.actor.task()}}));
    s.stage.dismiss(tracer);
}

/// The heads of lists are known by what they lead to: the siblings' list nodes of the
/// first and the last child, which in turn lead to each other and back.
void find_children(Scene& s, const Tasks& t) {
    std::vector<uint32_t> heads, nodes;
    for (uint32_t head = 0; head + 16 <= t.actor.size(); head += 8) {
        const uint64_t node = t.actor.at<uint64_t>(head) - t.heirs[0].address;
        if (node == head || node % 8 != 0 || !t.heirs[0].has(node, 16))
            continue; // `node == head` is a list of all processes
        const uint64_t chain[] = {t.actor.address + head, t.heirs[0].address + node,
                                  t.heirs[1].address + node, t.heirs[2].address + node,
                                  t.actor.address + head};
        const bool linked =
            t.actor.at<uint64_t>(head + 8) == chain[3] && t.heirs[0].at<uint64_t>(node) == chain[2] &&
            t.heirs[0].at<uint64_t>(node + 8) == chain[0] && t.heirs[1].at<uint64_t>(node) == chain[3] &&
            t.heirs[1].at<uint64_t>(node + 8) == chain[1] && t.heirs[2].at<uint64_t>(node) == chain[4] &&
            t.heirs[2].at<uint64_t>(node + 8) == chain[2];
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
void find_start_time(Scene& s, const Tasks& t) {
    const std::vector<const Block*> blocks = {&t.actor,    &t.thread,   &t.other,
                                              &t.heirs[0], &t.heirs[1], &t.heirs[2]};
    const Puppet* const puppets[] = {&s.actor, &s.thread, &s.other, s.heirs[0], s.heirs[1], s.heirs[2]};
    std::vector<uint32_t> times = places_if(blocks, sizeof(uint64_t), [&](size_t offset) {
        for (size_t i = 0; i < blocks.size(); i++) {
            const auto value = blocks[i]->at<uint64_t>(offset);
            if (value < puppets[i]->born_after() || value > puppets[i]->born_before())
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

void discover_tasks(Scene& scene) {
    const Tasks tasks(scene);
    find_ids(scene, tasks);
    find_children(scene, tasks);
    find_start_time(scene, tasks);
    find_parent(scene, tasks);
}

} // namespace ebpf_loader::discovery
