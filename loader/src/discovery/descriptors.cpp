// SPDX-License-Identifier: LGPL-2.1
// A table of descriptors has to move when it grows: what points to it then changes, and in
// it stand the same and different files at numbers that we choose.
#include "loader/src/discovery/steps.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t files_struct_bytes = 1024;
constexpr size_t fdtable_bytes = 64;

/// Size of a process's table of descriptors, as /proc has it.
uint32_t table_size(HelperProcess& helper) {
    return static_cast<uint32_t>(number_in_status(helper.read_file("/proc/self/status"), "FDSize"));
}

void allow_descriptors(HelperProcess& worker, uint64_t number) {
    auto* limit = static_cast<rlimit*>(worker.room(sizeof(rlimit)));
    const auto pointer = as_argument(limit);
    worker.must("reading the limit of descriptors", SYS_getrlimit, RLIMIT_NOFILE, pointer);
    if (limit->rlim_cur >= number)
        return;
    limit->rlim_cur = number;
    limit->rlim_max = std::max<rlim_t>(limit->rlim_max, number);
    worker.must("raising the limit of descriptors", SYS_setrlimit, RLIMIT_NOFILE, pointer);
}

/// task_struct.files, files_struct.fdt, fdtable.fd.
struct DescriptorWay {
    uint32_t files, fdt, fd;
    bool operator==(const DescriptorWay&) const = default;
};

/// Makes a table grow. Returns the first new number: there, at the next three and at the
/// fourth stand one file, another, the first again and none.
uint32_t grow(Setup& s, HelperProcess& helper) {
    const uint32_t base = table_size(helper);
    allow_descriptors(helper, base + 4);
    for (uint32_t i = 0; i < 3; i++)
        helper.must("dup2", SYS_dup3, as_argument(i == 1 ? s.long_folder.fd : s.folder.fd), base + i, 0);
    if (table_size(helper) <= base + 3)
        throw Unobservable("the descriptor table did not grow");
    return base;
}

bool are_files(const Block& slots) {
    const auto first = slots.at<uint64_t>(0), second = slots.at<uint64_t>(8);
    return slots.size() == 4 * sizeof(uint64_t) && is_heap_pointer(first) && is_heap_pointer(second) &&
           first != second && slots.at<uint64_t>(16) == first && slots.at<uint64_t>(24) == 0;
}

/// The ways on which the files are met after a growth, which moved the table.
std::vector<DescriptorWay> find_descriptor_ways(Setup& s, HelperProcess& helper) {
    const auto before = s.follow(s.task(helper), files_struct_bytes);
    const uint32_t base = grow(s, helper);
    std::vector<DescriptorWay> found;
    for (const Pointee& now : s.follow(s.task(helper), files_struct_bytes)) {
        const Block* then = find(before, now.offset);
        if (!then || then->address != now.block.address)
            continue;
        for (uint32_t at = 0; at + 8 <= now.block.size(); at += 8) {
            const auto table = now.block.at<uint64_t>(at);
            if (!is_heap_pointer(table) || table == then->at<uint64_t>(at))
                continue;
            const Block fdtable = s.memory.read(table, fdtable_bytes);
            for (uint32_t fd = 0; fd + 8 <= fdtable.size(); fd += 8) {
                const auto array = fdtable.at<uint64_t>(fd);
                if (is_heap_pointer(array) && are_files(s.memory.read(array + base * 8, 4 * 8)))
                    found.push_back({now.offset, at, fd});
            }
        }
    }
    return found;
}

/// fdtable.max_fds, in the large table and in small ones.
void find_size(Setup& s) {
    std::vector<Block> tables;
    std::vector<uint32_t> sizes;
    for (HelperProcess* helper : {&s.worker, &s.other, s.children[0]}) {
        const Block files = s.through(*helper, "task_struct.files", files_struct_bytes);
        tables.push_back(s.memory.read(files.at<uint64_t>(s.found["files_struct.fdt"]), fdtable_bytes));
        sizes.push_back(table_size(*helper));
    }
    std::vector<Observation> observations;
    for (size_t i = 0; i < tables.size(); i++)
        observations.push_back({&tables[i], sizes[i]});
    s.found.settle("fdtable.max_fds", places<uint32_t>(observations));
}

