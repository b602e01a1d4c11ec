// SPDX-License-Identifier: MIT
#include "telemetry/stack/mounts.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <numeric>
#include <poll.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace telemetry {
namespace {

constexpr size_t most_host_bytes = 4u << 20;

struct FileSystem {
    std::string_view type;
    uint32_t magic;
};
// From <linux/magic.h> and from the file systems' own sources.
constexpr std::array<FileSystem, 27> local_file_systems = {{
    {"ext2", 0xef53},      {"ext3", 0xef53},         {"ext4", 0xef53},           {"xfs", 0x58465342},
    {"btrfs", 0x9123683e}, {"f2fs", 0xf2f52010},     {"zfs", 0x2fc12fc1},        {"bcachefs", 0xca451a4e},
    {"jfs", 0x3153464a},   {"reiserfs", 0x52654973}, {"nilfs2", 0x3434},         {"tmpfs", 0x01021994},
    {"ramfs", 0x858458f6}, {"rootfs", 0x01021994},   {"rootfs", 0x858458f6},     {"squashfs", 0x73717368},
    {"erofs", 0xe0f5e1e2}, {"iso9660", 0x9660},      {"udf", 0x15013346},        {"vfat", 0x4d44},
    {"exfat", 0x2011bab0}, {"ntfs3", 0x7366746e},    {"cramfs", 0x28cd3d45},     {"romfs", 0x7275},
    {"jffs2", 0x72b6},     {"ubifs", 0x24051905},    {overlay_type, 0x794c7630},
}};

/// "\040" is a space.
std::string unescaped(std::string_view text) {
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        const char* const digits = text.data() + i + 1;
        if (text[i] == '\\' && text.size() - i > 3 &&
            std::from_chars(digits, digits + 3, value, 8).ptr == digits + 3) {
            plain += static_cast<char>(value);
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

std::string_view take_word(std::string_view& text, char behind) {
    const std::string_view word = text.substr(0, text.find(behind));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    return word;
}

bool number(std::string_view text, uint64_t& value) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && stop == text.data() + text.size();
}

/// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw"
bool parse(std::string_view line, MountTable::Mount& mount) {
    const size_t mark = line.find(" - ");
    if (mark == line.npos)
        return false;
    std::string_view behind = line.substr(mark + 3);
    uint64_t major = 0, minor = 0;
    if (!number(take_word(line, ' '), mount.id))
        return false;
    take_word(line, ' ');
    if (!number(take_word(line, ':'), major) || !number(take_word(line, ' '), minor))
        return false;
    mount.device = makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor));
    take_word(line, ' ');
    mount.point = take_word(line, ' ');
    mount.type = take_word(behind, ' ');
    take_word(behind, ' ');
    mount.options = behind;
    return true;
}

/// Names of folders with a colon between them, and a backslash before a colon in a name.
std::vector<std::string> layers_of(const std::string& value) {
    std::vector<std::string> layers(1);
    for (size_t i = 0; i < value.size(); ++i) {
        if (value[i] == ':')
            layers.emplace_back();
        else
            layers.back() += value[i] == '\\' && i + 1 < value.size() ? value[++i] : value[i];
    }
    std::erase(layers, std::string());
    return layers;
}

} // namespace

bool is_local_file_system(std::string_view type) {
    return std::ranges::find(local_file_systems, type, &FileSystem::type) != local_file_systems.end();
}

bool is_local_file_system(std::string_view type, uint64_t magic) {
    return std::ranges::any_of(local_file_systems, [&](const FileSystem& system) {
        return system.type == type && system.magic == static_cast<uint32_t>(magic);
    });
}

MountTable::MountTable(std::string mountinfo, bool is_whole) {
    assign(std::move(mountinfo), is_whole);
}

void MountTable::assign(std::string mountinfo, bool is_whole) {
    text_ = std::move(mountinfo);
    is_whole_ = is_whole;
    mounts_.clear();
    layers_.clear();
    for (std::string_view left = text_; !left.empty();) {
        Mount mount;
        if (parse(take_word(left, '\n'), mount))
            mounts_.push_back(mount);
    }
    by_id_.resize(mounts_.size());
    std::iota(by_id_.begin(), by_id_.end(), 0u);
    by_device_ = by_id_;
    std::ranges::sort(by_id_, {}, [this](uint32_t i) { return mounts_[i].id; });
    std::ranges::sort(by_device_, {}, [this](uint32_t i) { return mounts_[i].device; });
}

