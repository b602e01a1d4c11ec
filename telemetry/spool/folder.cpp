// SPDX-License-Identifier: MIT
#include "telemetry/spool/folder.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <ebpf_loader/error.hpp>

namespace telemetry {

namespace {

using ebpf_loader::UniqueFd;

constexpr int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
constexpr std::string_view suffix = ".seg";
constexpr size_t digits = 16; // of a number, hexadecimal
constexpr const char* acknowledged_file = "acknowledged";
constexpr const char* rejected_file = "rejected";
constexpr off_t rejected_bytes = 1 << 20; // then it becomes rejected.old

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, "spool " + path + ": " + why);
}

std::string text_of(uint64_t number) {
    char text[digits];
    const auto [end, error] = std::to_chars(text, text + digits, number, 16);
    const std::string short_form(text, end);
    return std::string(digits - short_form.size(), '0') + short_form;
}

std::optional<uint64_t> number_of(std::string_view text) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (text.size() != digits || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

uint64_t sum_of(uint64_t number) {
    const std::string text = text_of(number);
    return crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
}

std::string name_of(uint64_t segment) {
    return text_of(segment) + std::string(suffix);
}

void make_folders(const std::string& path) {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        if (mkdir(path.substr(0, slash).c_str(), 0700) != 0 && errno != EEXIST)
            refuse(path, std::string("cannot be made: ") + std::strerror(errno));
        if (slash == std::string::npos)
            break;
    }
}

UniqueFd open_folder(const std::string& path) {
    UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!folder)
        refuse(path, std::string("cannot be opened: ") + std::strerror(errno));
    return folder;
}

} // namespace

SpoolFolder SpoolFolder::claim(const std::string& path) {
    make_folders(path);
    SpoolFolder spool(open_folder(path));
    struct stat status {};
    if (fstat(spool.folder_.get(), &status) != 0 || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        refuse(path,
               "others may enter this folder, or it belongs to somebody else. What is in it is for its owner "
               "alone: chmod 700 " +
                   path);
    spool.lock_ = UniqueFd(openat(spool.folder_.get(), "lock", O_RDWR | O_CREAT | flags, 0600));
    if (!spool.lock_ || flock(spool.lock_.get(), LOCK_EX | LOCK_NB) != 0)
        refuse(path, errno == EWOULDBLOCK ? "another output or program uses this folder: give each its own"
                                          : std::strerror(errno));
    return spool;
}

SpoolFolder SpoolFolder::look_into(const std::string& path) {
    return SpoolFolder(open_folder(path));
}

std::vector<uint64_t> SpoolFolder::segments() const {
    std::vector<uint64_t> numbers;
    const int own = openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(own < 0 ? nullptr : fdopendir(own), closedir);
    if (!entries)
        return numbers;
    while (const dirent* entry = readdir(entries.get())) {
        const std::string_view name(entry->d_name);
        if (!name.ends_with(suffix))
            continue;
        if (const auto number = number_of(name.substr(0, name.size() - suffix.size())))
            numbers.push_back(*number);
    }
    std::ranges::sort(numbers);
    return numbers;
}

UniqueFd SpoolFolder::open(uint64_t segment) const {
    UniqueFd fd(openat(folder_.get(), name_of(segment).c_str(), O_RDONLY | flags));
    struct stat status {};
    if (fd && (fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))) {
        fd = UniqueFd();
        errno = EINVAL;
    }
    return fd;
}

std::optional<std::string> SpoolFolder::read(uint64_t segment) const {
    std::string bytes;
    const UniqueFd fd = open(segment);
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) != 0)
        return std::nullopt;
    bytes.resize(std::min<size_t>(static_cast<size_t>(status.st_size), longest_segment));
    size_t have = 0;
    while (have < bytes.size()) {
        const ssize_t count = ::read(fd.get(), bytes.data() + have, bytes.size() - have);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return std::nullopt;
        if (count == 0)
            break;
        have += static_cast<size_t>(count);
    }
    bytes.resize(have);
    return bytes;
}

UniqueFd SpoolFolder::make(uint64_t segment) const {
    return UniqueFd(openat(folder_.get(), name_of(segment).c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_APPEND | flags, 0600));
}

void SpoolFolder::remove(uint64_t segment) const {
    unlinkat(folder_.get(), name_of(segment).c_str(), 0);
}

void SpoolFolder::sync() const {
    fsync(folder_.get());
}

/// Of a file that a crash cut nothing is known: what was acknowledged is sent again.
uint64_t SpoolFolder::acknowledged() const {
    const UniqueFd fd(openat(folder_.get(), acknowledged_file, O_RDONLY | flags));
    char text[2 * digits + 1];
    if (!fd || ::read(fd.get(), text, sizeof(text)) != sizeof(text))
        return 0;
    const auto number = number_of({text, digits});
    return number && number_of({text + digits, digits}) == sum_of(*number) ? *number : 0;
}

void SpoolFolder::set_acknowledged(uint64_t number) const {
    const std::string text = text_of(number) + text_of(sum_of(number)) + "\n";
    const UniqueFd fd(openat(folder_.get(), acknowledged_file, O_WRONLY | O_CREAT | flags, 0600));
    if (fd) // when that fails, more is sent again after a crash
        [[maybe_unused]]
        const ssize_t written = pwrite(fd.get(), text.data(), text.size(), 0);
}

void SpoolFolder::put_aside(std::string_view lines) const {
    UniqueFd fd(openat(folder_.get(), rejected_file, O_WRONLY | O_CREAT | O_APPEND | flags, 0600));
    struct stat status {};
    if (fd && fstat(fd.get(), &status) == 0 && status.st_size > rejected_bytes) {
        renameat(folder_.get(), rejected_file, folder_.get(), (std::string(rejected_file) + ".old").c_str());
        fd = UniqueFd(openat(folder_.get(), rejected_file, O_WRONLY | O_CREAT | O_APPEND | flags, 0600));
    }
    if (fd) [[maybe_unused]]
        const ssize_t written = write(fd.get(), lines.data(), lines.size());
}

} // namespace telemetry
