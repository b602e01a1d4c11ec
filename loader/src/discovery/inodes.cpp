// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/device.hpp"
#include "loader/src/discovery/steps.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t inode_bytes = 512;
constexpr size_t super_block_bytes = 1024;

/// An open file of the worker's, as stat(2) and the kernel's memory have it.
struct Known {
    Block file, inode;
    struct stat status;
    uint64_t magic;
};

Known look_at(Setup& s, int fd) {
    auto* status = static_cast<struct stat*>(s.worker.room(sizeof(struct stat)));
    s.worker.must("fstat", SYS_fstat, as_argument(fd), as_argument(status));
    auto* system = static_cast<struct statfs*>(s.worker.room(sizeof(struct statfs)));
    s.worker.must("fstatfs", SYS_fstatfs, as_argument(fd), as_argument(system));
    Known known{.file = s.memory.read(s.file(s.worker, fd), file_bytes),
                .inode = {},
                .status = *status,
                .magic = static_cast<uint64_t>(system->f_type)};
    if (s.found.knows("file.f_inode"))
        known.inode = s.memory.read(known.file.at<uint64_t>(s.found["file.f_inode"]), inode_bytes);
    return known;
}

struct Owned {
    int fd;
    uint32_t uid, gid;
    uint32_t mode;
};

Owned make_file(Setup& s, const char* name, uint32_t uid, uint32_t gid, uint32_t mode) {
    const Owned file{s.open(s.in_scratch(name), O_RDWR | O_CREAT), uid, gid, mode};
    s.worker.must("changing the owner of a file", SYS_fchown, static_cast<uint64_t>(file.fd), uid, gid);
    s.worker.must("setting a file's mode", SYS_fchmod, static_cast<uint64_t>(file.fd), mode);
    return file;
}

/// The pointer in an open file to where its owner and group stand.
void find_inode(Setup& s, const std::array<Owned, 2>& owned) {
    const Known a = look_at(s, owned[0].fd), b = look_at(s, owned[1].fd);
    const auto pointers = places_if({&a.file, &b.file}, 8, [&](size_t offset) {
        const auto first = a.file.at<uint64_t>(offset), second = b.file.at<uint64_t>(offset);
        if (!is_heap_pointer(first) || !is_heap_pointer(second) || first == second)
            return false;
        const Block inodes[] = {s.memory.read(first, inode_bytes), s.memory.read(second, inode_bytes)};
        return !places<uint32_t>({{&inodes[0], owned[0].uid}, {&inodes[1], owned[1].uid}}).empty() &&
               !places<uint32_t>({{&inodes[0], owned[0].gid}, {&inodes[1], owned[1].gid}}).empty();
    });
    s.found.settle("file.f_inode", pointers);
}

template <typename Value, typename Get>
std::vector<uint32_t> places_of(const std::vector<Known>& files, Get get) {
    std::vector<Observation> observations;
    for (const Known& known : files)
        observations.push_back({&known.inode, get(known.status)});
    return places<Value>(observations);
}

/// inode.i_sb and super_block.s_magic, as all files have them.
void find_super_block(Setup& s, const std::vector<Known>& files) {
    std::vector<uint32_t> pointers;
    std::vector<uint32_t> magics;
    std::vector<const Block*> inodes;
    for (const Known& known : files)
        inodes.push_back(&known.inode);
    for (uint32_t pointer : places_if(inodes, 8, [&](size_t offset) {
             return std::all_of(inodes.begin(), inodes.end(), [&](const Block* inode) {
                 return is_heap_pointer(inode->at<uint64_t>(offset));
             });
         })) {
        std::vector<Block> systems;
        for (const Block* inode : inodes)
            systems.push_back(s.memory.read(inode->at<uint64_t>(pointer), super_block_bytes));
        std::vector<Observation> observations;
        for (size_t i = 0; i < systems.size(); i++)
            observations.push_back({&systems[i], files[i].magic});
        for (uint32_t magic : places<uint64_t>(observations)) {
            pointers.push_back(pointer);
            magics.push_back(magic);
        }
    }
    s.found.settle("inode.i_sb", pointers);
    s.found.settle("super_block.s_magic", magics);
}

/// super_block.s_dev, of file systems whose files have its own device: the kernel's for pipes and for what
/// has no path, and the scratch directory's, which is in memory.
void find_device(Setup& s, const std::vector<Known>& files) {
    if (!s.found.knows("inode.i_sb"))
        return;
    std::vector<Block> systems;
    for (const Known& known : files)
        systems.push_back(s.memory.read(known.inode.at<uint64_t>(s.found["inode.i_sb"]), super_block_bytes));
    std::vector<Observation> observations;
    for (size_t i = 0; i < systems.size(); i++)
        observations.push_back({&systems[i], kernel_device(files[i].status.st_dev)});
    s.found.settle("super_block.s_dev", places<uint32_t>(observations));
}

