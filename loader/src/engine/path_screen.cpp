// SPDX-License-Identifier: LGPL-2.1
#include <algorithm>
#include <array>
#include <ebpf_loader/path_screen.hpp>

namespace ebpf_loader {
namespace {

constexpr size_t needle_bytes = EBT_SCREEN_GROUP + 1; ///< a group at each of two neighbouring places

/// What ordinary paths are made of.
constexpr std::string_view ordinary =
    "/usr/lib/lib64/lib32/x86_64-linux-gnu/aarch64-linux-gnu/share/local/bin/sbin/include/libexec/etc"
    "/var/cache/log/run/tmp/home/root/opt/srv/proc/self/task/stat/status/maps/cmdline/sys/devices"
    "/system/cpu/kernel/class/net/dev/null/urandom/pts/fs/cgroup/user.slice/session/systemd/service"
    "/python3/dist-packages/site-packages/__pycache__/node_modules/package.json/gcc/clang/perl5/ruby"
    "/java/docker/containers/overlay2/merged/modules/locale/en_US.UTF-8/LC_MESSAGES/gconv/zoneinfo"
    "/fonts/icons/mime/terminfo/ld.so.cache/libc.so.6/libm.so/index/config/data/db/src/build/test"
    "/main/target/debug/release/objects/info/refs/heads";

constexpr uint64_t group_of(std::string_view bytes) {
    uint64_t group = 0;
    for (size_t i = 0; i < EBT_SCREEN_GROUP; i++)
        group |= uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    return group;
}

/// Those of ordinary paths, in order: a start asks how often they have each of thousands.
constexpr auto ordinary_groups = [] {
    std::array<uint64_t, ordinary.size() - EBT_SCREEN_GROUP + 1> groups{};
    for (size_t i = 0; i < groups.size(); i++)
        groups[i] = group_of(ordinary.substr(i));
    std::sort(groups.begin(), groups.end());
    return groups;
}();

/// How often ordinary paths have it.
size_t times(std::string_view bytes) {
    const uint64_t group = group_of(bytes);
    const auto first = std::lower_bound(ordinary_groups.begin(), ordinary_groups.end(), group);
    const auto behind = std::find_if(first, ordinary_groups.end(), [&](uint64_t it) { return it != group; });
    return static_cast<size_t>(behind - first);
}

} // namespace

std::string_view PathScreen::needle_of(std::span<const std::string_view> texts) {
    std::string_view best;
    size_t least = SIZE_MAX;
    for (const std::string_view text : texts)
        for (size_t at = 0; at + needle_bytes <= text.size(); at++) {
            const std::string_view needle = text.substr(at, needle_bytes);
            if (needle.find('/', 1) != needle.npos)
                continue;
            const size_t count = times(needle) + times(needle.substr(1));
            if (count >= least)
                continue;
            least = count;
            best = needle;
        }
    return best;
}

void PathScreen::add(std::string_view needle, unsigned screen) {
    const auto bit = static_cast<uint16_t>(1u << screen);
    const uint64_t group = group_of(needle);
    const uint64_t next = group_of(needle.substr(1));
    add_group(group, bit);
    add_group(next, bit);
    if (needle.front() == '/') // it begins a component, which NUL may stand before
        add_group(group & ~uint64_t{0xff}, bit);
    if (needle.back() == '/') // it ends one, and so may NUL
        add_group(next & 0xffff, bit);
}

void PathScreen::add(const PathScreen& other) {
    cells_.resize(std::max(cells_.size(), other.cells_.size()));
    for (size_t i = 0; i < other.cells_.size(); i++)
        cells_[i] |= other.cells_[i];
}

void PathScreen::add_group(uint64_t group, uint16_t screens) {
    cells_.resize(EBT_SCREEN_CELLS);
    cells_[EBT_SCREEN_FIRST(group)] |= screens;
    cells_[EBT_SCREEN_SECOND(group)] |= screens;
}

} // namespace ebpf_loader
