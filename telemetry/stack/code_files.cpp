// SPDX-License-Identifier: MIT
#include "telemetry/stack/code_files.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

using ebpf_loader::UniqueFd;

namespace telemetry {
namespace {

constexpr size_t most_mount_bytes = 256 * 1024;
constexpr size_t most_memory = 64 * 1024; ///< [vdso] has two pages
constexpr uint64_t call_bytes = 256;      ///< for each of the system calls that open a file

std::string hexadecimal(uint64_t value) {
    char text[20];
    return {text, std::to_chars(text, text + sizeof(text), value, 16).ptr};
}

FileIdentity identity_of(const struct stat& status) {
    return {status.st_dev,         status.st_ino,          static_cast<uint64_t>(status.st_size),
            status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
            status.st_ctim.tv_nsec};
}

/// Of files that have no mount in any namespace: memfd_create(2), shared memory.
int memory_file() {
    static const UniqueFd file(memfd_create("ebpf_telemetry", MFD_CLOEXEC));
    return file.get();
}

/// As the kernel knows it, without a question to the file system. 0: it does not know.
uint64_t device_of(int file) {
    struct statx status {};
    const bool is_known = statx(file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &status) == 0;
    return is_known ? makedev(status.stx_dev_major, status.stx_dev_minor) : 0;
}

uint64_t memory_device() {
    struct stat status {};
    return fstat(memory_file(), &status) == 0 ? status.st_dev : 0;
}

} // namespace

std::optional<CodeFiles::File> CodeFiles::open(const CodeRange& range) {
    if (range.inode)
        return open_file(range);
    return range.name == "[vdso]" ? open_own_vdso(range) : std::nullopt;
}

/// O_PATH acts on no device and calls no file system. What it got is looked at, and only then opened for
/// reading: the same file, whatever was mapped there meanwhile. O_NONBLOCK, since its owner may hold a lease.
UniqueFd CodeFiles::open_link(const std::string& name, uint64_t device) {
    if (!may_open(device) || !budget_.read(call_bytes))
        return UniqueFd();
    const UniqueFd path(::openat(process_, name.c_str(), O_PATH | O_CLOEXEC));
    if (!path || !budget_.read(call_bytes) || !is_local_file(path.get()) || !budget_.read(call_bytes))
        return UniqueFd();
    const std::string again = own_ + "/fd/" + std::to_string(path.get());
    return UniqueFd(::open(again.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

std::optional<CodeFiles::File> CodeFiles::open_file(const CodeRange& range) {
    UniqueFd file =
        open_link("map_files/" + hexadecimal(range.begin) + '-' + hexadecimal(range.end), range.device);
    struct stat status {};
    if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return std::nullopt;
    return File{std::move(file), {}, identity_of(status)};
}

/// A file on a network may wait already for O_PATH: so its device comes first, as the map of the process has
/// it. That of a layer, if the kernel has the map say so of an overlay's files (before Linux 6.8).
bool CodeFiles::may_open(uint64_t device) {
    if (device == memory_device())
        return true;
    const MountTable::Mount* mount = host_.table(budget_).find_device(device);
    if (!mount)
        mount = process_mounts().find_device(device);
    return mount && is_local(*mount);
}

/// By its mount, which cannot change while the file is held; asking the file itself could wait. Then by what
/// the file system says.
bool CodeFiles::is_local_file(int path) {
    const auto id = mount_id(path);
    if (!id)
        return false;
    struct statfs system {};
    struct stat status {};
    if (id == mount_id(memory_file()))
        return fstat(path, &status) == 0 && S_ISREG(status.st_mode);
    const MountTable::Mount* mount = host_.table(budget_).find_id(*id);
    if (!mount)
        mount = process_mounts().find_id(*id);
    if (!mount) // of a process with another root there is only what is mounted below it
        mount = host_.table(budget_).find_device(device_of(path));
    return mount && is_local(*mount) && fstatfs(path, &system) == 0 &&
           is_local_file_system(mount->type, static_cast<uint64_t>(system.f_type)) &&
           fstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/// Anybody can mount an overlay, and over a file system in user space: only of one that is mounted on the
/// host too, with layers that are local there, it is known that it answers.
bool CodeFiles::is_local(const MountTable::Mount& mount) {
    if (mount.type != overlay_type)
        return is_local_file_system(mount.type);
    MountTable& host = host_.table(budget_);
    const MountTable::Mount* const there = host.find_device(mount.device);
    return there && there->type == overlay_type && host.has_local_layers(*there);
}

std::optional<uint64_t> CodeFiles::mount_id(int file) const {
    const UniqueFd info(
        ::open((own_ + "/fdinfo/" + std::to_string(file)).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    char text[512];
    const ssize_t size = info && budget_.read(call_bytes) ? ::read(info.get(), text, sizeof(text) - 1) : 0;
    if (size <= 0)
        return std::nullopt;
    text[size] = '\0';
    const char* const found = strstr(text, "\nmnt_id:");
    unsigned long long id = 0;
    return found && sscanf(found, " mnt_id: %llu", &id) == 1 ? std::optional<uint64_t>(id) : std::nullopt;
}

MountTable& CodeFiles::process_mounts() {
    if (!process_mounts_) {
        const UniqueFd file(::openat(process_, "mountinfo", O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        Lines lines = file ? read_lines(file.get(), most_mount_bytes, budget_) : Lines();
        process_mounts_.emplace(std::move(lines.text), lines.is_whole);
        budget_.parse(process_mounts_->size() * mount_cost);
    }
    return *process_mounts_;
}

/// All processes of 64 bits have the same. The process's own memory is not read: a page of a file whose file
/// system does not answer may have taken its place.
std::optional<CodeFiles::File> CodeFiles::open_own_vdso(const CodeRange& range) const {
    const uint64_t own = getauxval(AT_SYSINFO_EHDR);
    if (!own || range.end <= UINT32_MAX) // one of 32 bits
        return std::nullopt;
    const UniqueFd file(::open((own_ + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    std::string memory(std::min<uint64_t>(range.end - range.begin, most_memory), '\0');
    const ssize_t size = file && budget_.read(memory.size())
                             ? pread(file.get(), memory.data(), memory.size(), static_cast<off_t>(own))
                             : 0;
    memory.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
    return File{UniqueFd(), std::move(memory), std::nullopt};
}

} // namespace telemetry
