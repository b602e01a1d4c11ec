// SPDX-License-Identifier: LGPL-2.1
// A table of descriptors has to move when it grows: what points to it then changes, and in
// it stand the same and different files at numbers that we choose.
#include "discovery_steps.hpp"

#include <charconv>
#include <optional>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace ebpf_loader {
namespace {

constexpr size_t files_struct_bytes = 1024;
constexpr size_t fdtable_bytes = 64;
constexpr size_t file_bytes = 768;

/// Size of the actor's table of descriptors, as the kernel tells it.
uint32_t table_size(Puppet& actor) {
    const std::string status = actor.read_file("/proc/self/status");
    constexpr std::string_view key = "FDSize:\t";
    const size_t at = status.find(key);
    uint32_t size = 0;
    if (at == std::string::npos ||
        std::from_chars(status.data() + at + key.size(), status.data() + status.size(), size).ec !=
            std::errc{})
        throw Unobservable("/proc/self/status does not tell the size of the table of descriptors");
    return size;
}

void allow_descriptors(Puppet& actor, uint64_t number) {
    auto* limit = static_cast<rlimit*>(actor.room(sizeof(rlimit)));
    const auto pointer = as_argument(limit);
    actor.must("reading the limit of descriptors", SYS_getrlimit, RLIMIT_NOFILE, pointer);
    if (limit->rlim_cur >= number)
        return;
    limit->rlim_cur = number;
    limit->rlim_max = std::max<rlim_t>(limit->rlim_max, number);
    actor.must("raising the limit of descriptors", SYS_setrlimit, RLIMIT_NOFILE, pointer);
}

/// The table after it was made to grow.
struct Growth {
    uint32_t base; ///< first, second, first and nothing stand here and at the next three
    uint32_t size;
    std::vector<Pointee> pointees; ///< of the actor's task_struct
};

Growth grow(Scene& s) {
    Growth growth{.base = table_size(s.actor), .size = 0, .pointees = {}};
    allow_descriptors(s.actor, growth.base + 4);
    for (uint32_t i = 0; i < 3; i++)
        s.actor.must("dup2", SYS_dup2, static_cast<uint64_t>(i == 1 ? s.long_folder.fd : s.folder.fd),
                     growth.base + i);
    growth.size = table_size(s.actor);
    if (growth.size <= growth.base + 3)
        throw Unobservable("the table of descriptors did not grow");
    growth.pointees = s.follow(s.task(s.actor), files_struct_bytes);
    return growth;
}

/// task_struct.files, files_struct.fdt, fdtable.fd.
struct Way {
    uint32_t files, fdt, fd;
    bool operator==(const Way&) const = default;
};

/// The two files at a table's chosen numbers, if they are there.
std::optional<std::array<uint64_t, 2>> files_at(const Peek& peek, uint64_t array, uint32_t base) {
    const Block slots = peek.read(array + base * sizeof(uint64_t), 4 * sizeof(uint64_t));
    const auto first = slots.at<uint64_t>(0), second = slots.at<uint64_t>(8);
    if (slots.size() != 32 || !is_heap_pointer(first) || !is_heap_pointer(second) || first == second ||
        slots.at<uint64_t>(16) != first || slots.at<uint64_t>(24) != 0)
        return std::nullopt;
    return std::array{first, second};
}

/// Ways on which the files are met after a growth that moved the table.
std::vector<Way> ways(const Peek& peek, const std::vector<Pointee>& before, const Growth& after,
                      std::array<uint64_t, 2>& files) {
    std::vector<Way> found;
    for (const Pointee& now : after.pointees) {
        const Block* then = find(before, now.offset);
        if (!then || then->address != now.block.address)
            continue;
        for (uint32_t at = 0; at + 8 <= now.block.size(); at += 8) {
            const auto table = now.block.at<uint64_t>(at);
            if (!is_heap_pointer(table) || table == then->at<uint64_t>(at))
                continue;
            const Block fdtable = peek.read(table, fdtable_bytes);
            for (uint32_t fd = 0; fd + 8 <= fdtable.size(); fd += 8)
                if (is_heap_pointer(fdtable.at<uint64_t>(fd)))
                    if (const auto two = files_at(peek, fdtable.at<uint64_t>(fd), after.base)) {
                        found.push_back({now.offset, at, fd});
                        files = *two;
                    }
        }
    }
    return found;
}

Block table_of(const Peek& peek, const Growth& growth, const Way& way) {
    const Block* files = find(growth.pointees, way.files);
    return peek.read(files ? files->at<uint64_t>(way.fdt) : 0, fdtable_bytes);
}

/// file.f_path, by what the working directory told of the same directories.
void find_path(Scene& s, const std::array<uint64_t, 2>& files) {
    const auto go_to = [&](Opened& folder) {
        s.actor.must("fchdir", SYS_fchdir, as_argument(folder.fd));
        const Block fs = s.through(s.actor, "task_struct.fs", 256);
        folder.mount = fs.at<uint64_t>(s.found["fs_struct.pwd"] + s.found["path.mnt"]);
        folder.dentry = fs.at<uint64_t>(s.found["fs_struct.pwd"] + s.found["path.dentry"]);
    };
    for (Opened* folder : {&s.folder, &s.long_folder, &s.bound, &s.top})
        go_to(*folder);
    const Opened* const folders[] = {&s.folder, &s.long_folder, &s.bound};
    const Block blocks[] = {s.peek.read(files[0], file_bytes), s.peek.read(files[1], file_bytes),
                            s.peek.read(s.file(s.actor, s.bound.fd), file_bytes)};
    s.found.settle("file.f_path", places_if({&blocks[0], &blocks[1], &blocks[2]}, 8, [&](size_t offset) {
                       for (size_t i = 0; i < std::size(folders); i++)
                           if (blocks[i].at<uint64_t>(offset + s.found["path.mnt"]) != folders[i]->mount ||
                               blocks[i].at<uint64_t>(offset + s.found["path.dentry"]) != folders[i]->dentry)
                               return false;
                       return true;
                   }));
}

} // namespace

void discover_descriptors(Scene& s) {
    const uint32_t first_size = table_size(s.actor);
    const auto before = s.follow(s.task(s.actor), files_struct_bytes);
    const Growth once = grow(s);
    const Growth twice = grow(s);
    std::array<uint64_t, 2> files{}, files_again{};
    const auto first = ways(s.peek, before, once, files);
    const auto second = ways(s.peek, once.pointees, twice, files_again);
    if (first.size() != 1 || first != second || files != files_again)
        throw Unobservable(std::to_string(first.size()) + " ways lead to the table of descriptors");
    const Way& way = first.front();
    s.found.set("task_struct.files", way.files);
    s.found.set("files_struct.fdt", way.fdt);
    s.found.set("fdtable.fd", way.fd);

    const Block* files_struct = find(before, way.files);
    const Block tables[] = {s.peek.read(files_struct->at<uint64_t>(way.fdt), fdtable_bytes),
                            table_of(s.peek, once, way), table_of(s.peek, twice, way)};
    s.found.settle("fdtable.max_fds", places<uint32_t>({{&tables[1], once.size}, {&tables[2], twice.size}}));
    // The first table is part of files_struct: it serves as a third one while it is small.
    if (s.found.knows("fdtable.max_fds") && tables[0].at<uint32_t>(s.found["fdtable.max_fds"]) != first_size)
        s.found.refuse("fdtable.max_fds", "the first table does not tell its size there");
    find_path(s, files);
}

} // namespace ebpf_loader
