// SPDX-License-Identifier: LGPL-2.1
// A process changes its working directory and its root, and what changes with them is
// where they stand.
#include "loader/src/discovery/steps.hpp"

#include <fcntl.h>
#include <iterator>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t fs_struct_bytes = 256;

/// The directories that a helper moves to: one, another, and the first as a bind mount shows it.
enum Goal { plain, different, bound, goals };

/// A word that follows the moves, and what it was where.
struct Candidate {
    uint32_t pointer; ///< in task_struct
    uint32_t offset;  ///< in what it leads to
    std::array<uint64_t, goals> words;

    bool are_pointers() const { return std::all_of(words.begin(), words.end(), is_heap_pointer); }
    bool is_dentry() const { return words[plain] == words[bound] && words[plain] != words[different]; }
    bool is_mount() const { return words[plain] == words[different] && words[plain] != words[bound]; }
};

/// Moves a helper and finds what follows. `move` gets the directory to go to.
template <typename Move> class Follower {
  public:
    Follower(Setup& setup, const HelperProcess& helper, Move move)
        : setup_(setup), helper_(helper), move_(move) {
        std::array<std::vector<Pointee>, goals> looks;
        for (Goal goal : {plain, different, bound}) {
            move_(goal);
            looks[goal] = setup_.follow(setup_.task(helper_), fs_struct_bytes);
        }
        for (const Pointee& first : looks[plain])
            compare(first, find(looks[different], first.offset), find(looks[bound], first.offset));
    }

    /// Many things in a kernel change at any time, but not along an irregular way like this.
    void confirm() {
        constexpr Goal way[] = {plain, bound, different, bound,     plain,     different, different, bound,
                                bound, plain, different, different, plain,     plain,     different, bound,
                                plain, bound, bound,     different, different, plain,     bound,     plain};
        for (Goal goal : way) {
            move_(goal);
            std::erase_if(candidates_, [&](const Candidate& c) {
                const uint64_t start = setup_.memory.read_pointer(helper_.task() + c.pointer);
                return setup_.memory.read_pointer(start + c.offset) != c.words[goal];
            });
        }
    }

    template <typename Wanted> std::vector<Candidate> those(Wanted wanted) const {
        std::vector<Candidate> found;
        std::copy_if(candidates_.begin(), candidates_.end(), std::back_inserter(found), wanted);
        return found;
    }

  private:
    void compare(const Pointee& at_plain, const Block* at_different, const Block* at_bound) {
        if (!at_different || !at_bound)
            return;
        for (uint32_t at = 0; at + 8 <= at_plain.block.size(); at += 8) {
            const Candidate candidate{at_plain.offset,
                                      at,
                                      {at_plain.block.at<uint64_t>(at), at_different->at<uint64_t>(at),
                                       at_bound->at<uint64_t>(at)}};
            if (candidate.are_pointers() && (candidate.is_dentry() || candidate.is_mount()))
                candidates_.push_back(candidate);
        }
    }

    Setup& setup_;
    const HelperProcess& helper_;
    Move move_;
    std::vector<Candidate> candidates_;
};

/// A struct path in fs_struct, known by the places of its two pointers.
struct FoundPath {
    uint32_t fs;            ///< task_struct.fs
    uint32_t start;         ///< in fs_struct
    uint32_t mount, dentry; ///< from its start
    bool operator==(const FoundPath&) const = default;
};

template <typename Move> std::vector<FoundPath> find_paths(Setup& s, const HelperProcess& helper, Move move) {
    Follower follower(s, helper, move);
    follower.confirm();
    std::vector<FoundPath> found;
    for (const Candidate& dentry : follower.those([](const Candidate& c) { return c.is_dentry(); }))
        for (const Candidate& mount : follower.those([](const Candidate& c) { return c.is_mount(); })) {
            const uint32_t start = std::min(dentry.offset, mount.offset);
            const FoundPath path{.fs = dentry.pointer,
                                 .start = start,
                                 .mount = mount.offset - start,
                                 .dentry = dentry.offset - start};
            if (dentry.pointer == mount.pointer && path.mount + path.dentry == sizeof(uint64_t))
                found.push_back(path);
        }
    return found;
}

struct Paths {
    std::vector<FoundPath> pwd, root;
};

Paths find_paths(Setup& s, HelperProcess& helper, int true_root) {
    const int folders[goals] = {s.folder.fd, s.long_folder.fd, s.bound.fd};
    const auto go_to = [&](int fd) { helper.must("fchdir", SYS_fchdir, as_argument(fd)); };
    const auto set_root = [&](int fd) {
        go_to(fd);
        helper.must("chroot", SYS_chroot, helper.text("."));
        go_to(s.top.fd);
    };
    Paths paths;
    paths.pwd = find_paths(s, helper, [&](Goal goal) { go_to(folders[goal]); });
    paths.root = find_paths(s, helper, [&](Goal goal) { set_root(folders[goal]); });
    set_root(true_root);
    return paths;
}

} // namespace

void discover_folders(Setup& s) {
    s.make_scratch_directory();
    const int flags = O_RDONLY | O_DIRECTORY;
    s.folder.fd = s.open(s.in_scratch(folder_name), flags);
    s.long_folder.fd = s.open(s.in_scratch(long_folder_name), flags);
    s.bound.fd = s.open(s.in_scratch(bound_name), flags);
    s.top.fd = s.open(s.scratch, flags);
    const int root = s.open("/", flags);
    s.late_child = &s.worker.spawn();
    const Paths first = find_paths(s, s.worker, root), second = find_paths(s, *s.late_child, root);
    const auto pwd = in_both(first.pwd, second.pwd), roots = in_both(first.root, second.root);
    s.found.settle("task_struct.fs", column(pwd, &FoundPath::fs));
    s.found.settle("task_struct.fs", column(roots, &FoundPath::fs));
    s.found.settle("fs_struct.pwd", column(pwd, &FoundPath::start));
    s.found.settle("fs_struct.root", column(roots, &FoundPath::start));
    s.found.settle("path.mnt", column(pwd, &FoundPath::mount));
    s.found.settle("path.mnt", column(roots, &FoundPath::mount));
    s.found.settle("path.dentry", column(pwd, &FoundPath::dentry));
    s.found.settle("path.dentry", column(roots, &FoundPath::dentry));
}

} // namespace ebpf_loader::discovery
