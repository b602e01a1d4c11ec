// SPDX-License-Identifier: MIT
#include "telemetry/stack/code_files.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace telemetry {
namespace {

using ebpf_loader::UniqueFd;

constexpr size_t most_mount_bytes = 4u << 20;
constexpr size_t most_memory = 64 * 1024; ///< [vdso] has two pages

/// File systems with a process, or a network, behind them. Anybody can have one in user space.
constexpr std::array<std::string_view, 8> silent = {"nfs",  "nfs4", "cifs",   "smb3",
                                                    "ceph", "afs",  "autofs", "coda"};

std::string hexadecimal(uint64_t value) {
    char text[20];
    return {text, std::to_chars(text, text + sizeof(text), value, 16).ptr};
}

/// Opens the file without waiting, whatever it is; regular files alone.
UniqueFd open_regular(const std::string& path, struct stat& status) {
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return UniqueFd();
    return file;
}

FileIdentity identity_of(const struct stat& status) {
    return {status.st_dev,         status.st_ino,          static_cast<uint64_t>(status.st_size),
            status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
            status.st_ctim.tv_nsec};
}

/// Files that have no mount: memfd_create(2), shared memory.
uint64_t memory_device() {
    const UniqueFd file(memfd_create("ebpf_telemetry", MFD_CLOEXEC));
    struct stat status {};
    return file && fstat(file.get(), &status) == 0 ? status.st_dev : 0;
}

} // namespace

CodeFiles::CodeFiles(const Procfs& procfs, uint32_t pid) : procfs_(procfs), pid_(std::to_string(pid)) {}

std::optional<CodeFiles::File> CodeFiles::open(const CodeRange& range) {
    if (range.inode)
        return open_file(range);
    return range.name == "[vdso]" ? open_memory(range) : std::nullopt;
}

/// First through the mapping itself: the right file, whatever its name leads to by now.
std::optional<CodeFiles::File> CodeFiles::open_file(const CodeRange& range) {
    if (!answers(range.device))
        return std::nullopt;
    struct stat status {};
    const std::string process = procfs_.root() + '/' + pid_;
    UniqueFd file = open_regular(
        process + "/map_files/" + hexadecimal(range.begin) + '-' + hexadecimal(range.end), status);
    for (const std::string& root : {process + "/root", std::string()}) {
        if (file)
            break;
        file = open_regular(root + range.name, status);
        if (file && (status.st_dev != range.device || status.st_ino != range.inode))
            file = UniqueFd();
    }
    if (!file)
        return std::nullopt;
    auto elf = ElfFile::open(ByteSource(std::move(file)));
    return elf ? std::optional<File>({std::move(*elf), identity_of(status)}) : std::nullopt;
}

std::optional<CodeFiles::File> CodeFiles::open_memory(const CodeRange& range) const {
    const UniqueFd file(::open((procfs_.root() + '/' + pid_ + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    std::string memory(std::min<uint64_t>(range.end - range.begin, most_memory), '\0');
    if (!file || pread(file.get(), memory.data(), memory.size(), static_cast<off_t>(range.begin)) !=
                     static_cast<ssize_t>(memory.size()))
        return std::nullopt;
    auto elf = ElfFile::open(ByteSource(std::move(memory)));
    return elf ? std::optional<File>({std::move(*elf), std::nullopt}) : std::nullopt;
}

/// Is the device one whose files may be opened? Of a device that is mounted nowhere that is not known.
bool CodeFiles::answers(uint64_t device) {
    if (!has_read_mounts_) {
        has_read_mounts_ = true;
        answers_[memory_device()] = true;
        read_mounts(pid_);
        read_mounts("self");
    }
    const auto found = answers_.find(device);
    return found != answers_.end() && found->second;
}

/// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw"
void CodeFiles::read_mounts(const std::string& process) {
    const std::string text = procfs_.file(process, "mountinfo", most_mount_bytes).value_or(std::string());
    for (std::string_view left = text; !left.empty();) {
        const std::string_view line = left.substr(0, left.find('\n'));
        left.remove_prefix(std::min(line.size() + 1, left.size()));
        unsigned major = 0, minor = 0;
        const size_t mark = line.find(" - ");
        if (mark == line.npos || sscanf(std::string(line).c_str(), "%*u %*u %u:%u", &major, &minor) != 2)
            continue;
        const std::string_view behind = line.substr(mark + 3);
        const std::string_view type = behind.substr(0, behind.find(' '));
        const bool is_silent = type.starts_with("fuse") || std::ranges::find(silent, type) != silent.end();
        const auto [entry, is_new] = answers_.try_emplace(makedev(major, minor), !is_silent);
        if (!is_new)
            entry->second = entry->second && !is_silent;
    }
}

} // namespace telemetry
