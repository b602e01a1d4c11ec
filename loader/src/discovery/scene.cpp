// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/scene.hpp"

#include "loader/src/base/kernel_image.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t largest_task = 16 << 10;

std::string numbers(const std::vector<uint32_t>& values) {
    std::string text;
    for (uint32_t value : values)
        text += " " + std::to_string(value);
    return text;
}

} // namespace

void FoundOffsets::settle(std::string_view name, std::vector<uint32_t> places) {
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    const auto known = fitting_.find(name);
    if (known == fitting_.end()) {
        if (!places.empty())
            fitting_.emplace(name, std::move(places));
        else
            refuse(name, "no place fits what was seen");
        return;
    }
    if (places.empty())
        return;
    auto both = in_both(known->second, places);
    if (both.empty())
        refuse(name, "observations contradict each other: first" + numbers(known->second) + ", then" +
                         numbers(places));
    known->second = std::move(both);
}

void FoundOffsets::step_failed(const std::string& why) {
    if (first_failure_.empty())
        first_failure_ = why;
}

bool FoundOffsets::knows(std::string_view name) const {
    const auto fitting = fitting_.find(name);
    return fitting != fitting_.end() && fitting->second.size() == 1;
}

uint32_t FoundOffsets::operator[](std::string_view name) const {
    if (!knows(name))
        throw Unobservable(std::string(name) + " is not known");
    return fitting_.find(name)->second.front();
}

std::vector<std::string> FoundOffsets::refusals() const {
    std::vector<std::string> sentences;
    for (const OffsetRow& row : offset_rows()) {
        const std::string name = std::string(row.structure) + "." + std::string(row.member);
        if (knows(name) || absent_.contains(name))
            continue;
        const auto fitting = fitting_.find(name);
        const auto reason = refused_.find(name);
        std::string why = first_failure_.empty() ? "nothing looks for it" : first_failure_;
        if (fitting != fitting_.end() && !fitting->second.empty())
            why = "several places fit:" + numbers(fitting->second);
        else if (reason != refused_.end())
            why = reason->second;
        sentences.push_back(name + ": " + why);
    }
    return sentences;
}

Discovery FoundOffsets::finish() const {
    Discovery discovery{.offsets = {}, .refused = refusals()};
    for (const auto& [name, places] : fitting_)
        if (places.size() == 1)
            discovery.offsets.set(Offsets::find(name).value(), places.front());
    discovery.offsets.release = running_release();
    discovery.offsets.source = "discovery on the running kernel";
    return discovery;
}

const Block* find(const std::vector<Pointee>& pointees, uint32_t offset) {
    const auto at = std::lower_bound(pointees.begin(), pointees.end(), offset,
                                     [](const Pointee& p, uint32_t wanted) { return p.offset < wanted; });
    return at != pointees.end() && at->offset == offset ? &at->block : nullptr;
}

Scene::Scene(std::string tracefs_path, const Peek& peek_program, FoundOffsets& findings)
    : tracefs(std::move(tracefs_path)), peek(peek_program), found(findings), stage(peek),
      actor(stage.spawn()), thread(actor.spawn(Puppet::Kind::thread)), other(stage.spawn()) {
    for (Puppet*& heir : heirs)
        heir = &actor.spawn();
}

Block Scene::task_at(uint64_t address) const {
    std::vector<uint64_t> tasks = {peek.self().task, address};
    for (const auto& puppet : stage.puppets())
        tasks.push_back(puppet->task());
    std::sort(tasks.begin(), tasks.end());
    size_t length = largest_task;
    for (size_t i = 1; i < tasks.size(); i++)
        if (tasks[i] != tasks[i - 1])
            length = std::min<size_t>(length, tasks[i] - tasks[i - 1]);
    return peek.read(address, length);
}

std::vector<Pointee> Scene::follow(const Block& block, size_t length) const {
    std::vector<Pointee> pointees;
    std::map<uint64_t, Block> seen;
    for (uint32_t offset = 0; offset + sizeof(uint64_t) <= block.size(); offset += sizeof(uint64_t)) {
        const auto pointer = block.at<uint64_t>(offset);
        if (!is_heap_pointer(pointer) || pointer - block.address < block.size())
            continue;
        auto known = seen.find(pointer);
        if (known == seen.end())
            known = seen.emplace(pointer, peek.read(pointer, length)).first;
        if (known->second.size() != 0)
            pointees.push_back({offset, known->second});
    }
    return pointees;
}

Block Scene::through(const Puppet& puppet, std::string_view field, size_t length) const {
    return peek.read(peek.read_pointer(puppet.task() + found[field]), length);
}

void Scene::build_workshop() {
    actor.must("a mount namespace of our own (unshare)", SYS_unshare, CLONE_NEWNS);
    actor.must("making its mounts private", SYS_mount, actor.text("none"), actor.text("/"), 0,
               MS_REC | MS_PRIVATE, 0);
    for (const char* place : {"/tmp", "/run", "/mnt", "/dev", "/proc"}) {
        if (actor.call(SYS_mount, actor.text("none"), actor.text(place), actor.text("tmpfs"),
                       MS_NOSUID | MS_NODEV, actor.text("mode=0755")))
            continue;
        workshop = place;
        for (std::string_view name : {folder_name, long_folder_name, bound_name})
            actor.must("making a directory", SYS_mkdirat, as_argument(AT_FDCWD),
                       actor.text(in_workshop(name)), 0755);
        actor.must("a bind mount", SYS_mount, actor.text(in_workshop(folder_name)),
                   actor.text(in_workshop(bound_name)), 0, MS_BIND, 0);
        return;
    }
    throw Unobservable("a file system in memory cannot be mounted");
}

int Scene::open(const std::string& path, int flags) {
    return static_cast<int>(actor.must("opening a file", SYS_openat, as_argument(AT_FDCWD), actor.text(path),
                                       as_argument(flags | O_CLOEXEC), 0600));
}

uint64_t Scene::file(const Puppet& puppet, int fd) const {
    const Block files = through(puppet, "task_struct.files", found["files_struct.fdt"] + sizeof(uint64_t));
    const uint64_t table =
        peek.read_pointer(files.at<uint64_t>(found["files_struct.fdt"]) + found["fdtable.fd"]);
    return peek.read_pointer(table + as_argument(fd) * sizeof(uint64_t));
}

Opened Scene::opened(int fd) const {
    const uint64_t path = file(actor, fd) + found["file.f_path"];
    return {.fd = fd,
            .mount = peek.read_pointer(path + found["path.mnt"]),
            .dentry = peek.read_pointer(path + found["path.dentry"])};
}

} // namespace ebpf_loader::discovery