/// file.f_path, by what the working directory showed of the same directories.
void find_path(Setup& s) {
    std::vector<Block> files;
    std::vector<Opened> folders;
    for (Opened* folder : {&s.folder, &s.long_folder, &s.bound, &s.top}) {
        s.worker.must("fchdir", SYS_fchdir, as_argument(folder->fd));
        const Block fs = s.through(s.worker, "task_struct.fs", 256);
        folder->mount = fs.at<uint64_t>(s.found["fs_struct.pwd"] + s.found["path.mnt"]);
        folder->dentry = fs.at<uint64_t>(s.found["fs_struct.pwd"] + s.found["path.dentry"]);
        folders.push_back(*folder);
        files.push_back(s.memory.read(s.file(s.worker, folder->fd), file_bytes));
    }
    const std::vector<const Block*> blocks = {&files[0], &files[1], &files[2], &files[3]};
    s.found.settle("file.f_path", places_if(blocks, 8, [&](size_t offset) {
                       for (size_t i = 0; i < files.size(); i++)
                           if (files[i].at<uint64_t>(offset + s.found["path.mnt"]) != folders[i].mount ||
                               files[i].at<uint64_t>(offset + s.found["path.dentry"]) != folders[i].dentry)
                               return false;
                       return true;
                   }));
}

/// file.f_flags, as fcntl(2) has them of files opened in different ways.
void find_file_flags(Setup& s) {
    std::vector<Block> files;
    std::vector<uint64_t> flags;
    for (const int way : {O_RDWR | O_APPEND, O_WRONLY | O_NONBLOCK, O_RDONLY | O_NOATIME, O_RDWR | O_SYNC}) {
        const int fd = s.open(s.in_scratch("opened"), way | O_CREAT);
        flags.push_back(static_cast<uint64_t>(
            s.worker.must("reading a file's flags", SYS_fcntl, as_argument(fd), F_GETFL)));
        files.push_back(s.memory.read(s.file(s.worker, fd), file_bytes));
    }
    std::vector<Observation> observations;
    for (size_t i = 0; i < files.size(); i++)
        observations.push_back({&files[i], flags[i]});
    s.found.settle("file.f_flags", places<uint32_t>(observations));
}

/// file.f_mode: how the file may be used, and from Linux 4.19 on whether opening it made it.
void find_mode(Setup& s) {
    constexpr uint32_t read = 1, write = 2, created = 0x100000; // FMODE_*
    struct Opening {
        const char* name;
        int flags;
        uint32_t mode;
    };
    for (const char* name : {"made", "made too"}) // by an attempt before
        s.worker.call(SYS_unlinkat, as_argument(AT_FDCWD), s.worker.text(s.in_scratch(name)), 0);
    std::vector<Block> files;
    std::vector<uint32_t> modes;
    for (const Opening& opening :
         {Opening{"made", O_WRONLY | O_CREAT, write | created}, Opening{"made", O_WRONLY | O_CREAT, write},
          Opening{"made too", O_RDWR | O_CREAT | O_EXCL, read | write | created},
          Opening{"made too", O_RDONLY, read}}) {
        files.push_back(
            s.memory.read(s.file(s.worker, s.open(s.in_scratch(opening.name), opening.flags)), file_bytes));
        modes.push_back(opening.mode);
    }
    std::vector<const Block*> blocks;
    for (const Block& file : files)
        blocks.push_back(&file);
    const auto found = places_if(blocks, sizeof(uint32_t), [&](size_t offset) {
        for (size_t i = 0; i < files.size(); i++)
            if ((files[i].at<uint32_t>(offset) & (read | write | created)) != modes[i])
                return false;
        return true;
    });
    if (found.empty())
        s.found.absent("file.f_mode"); // an older kernel
    else
        s.found.settle("file.f_mode", found);
}

} // namespace

void discover_descriptors(Setup& s) {
    if (!s.late_child)
        throw Unobservable("there is no directory to open");
    const auto ways = in_both(find_descriptor_ways(s, s.worker), find_descriptor_ways(s, *s.late_child));
    s.found.settle("task_struct.files", column(ways, &DescriptorWay::files));
    s.found.settle("files_struct.fdt", column(ways, &DescriptorWay::fdt));
    s.found.settle("fdtable.fd", column(ways, &DescriptorWay::fd));
    find_size(s);
    find_path(s);
    find_file_flags(s);
    find_mode(s);
}

} // namespace ebpf_loader::discovery
