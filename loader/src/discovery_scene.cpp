// SPDX-License-Identifier: LGPL-2.1
#include "discovery_scene.hpp"

#include "kernel_image.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

namespace ebpf_loader {
namespace {

constexpr size_t largest_task = 16 << 10;

size_t row_of(std::string_view name) {
    const auto row = Offsets::find(name);
    if (!row)
        throw std::logic_error("no row " + std::string(name));
    return *row;
}

} // namespace

void Findings::settle(std::string_view name, const std::vector<uint32_t>& places) {
    if (places.size() == 1) {
        offsets_.set(row_of(name), places.front());
        return;
    }
    std::string why = places.empty() ? "no place fits what was seen" : "several places fit:";
    for (uint32_t place : places)
        why += " " + std::to_string(place);
    refuse(name, why);
}

void Findings::step_failed(const std::string& why) {
    if (first_failure_.empty())
        first_failure_ = why;
}

uint32_t Findings::operator[](std::string_view name) const {
    const auto offset = offsets_.get(row_of(name));
    if (!offset)
        throw Unobservable(std::string(name) + " is not known");
    return *offset;
}

bool Findings::knows(std::string_view name) const {
    return offsets_.get(row_of(name)).has_value();
}

Discovery Findings::finish() const {
    Discovery discovery{.offsets = offsets_, .refused = {}};
    for (size_t row = 0; row < offset_rows().size(); row++) {
        const OffsetRow& names = offset_rows()[row];
        const std::string name = std::string(names.structure) + "." + std::string(names.member);
        if (offsets_.get(row) || absent_.contains(name))
            continue;
        const auto reason = refused_.find(name);
        const std::string why = reason != refused_.end() ? reason->second
                                : first_failure_.empty() ? "nothing looks for it"
                                                         : first_failure_;
        discovery.refused.push_back(name + ": " + why);
    }
    discovery.offsets.release = running_release();
    discovery.offsets.source = "discovery on the running kernel";
    return discovery;
}

const Block* find(const std::vector<Pointee>& pointees, uint32_t offset) {
    const auto at = std::lower_bound(pointees.begin(), pointees.end(), offset,
                                     [](const Pointee& p, uint32_t wanted) { return p.offset < wanted; });
    return at != pointees.end() && at->offset == offset ? &at->block : nullptr;
}

Scene::Scene(std::string tracefs_path, const Peek& peek_program)
    : tracefs(std::move(tracefs_path)), peek(peek_program), stage(peek), actor(stage.spawn()),
      thread(actor.spawn(Puppet::Kind::thread)), other(stage.spawn()) {
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
            actor.must("making a directory", SYS_mkdir, actor.text(in_workshop(name)), 0755);
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

} // namespace ebpf_loader