const MountTable::Mount* MountTable::find_id(uint64_t id) const {
    const auto of = [this](uint32_t i) { return mounts_[i].id; };
    const auto found = std::ranges::lower_bound(by_id_, id, {}, of);
    return found != by_id_.end() && of(*found) == id ? &mounts_[*found] : nullptr;
}

const MountTable::Mount* MountTable::find_device(uint64_t device) const {
    const auto of = [this](uint32_t i) { return mounts_[i].device; };
    const auto found = std::ranges::lower_bound(by_device_, device, {}, of);
    return found != by_device_.end() && of(*found) == device ? &mounts_[*found] : nullptr;
}

/// The mount that a path leads into, by its text: to look at the path itself could wait already.
const MountTable::Mount* MountTable::find_below(std::string_view path) const {
    const Mount* best = nullptr;
    size_t longest = 0;
    for (const Mount& mount : mounts_) {
        std::string_view point = mount.point == "/" ? std::string_view() : mount.point;
        std::string plain;
        if (point.find('\\') != point.npos)
            point = plain = unescaped(point);
        const bool is_below =
            path.starts_with(point) && (path.size() == point.size() || path[point.size()] == '/');
        if (is_below && point.size() >= longest) { // of two at one place the later covers the other
            best = &mount;
            longest = point.size();
        }
    }
    return best;
}

bool MountTable::has_local_layers(const Mount& overlay) {
    const auto [known, is_new] = layers_.try_emplace(overlay.device);
    if (is_new)
        known->second = is_whole_ && judge_layers(overlay); // a mount that is not seen may cover a layer
    return known->second;
}

bool MountTable::judge_layers(const Mount& overlay) const {
    constexpr size_t most_layers = 512;
    size_t lower = 0;
    for (std::string_view left = overlay.options; !left.empty();) {
        std::string_view value = take_word(left, ',');
        const std::string_view key = take_word(value, '=');
        const bool is_lower = key == "lowerdir" || key == "lowerdir+" || key == "datadir+";
        if (!is_lower && key != "upperdir")
            continue;
        for (const std::string& layer : layers_of(unescaped(value))) {
            const Mount* const mount = layer.starts_with('/') ? find_below(layer) : nullptr;
            if (!mount || mount->type == overlay_type || !is_local_file_system(mount->type) ||
                lower + is_lower > most_layers)
                return false;
            lower += is_lower;
        }
    }
    return lower > 0;
}

HostMounts::HostMounts(const std::string& proc_root)
    : file_(::open((proc_root + "/1/mountinfo").c_str(), O_RDONLY | O_CLOEXEC)) {}

/// The kernel says when there is another mount than at the last look.
MountTable& HostMounts::table(WorkBudget& budget) {
    pollfd changed{file_.get(), POLLPRI, 0};
    if (file_ && (poll(&changed, 1, 0) > 0 || !is_read_)) {
        lseek(file_.get(), 0, SEEK_SET);
        Lines lines = read_lines(file_.get(), most_host_bytes, budget);
        table_.assign(std::move(lines.text), lines.is_whole);
        is_read_ = budget.parse(table_.size() * mount_cost); // otherwise again, with the next budget
    }
    return table_;
}

Lines read_lines(int file, size_t most, WorkBudget& budget) {
    constexpr size_t step = 16 * 1024;
    Lines lines;
    std::string& text = lines.text;
    for (;;) {
        const size_t before = text.size();
        if (before >= most || !budget.read(step)) {
            text.resize(text.rfind('\n') + 1);
            lines.is_whole = false;
            return lines;
        }
        text.resize(before + step);
        const ssize_t part = ::read(file, text.data() + before, step);
        text.resize(before + static_cast<size_t>(std::max<ssize_t>(part, 0)));
        if (part == 0 || (part < 0 && errno != EINTR))
            return lines;
    }
}

} // namespace telemetry
