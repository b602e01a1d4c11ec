// SPDX-License-Identifier: MIT
#include "telemetry/event/components.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>

namespace telemetry {

namespace {

// statfs(2) magic numbers of the file systems whose files have no path. Not all
// of them stand in linux/magic.h of every distribution.
constexpr uint32_t sockfs_magic = 0x534F434B;
constexpr uint32_t pipefs_magic = 0x50495045;
constexpr uint32_t anon_inode_magic = 0x09041934;
constexpr uint32_t nsfs_magic = 0x6e736673;
constexpr uint32_t pidfs_magic = 0x50494446;

bool append_numbered(Arena& arena, std::string_view name, uint64_t ino) noexcept {
    char digits[20];
    auto end = std::to_chars(digits, digits + sizeof(digits), ino).ptr;
    arena.append(name);
    arena.append(":[");
    arena.append({digits, static_cast<size_t>(end - digits)});
    arena.append("]");
    return false;
}

/// "uts", "mnt" ...; "ns" from a kernel whose structures do not say.
std::string_view namespace_kind(std::string_view components) noexcept {
    static constexpr std::string_view kinds[] = {"mnt", "uts", "ipc", "net", "pid", "user", "cgroup", "time"};
    const auto* kind = std::ranges::find(kinds, components.substr(0, components.find('\0')));
    return kind == std::end(kinds) ? "ns" : *kind;
}

/// The file system's own root is a dentry named "/"; it shows when a path leads out of
/// its mount, and is no component.
std::string_view without_root(std::string_view components) noexcept {
    constexpr std::string_view root("/\0", 2);
    if (components == root)
        return {};
    if (components.size() > root.size() &&
        components.substr(components.size() - 3) == std::string_view("\0/\0", 3))
        components.remove_suffix(root.size());
    return components;
}

bool is_single(std::string_view components) noexcept {
    return components.find('\0') + 1 == components.size();
}

} // namespace

void append_path(Arena& arena, std::string_view components) noexcept {
    if (components.empty())
        return arena.append("/");
    const char* begin = components.data();
    const char* end = begin + components.size();
    if (end[-1] == '\0') // the last one may have been cut
        --end;
    // From the last component, the outermost, to the first; a NUL stands between two.
    while (true) {
        auto before = static_cast<const char*>(memrchr(begin, '\0', static_cast<size_t>(end - begin)));
        const char* name = before ? before + 1 : begin;
        arena.append('/');
        arena.append({name, static_cast<size_t>(end - name)});
        if (!before)
            return;
        end = before;
    }
}

bool append_detached(Arena& arena, std::string_view components, const InodeInfo& inode,
                     bool is_directory) noexcept {
    switch (inode.magic) {
    case sockfs_magic:
        return append_numbered(arena, "socket", inode.ino);
    case pipefs_magic:
        return append_numbered(arena, "pipe", inode.ino);
    case nsfs_magic:
        return append_numbered(arena, namespace_kind(components), inode.ino);
    case pidfs_magic:
        arena.append("anon_inode:[pidfd]");
        return false;
    case anon_inode_magic:
        arena.append("anon_inode:");
        arena.append(components.substr(0, components.find('\0')));
        return false;
    }
    components = without_root(components);
    // A file that has no directory (a memfd) is one name. Anything else did have a directory.
    const bool had_directory = is_directory || !is_single(components);
    if (had_directory)
        arena.append("(unreachable)");
    append_path(arena, components);
    return !had_directory && !components.empty();
}

std::string_view whole_components(std::string_view components) noexcept {
    size_t last = components.rfind('\0');
    return last == std::string_view::npos ? std::string_view{} : components.substr(0, last + 1);
}

} // namespace telemetry
