// SPDX-License-Identifier: LGPL-2.1
// A process changes its working directory and its root, and what changes with them is
// where they stand.
#include "discovery_steps.hpp"

#include <fcntl.h>
#include <iterator>
#include <sys/syscall.h>

namespace ebpf_loader {
namespace {

constexpr size_t fs_struct_bytes = 256;

/// The directories that the actor moves to: one, another, and the first as a bind mount shows it.
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

/// Moves the actor and finds what follows. `move` is told where to go.
template <typename Move> class Follower {
  public:
    Follower(Scene& scene, Move move) : scene_(scene), move_(move) {
        std::array<std::vector<Pointee>, goals> looks;
        for (Goal goal : {plain, different, bound}) {
            move_(goal);
            looks[goal] = scene_.follow(scene_.task(scene_.actor), fs_struct_bytes);
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
                const uint64_t start = scene_.peek.read_pointer(scene_.actor.task() + c.pointer);
                return scene_.peek.read_pointer(start + c.offset) != c.words[goal];
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

    Scene& scene_;
    Move move_;
    std::vector<Candidate> candidates_;
};

/// A struct path in fs_struct, known by the places of its two pointers.
struct FoundPath {
    uint32_t pointer;
    uint32_t start;
    uint32_t mount, dentry; ///< from its start
};

template <typename Move> FoundPath find_path(Scene& s, const char* what, Move move) {
    Follower follower(s, move);
    follower.confirm();
    const auto dentries = follower.those([](const Candidate& c) { return c.is_dentry(); });
    const auto mounts = follower.those([](const Candidate& c) { return c.is_mount(); });
    if (dentries.size() != 1 || mounts.size() != 1 || dentries[0].pointer != mounts[0].pointer)
        throw Unobservable(std::string("of the places that follow the ") + what + ", " +
                           std::to_string(dentries.size()) + " look like its dentry and " +
                           std::to_string(mounts.size()) + " like its mount");
    const uint32_t start = std::min(dentries[0].offset, mounts[0].offset);
    const FoundPath path{.pointer = dentries[0].pointer,
                         .start = start,
                         .mount = mounts[0].offset - start,
                         .dentry = dentries[0].offset - start};
    if (path.mount + path.dentry != sizeof(uint64_t))
        throw Unobservable(std::string("dentry and mount of the ") + what + " do not stand side by side");
    return path;
}

} // namespace

void discover_folders(Scene& s) {
    s.build_workshop();
    const int flags = O_RDONLY | O_DIRECTORY;
    s.folder.fd = s.open(s.in_workshop(folder_name), flags);
    s.long_folder.fd = s.open(s.in_workshop(long_folder_name), flags);
    s.bound.fd = s.open(s.in_workshop(bound_name), flags);
    s.top.fd = s.open(s.workshop, flags);
    const int root = s.open("/", flags);
    const int folders[goals] = {s.folder.fd, s.long_folder.fd, s.bound.fd};
    const auto go_to = [&](int fd) { s.actor.must("fchdir", SYS_fchdir, as_argument(fd)); };
    const auto set_root = [&](int fd) {
        go_to(fd);
        s.actor.must("chroot", SYS_chroot, s.actor.text("."));
        go_to(s.top.fd);
    };
    const FoundPath pwd = find_path(s, "working directory", [&](Goal goal) { go_to(folders[goal]); });
    FoundPath root_path;
    try {
        root_path = find_path(s, "root directory", [&](Goal goal) { set_root(folders[goal]); });
    } catch (const Unobservable&) {
        set_root(root);
        throw;
    }
    set_root(root);
    if (pwd.pointer != root_path.pointer || pwd.mount != root_path.mount)
        throw Unobservable("working directory and root do not stand in one structure");
    s.found.set("task_struct.fs", pwd.pointer);
    s.found.set("fs_struct.pwd", pwd.start);
    s.found.set("fs_struct.root", root_path.start);
    s.found.set("path.mnt", pwd.mount);
    s.found.set("path.dentry", pwd.dentry);
}

} // namespace ebpf_loader
