// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/steps.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t dentry_bytes = 384;

struct Named {
    std::string name;
    Opened at;
    Block dentry;
};

bool reads(const KernelMemory& memory, uint64_t address, const std::string& name) {
    const Block text = memory.read(address, name.size() + 1);
    return is_heap_pointer(address & ~uint64_t{7}) && text.size() == name.size() + 1 &&
           memcmp(text.bytes.data(), name.c_str(), name.size() + 1) == 0;
}

Named make_folder(Setup& s, const std::string& name) {
    s.worker.must("making a directory", SYS_mkdirat, as_argument(AT_FDCWD), s.worker.text(s.in_scratch(name)),
                  0755);
    const Opened at = s.opened(s.open(s.in_scratch(name), O_RDONLY | O_DIRECTORY));
    return {
        .name = name.substr(name.rfind('/') + 1), .at = at, .dentry = s.memory.read(at.dentry, dentry_bytes)};
}

/// A name's hash stands before its length: it follows every change of the name, and comes
/// back with it.
bool is_hash(Setup& s, const Named& named, uint32_t offset, const std::string& folder) {
    const auto hash = [&] { return s.memory.read(named.at.dentry, dentry_bytes).at<uint32_t>(offset); };
    const auto rename = [&](const std::string& from, const std::string& to) {
        s.worker.must("renaming", SYS_renameat, as_argument(AT_FDCWD), s.worker.text(folder + from),
                      as_argument(AT_FDCWD), s.worker.text(folder + to));
    };
    std::set<uint32_t> hashes = {hash()};
    const std::string other_names[] = {"x", "y", "another name"};
    std::string name = named.name;
    for (const std::string& next : other_names) {
        rename(name, next);
        hashes.insert(hash());
        name = next;
    }
    rename(name, named.name);
    return hashes.size() == 1 + std::size(other_names) && hash() == named.dentry.at<uint32_t>(offset);
}

/// A name that is removed while the directory is open leaves the table of names, and nothing
/// else of its dentry changes to 0.
std::vector<uint32_t> places_in_table(Setup& s, const std::vector<const Block*>& named) {
    Named removed[] = {make_folder(s, "removed"), make_folder(s, "removed as well")};
    for (const Named& one : removed)
        s.worker.must("removing a directory", SYS_unlinkat, as_argument(AT_FDCWD),
                      s.worker.text(s.in_scratch(one.name)), AT_REMOVEDIR);
    return places_if(named, sizeof(uint64_t), [&](size_t offset) {
        return std::all_of(
                   named.begin(), named.end(),
                   [&](const Block* dentry) { return is_kernel_pointer(dentry->at<uint64_t>(offset)); }) &&
               std::all_of(std::begin(removed), std::end(removed), [&](const Named& one) {
                   return is_kernel_pointer(one.dentry.at<uint64_t>(offset)) &&
                          !s.memory.read_pointer(one.at.dentry + offset);
               });
    });
}

} // namespace

void discover_names(Setup& s) {
    const std::string folder(folder_name);
    const Named named[] = {
        {folder, s.folder, s.memory.read(s.folder.dentry, dentry_bytes)},
        {std::string(long_folder_name), s.long_folder, s.memory.read(s.long_folder.dentry, dentry_bytes)},
        make_folder(s, "three"),
        make_folder(s, folder + "/inner-folder"),
        make_folder(s, folder + "/inner-folder/innermost"),
    };
    const Block top = s.memory.read(s.top.dentry, dentry_bytes);
    s.found.settle("dentry.d_parent", places<uint64_t>({{&named[0].dentry, s.top.dentry},
                                                        {&named[1].dentry, s.top.dentry},
                                                        {&named[2].dentry, s.top.dentry},
                                                        {&named[3].dentry, s.folder.dentry},
                                                        {&named[4].dentry, named[3].at.dentry},
                                                        {&top, s.top.dentry}}));
    std::vector<const Block*> blocks;
    std::vector<Observation> lengths;
    for (const Named& one : named) {
        blocks.push_back(&one.dentry);
        lengths.push_back({&one.dentry, one.name.size()});
    }
    s.found.settle("dentry.d_hash_pprev", places_in_table(s, blocks));
    const auto names = places_if(blocks, 8, [&](size_t offset) {
        return std::all_of(std::begin(named), std::end(named), [&](const Named& one) {
            return reads(s.memory, one.dentry.at<uint64_t>(offset), one.name);
        });
    });
    // struct qstr begins with the hash; length and pointer follow.
    std::vector<uint32_t> starts;
    for (uint32_t length : places<uint32_t>(lengths)) {
        const uint32_t start = length - sizeof(uint32_t), name = length + sizeof(uint32_t);
        if (start % 8 == 0 && std::find(names.begin(), names.end(), name) != names.end() &&
            is_hash(s, named[3], start, s.in_scratch(folder) + "/"))
            starts.push_back(start);
    }
    s.found.settle("dentry.d_name", starts);
    if (starts.empty())
        throw Unobservable("there is no offset at which hash, length and text of a name follow each other");
    s.found.settle("qstr.len", {sizeof(uint32_t)});
    s.found.settle("qstr.name", {2 * sizeof(uint32_t)});
}

} // namespace ebpf_loader::discovery
