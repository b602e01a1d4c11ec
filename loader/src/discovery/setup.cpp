// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/setup.hpp"

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
            refuse(name, "no offset fits what was observed");
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
        if (!row.observable || knows(name) || absent_.contains(name))
            continue;
        const auto fitting = fitting_.find(name);
        const auto reason = refused_.find(name);
        std::string why = first_failure_.empty() ? "no step discovers it" : first_failure_;
        if (fitting != fitting_.end() && !fitting->second.empty())
            why = "several offsets fit:" + numbers(fitting->second);
        else if (reason != refused_.end())
            why = reason->second;
        sentences.push_back(name);
        sentences.back().append(": ").append(why);
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

Setup::Setup(std::string tracefs_path, const KernelMemory& kernel_memory, FoundOffsets& findings)
    : tracefs(std::move(tracefs_path)), memory(kernel_memory), found(findings), helpers(memory),
      worker(helpers.spawn()), thread(worker.spawn(HelperProcess::Kind::thread)), other(helpers.spawn()) {
    for (HelperProcess*& child : children)
        child = &worker.spawn();
}

Block Setup::task_at(uint64_t address) const {
    std::vector<uint64_t> tasks = {memory.self().task, address};
    for (const auto& helper : helpers.all())
        tasks.push_back(helper->task());
    std::sort(tasks.begin(), tasks.end());
    size_t length = largest_task;
    for (size_t i = 1; i < tasks.size(); i++)
        if (tasks[i] != tasks[i - 1])
            length = std::min<size_t>(length, tasks[i] - tasks[i - 1]);
    return memory.read(address, length);
}

std::vector<Pointee> Setup::follow(const Block& block, size_t length) const {
    std::vector<Pointee> pointees;
    std::map<uint64_t, Block> seen;
    for (uint32_t offset = 0; offset + sizeof(uint64_t) <= block.size(); offset += sizeof(uint64_t)) {
        const auto pointer = block.at<uint64_t>(offset);
        if (!is_heap_pointer(pointer) || pointer - block.address < block.size())
            continue;
        auto known = seen.find(pointer);
        if (known == seen.end())
            known = seen.emplace(pointer, memory.read(pointer, length)).first;
        if (known->second.size() != 0)
            pointees.push_back({offset, known->second});
    }
    return pointees;
}

Block Setup::through(const HelperProcess& helper, std::string_view field, size_t length) const {
    return memory.read(memory.read_pointer(helper.task() + found[field]), length);
}

void Setup::make_scratch_directory() {
    worker.must("creating a mount namespace (unshare)", SYS_unshare, CLONE_NEWNS);
    worker.must("making its mounts private", SYS_mount, worker.text("none"), worker.text("/"), 0,
                MS_REC | MS_PRIVATE, 0);
    for (const char* place : {"/tmp", "/run", "/mnt", "/dev", "/proc"}) {
        if (worker.call(SYS_mount, worker.text("none"), worker.text(place), worker.text("tmpfs"),
                        MS_NOSUID | MS_NODEV, worker.text("mode=0755")))
            continue;
        scratch = place;
        for (std::string_view name : {folder_name, long_folder_name, bound_name})
            worker.must("making a directory", SYS_mkdirat, as_argument(AT_FDCWD),
                        worker.text(in_scratch(name)), 0755);
        worker.must("a bind mount", SYS_mount, worker.text(in_scratch(folder_name)),
                    worker.text(in_scratch(bound_name)), 0, MS_BIND, 0);
        return;
    }
    throw Unobservable("a file system in memory cannot be mounted");
}

int Setup::open(const std::string& path, int flags) {
    return static_cast<int>(worker.must("opening a file", SYS_openat, as_argument(AT_FDCWD),
                                        worker.text(path), as_argument(flags | O_CLOEXEC), 0600));
}

uint64_t Setup::file(const HelperProcess& helper, int fd) const {
    const Block files = through(helper, "task_struct.files", found["files_struct.fdt"] + sizeof(uint64_t));
    const uint64_t table =
        memory.read_pointer(files.at<uint64_t>(found["files_struct.fdt"]) + found["fdtable.fd"]);
    return memory.read_pointer(table + as_argument(fd) * sizeof(uint64_t));
}

Opened Setup::opened(int fd) const {
    const uint64_t path = file(worker, fd) + found["file.f_path"];
    return {.fd = fd,
            .mount = memory.read_pointer(path + found["path.mnt"]),
            .dentry = memory.read_pointer(path + found["path.dentry"])};
}

} // namespace ebpf_loader::discovery