// --- namespaces: the kernel prints their kind, and so has the text of it somewhere

constexpr size_t largest_inode = 768;
constexpr size_t namespace_bytes = 64; ///< struct ns_common

/// The file of a namespace: its inode, and the text that stands for its kind.
struct Namespace {
    Block inode;
    std::string kind;
};

std::vector<Namespace> open_namespaces(Setup& s) {
    std::vector<Namespace> known;
    for (const char* kind : {"mnt", "uts", "ipc", "net", "user"}) {
        const int64_t fd =
            s.other.call(SYS_openat, as_argument(AT_FDCWD),
                         s.other.text("/proc/self/ns/" + std::string(kind)), O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        const uint64_t file = s.file(s.other, static_cast<int>(fd));
        const uint64_t inode = s.memory.read_pointer(file + s.found["file.f_inode"]);
        known.push_back({s.memory.read(inode, largest_inode), kind});
    }
    return known;
}

/// Does the pointer there lead to the text?
bool reads(const Setup& s, uint64_t address, const std::string& text) {
    const uint64_t start = is_kernel_pointer(address) ? s.memory.read_pointer(address) : 0;
    if (!is_kernel_pointer(start & ~uint64_t{7}))
        return false;
    const Block block = s.memory.read(start, text.size() + 1);
    return block.size() == text.size() + 1 && memcmp(block.bytes.data(), text.c_str(), text.size() + 1) == 0;
}

/// inode.i_private and ns_common.ops; the name is the first of the operations.
struct NamespaceWay {
    uint32_t space, ops;
};

std::vector<NamespaceWay> find_namespace_ways(const Setup& s, const std::vector<Namespace>& known) {
    std::vector<NamespaceWay> found;
    std::vector<const Block*> inodes;
    for (const Namespace& one : known)
        inodes.push_back(&one.inode);
    for (uint32_t space : places_if(inodes, sizeof(uint64_t), [&](size_t offset) {
             return std::all_of(inodes.begin(), inodes.end(), [&](const Block* inode) {
                 return is_kernel_pointer(inode->at<uint64_t>(offset));
             });
         }))
        for (uint32_t ops = 0; ops < namespace_bytes; ops += sizeof(uint64_t))
            if (std::all_of(known.begin(), known.end(), [&](const Namespace& one) {
                    return reads(s, s.memory.read_pointer(one.inode.at<uint64_t>(space) + ops), one.kind);
                }))
                found.push_back({space, ops});
    return found;
}

} // namespace

void discover_inodes(Setup& s) {
    const std::array owned = {make_file(s, "file", 70011, 70012, 0604),
                              make_file(s, "second file", 70021, 70022, 0751)};
    find_inode(s, owned);
    auto* pipes = static_cast<int*>(s.worker.room(2 * sizeof(int)));
    s.worker.must("a pipe", SYS_pipe2, as_argument(pipes), O_CLOEXEC);
    const int pipe = pipes[0];
    const int event = static_cast<int>(s.worker.must("an eventfd", SYS_eventfd2, 0, O_CLOEXEC));
    std::vector<Known> files;
    for (int fd : {owned[0].fd, owned[1].fd, s.folder.fd, s.long_folder.fd, s.top.fd, pipe, event})
        files.push_back(look_at(s, fd));
    // The same file again, with another owner and mode.
    s.worker.must("changing the owner of a file", SYS_fchown, as_argument(owned[0].fd), 70031, 70032);
    s.worker.must("setting a file's mode", SYS_fchmod, as_argument(owned[0].fd), 0710);
    files.push_back(look_at(s, owned[0].fd));

    s.found.settle("inode.i_uid",
                   places_of<uint32_t>(files, [](const auto& status) { return status.st_uid; }));
    s.found.settle("inode.i_gid",
                   places_of<uint32_t>(files, [](const auto& status) { return status.st_gid; }));
    s.found.settle("inode.i_mode",
                   places_of<uint16_t>(files, [](const auto& status) { return status.st_mode; }));
    s.found.settle("inode.i_ino",
                   places_of<uint64_t>(files, [](const auto& status) { return status.st_ino; }));
    find_super_block(s, files);
    find_device(s, files);
}

void discover_namespaces(Setup& s) {
    const std::vector<Namespace> known = open_namespaces(s);
    const char* const names[] = {"inode.i_private", "ns_common.ops", "proc_ns_operations.name"};
    if (known.size() < 2) { // the kernel has no such files, or too few to be sure
        for (const char* name : names)
            s.found.absent(name);
        return;
    }
    const auto ways = find_namespace_ways(s, known);
    s.found.settle("inode.i_private", column(ways, &NamespaceWay::space));
    s.found.settle("ns_common.ops", column(ways, &NamespaceWay::ops));
    if (ways.empty())
        throw Unobservable("no structure leads from a namespace's file to the name of its kind");
    s.found.settle("proc_ns_operations.name", {0});
}

} // namespace ebpf_loader::discovery
