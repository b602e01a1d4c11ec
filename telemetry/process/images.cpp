// SPDX-License-Identifier: MIT
#include "telemetry/process/images.hpp"

#include <charconv>
#include <climits>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace telemetry {

namespace {

class File {
  public:
    explicit File(int fd) : fd_(fd) {}
    ~File() {
        if (fd_ >= 0)
            close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

/// Reads up to `room` bytes of a file; 0 on any error.
size_t read_file(int directory, const char* name, char* out, size_t room) {
    File file(openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file)
        return 0;
    size_t done = 0;
    while (done < room) {
        ssize_t part = read(file.get(), out + done, room - done);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            break;
        done += static_cast<size_t>(part);
    }
    return done;
}

struct Stat {
    char comm[EBT_COMM_LEN] = "";
    size_t comm_length = 0;
    int64_t tty = 0;
    uint64_t start_ticks = 0;
};

/// Fields 2, 7 and 22 of /proc/PID/stat. The second, the command name, may hold anything,
/// ")" and blanks included, but nothing after it does.
std::optional<Stat> read_stat(int directory) {
    char buffer[1024];
    std::string_view text(buffer, read_file(directory, "stat", buffer, sizeof buffer));
    size_t begin = text.find('('), end = text.rfind(')');
    if (begin == text.npos || end == text.npos || end < begin)
        return std::nullopt;
    Stat stat;
    stat.comm_length = text.substr(begin + 1, end - begin - 1).copy(stat.comm, sizeof stat.comm);
    text.remove_prefix(end + 1);
    for (int field = 3; field <= 22; field++) {
        size_t blanks = text.find_first_not_of(' ');
        if (blanks == text.npos)
            return std::nullopt;
        text.remove_prefix(blanks);
        std::string_view word = text.substr(0, text.find(' '));
        const char* word_end = word.data() + word.size();
        if (field == 7 && std::from_chars(word.data(), word_end, stat.tty).ec != std::errc{})
            return std::nullopt;
        if (field == 22 && std::from_chars(word.data(), word_end, stat.start_ticks).ec != std::errc{})
            return std::nullopt;
        text.remove_prefix(word.size());
    }
    return stat;
}

/// The name that the kernel gives a terminal, for the kinds that people log in at.
std::optional<std::string_view> tty_name(int64_t device, char (&out)[32]) {
    auto major = static_cast<unsigned>(device >> 8 & 0xfff);
    auto minor = static_cast<unsigned>((device & 0xff) | (device >> 12 & 0xfff00));
    int length = 0;
    if (major >= 136 && major <= 143) // UNIX98 terminals, 256 to a major, or all in the first
        length = snprintf(out, sizeof out, "pts%u", (major - 136) * 256 + minor);
    else if (major == 4 && minor < 64)
        length = snprintf(out, sizeof out, "tty%u", minor);
    else if (major == 4)
        length = snprintf(out, sizeof out, "ttyS%u", minor - 64);
    if (length <= 0)
        return std::nullopt;
    return std::string_view(out, static_cast<size_t>(length));
}

void set(Text& text, std::string_view bytes) {
    text.bytes = bytes;
    text.status = Status::ok;
    text.source = Source::procfs;
    text.original_length = static_cast<uint32_t>(bytes.size());
}

} // namespace

Procfs::Procfs(std::string root)
    : root_(std::move(root)), ns_per_tick_(1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK))),
      exe_(new char[PATH_MAX]), argv_(new char[EBT_ARGV_MAX + 1]) {}

const Procfs::Process* Procfs::read(uint32_t pid) noexcept {
    char name[PATH_MAX];
    if (snprintf(name, sizeof name, "%s/%u", root_.c_str(), pid) >= static_cast<int>(sizeof name))
        return nullptr;
    // What is opened through this descriptor is of one process, even if its id is used again.
    File directory(open(name, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return nullptr;
    auto stat = read_stat(directory.get());
    if (!stat)
        return nullptr;
    process_ = Process{};
    process_.start_ticks = stat->start_ticks;
    std::memcpy(comm_, stat->comm, sizeof comm_);
    process_.comm = {comm_, stat->comm_length};
    Image& image = process_.image;
    image.exe.argument = EBT_ARG_NONE;
    image.exe.status = image.argv.status = Status::unavailable;
    read_exe(directory.get());
    read_argv(directory.get());
    if (auto tty = tty_name(stat->tty, tty_))
        set(image.tty, *tty);
    else if (stat->tty != 0)
        image.tty.status = Status::unavailable;
    return image.exe.known() || image.argv.known() ? &process_ : nullptr;
}

const Image* Procfs::read(uint32_t pid, uint64_t start_time_ns) noexcept {
    const Process* process = read(pid);
    return process && process->start_ticks == ticks(start_time_ns) ? &process->image : nullptr;
}

std::vector<uint32_t> Procfs::processes() const {
    std::vector<uint32_t> ids;
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator(root_, error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        std::string name = entry->path().filename();
        uint32_t id = 0;
        auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), id);
        if (bad == std::errc{} && end == name.data() + name.size())
            ids.push_back(id);
    }
    return ids;
}

void Procfs::read_exe(int directory) noexcept {
    struct stat status;
    ssize_t length = readlinkat(directory, "exe", exe_.get(), PATH_MAX);
    if (length <= 0 || fstatat(directory, "exe", &status, 0) != 0)
        return;
    std::string_view path(exe_.get(), static_cast<size_t>(length));
    constexpr std::string_view deleted = " (deleted)";
    if (status.st_nlink == 0 && path.ends_with(deleted))
        path.remove_suffix(deleted.size());
    set(process_.image.exe, path);
    process_.image.exe.has_inode = true;
    process_.image.exe.inode = {status.st_ino, 0, status.st_mode, status.st_uid, status.st_gid};
}

void Procfs::read_argv(int directory) noexcept {
    size_t length = read_file(directory, "cmdline", argv_.get(), EBT_ARGV_MAX + 1);
    if (length == 0)
        return;
    bool cut = length > EBT_ARGV_MAX;
    std::string_view bytes(argv_.get(), cut ? EBT_ARGV_MAX : length);
    set(process_.image.argv, bytes);
    process_.image.argv.count = count_strings(bytes);
    if (cut) {
        process_.image.argv.status = Status::truncated;
        process_.image.argv.original_length = static_cast<uint32_t>(length);
        process_.image.argv.length_is_minimum = true;
    }
}

} // namespace telemetry
