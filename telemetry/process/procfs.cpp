// SPDX-License-Identifier: MIT
#include "telemetry/process/procfs.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace telemetry {

struct Procfs::Buffers {
    Process process;
    ProcessStat stat;
    char tty[32];
    char exe[PATH_MAX];
    char argv[EBT_ARGV_MAX + 1];
    char environment[EBT_ARGV_MAX + 1];
    EnvironmentNames::Buffer variables;
};

namespace {

using ebpf_loader::UniqueFd;

constexpr size_t stat_bytes = 1024;           ///< what is used of it comes first
constexpr size_t most_status_bytes = 1 << 20; ///< it lists up to 65,536 supplementary groups
constexpr size_t most_cgroup_bytes = 64 * 1024;

/// Reads up to `room` bytes; less at the end of the file, and on any error.
size_t read_up_to(int fd, char* out, size_t room) noexcept {
    size_t done = 0;
    while (done < room) {
        const ssize_t part = ::read(fd, out + done, room - done);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            break;
        done += static_cast<size_t>(part);
    }
    return done;
}

UniqueFd open_file(int process, const char* name) noexcept {
    return UniqueFd(openat(process, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

size_t read_file(int process, const char* name, char* out, size_t room) noexcept {
    const UniqueFd file = open_file(process, name);
    return file ? read_up_to(file.get(), out, room) : 0;
}

std::optional<std::string> read_file(int process, const char* name, size_t most) {
    constexpr size_t step = 16 * 1024;
    const UniqueFd file = open_file(process, name);
    if (!file)
        return std::nullopt;
    std::string text;
    for (size_t done = 0; done < most;) {
        const size_t wanted = std::min(step, most - done);
        text.resize(done + wanted);
        const size_t got = read_up_to(file.get(), text.data() + done, wanted);
        done += got;
        text.resize(done);
        if (got < wanted)
            break;
    }
    return text;
}

std::optional<ProcessStat> read_stat(int process) noexcept {
    char text[stat_bytes];
    return parse_stat({text, read_file(process, "stat", text, sizeof(text))});
}

std::optional<std::string> read_cgroup(int process) {
    const auto file = read_file(process, "cgroup", most_cgroup_bytes);
    return file ? std::optional(std::string(main_cgroup(*file))) : std::nullopt;
}

uint32_t read_namespace(int process, const char* name) noexcept {
    char path[32], link[64];
    snprintf(path, sizeof(path), "ns/%s", name); // the longest is pid_for_children
    const ssize_t length = readlinkat(process, path, link, sizeof(link));
    return length > 0 ? namespace_inode({link, static_cast<size_t>(length)}) : 0;
}

/// To be read last: what was read before then belongs to the same process, and is whole.
bool is_still(int process, uint64_t start_ticks) noexcept {
    const auto now = read_stat(process);
    return now && now->start_ticks == start_ticks && !now->is_exiting;
}

/// The name that the kernel gives a terminal, for the kinds that people log in at.
std::optional<std::string_view> tty_name(int64_t device, char (&out)[32]) {
    const auto major = static_cast<unsigned>(device >> 8 & 0xfff);
    const auto minor = static_cast<unsigned>((device & 0xff) | (device >> 12 & 0xfff00));
    int length = 0;
    if (major >= 136 && major <= 143) // UNIX98 terminals, 256 to a major, or all in the first
        length = snprintf(out, sizeof(out), "pts%u", (major - 136) * 256 + minor);
    else if (major == 4 && minor < 64)
        length = snprintf(out, sizeof(out), "tty%u", minor);
    else if (major == 4)
        length = snprintf(out, sizeof(out), "ttyS%u", minor - 64);
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

using Strings = char[EBT_ARGV_MAX + 1];

void read_strings(int process, const char* name, Strings& buffer, StringList& out) noexcept {
    const size_t length = read_file(process, name, buffer, sizeof(buffer));
    if (length == 0)
        return;
    const bool cut = length > EBT_ARGV_MAX;
    const std::string_view bytes(buffer, cut ? EBT_ARGV_MAX : length);
    set(out, bytes);
    out.count = count_strings(bytes);
    if (cut) {
        out.status = Status::truncated;
        out.original_length = static_cast<uint32_t>(length);
        out.length_is_minimum = true;
    }
}

} // namespace

Procfs::Procfs(std::string root, EnvironmentNames environment)
    : root_(std::move(root)), ns_per_tick_(1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK))),
      environment_names_(std::move(environment)), buffers_(std::make_unique_for_overwrite<Buffers>()) {}

Procfs::~Procfs() = default;
Procfs::Procfs(Procfs&&) noexcept = default;

/// What is opened through this descriptor is of one process, even if its id is used again.
UniqueFd Procfs::open_process(const char* process) const noexcept {
    char path[PATH_MAX];
    const int length = snprintf(path, sizeof(path), "%s/%s", root_.c_str(), process);
    if (length < 0 || static_cast<size_t>(length) >= sizeof(path))
        return UniqueFd();
    return UniqueFd(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

UniqueFd Procfs::open_process(uint32_t pid) const noexcept {
    char digits[16];
    snprintf(digits, sizeof(digits), "%u", pid);
    return open_process(digits);
}

const Procfs::Process* Procfs::read(uint32_t pid) noexcept {
    const UniqueFd directory = open_process(pid);
    const auto stat = directory ? read_stat(directory.get()) : std::nullopt;
    if (!stat || stat->is_kernel_thread) // machines with many processors have thousands of these
        return nullptr;
    buffers_->stat = *stat;
    Process& process = buffers_->process;
    process = Process{};
    process.start_ticks = stat->start_ticks;
    process.comm = buffers_->stat.comm();
    process.image.exe.argument = EBT_ARG_NONE;
    process.image.exe.status = process.image.argv.status = Status::unavailable;
    read_exe(directory.get());
    read_argv(directory.get());
    read_tty(stat->tty);
    if (!environment_names_.empty())
        read_environment(directory.get());
    process.image.namespaces = {.mnt = read_namespace(directory.get(), "mnt"),
                                .pid = read_namespace(directory.get(), "pid_for_children"),
                                .user = read_namespace(directory.get(), "user")};
    return process.image.exe.known() || process.image.argv.known() ? &process : nullptr;
}

const Image* Procfs::read(uint32_t pid, uint64_t start_time_ns) noexcept {
    const Process* process = read(pid);
    return process && process->start_ticks == ticks(start_time_ns) ? &process->image : nullptr;
}

void Procfs::read_exe(int process) noexcept {
    struct stat status;
    const ssize_t length = readlinkat(process, "exe", buffers_->exe, sizeof(buffers_->exe));
    if (length <= 0 || fstatat(process, "exe", &status, 0) != 0)
        return;
    std::string_view path(buffers_->exe, static_cast<size_t>(length));
    constexpr std::string_view deleted = " (deleted)";
    const bool is_deleted = status.st_nlink == 0 && path.ends_with(deleted);
    if (is_deleted)
        path.remove_suffix(deleted.size());
    PathField& exe = buffers_->process.image.exe;
    set(exe, path);
    exe.deleted = is_deleted;
    exe.has_inode = true;
    exe.inode = {status.st_ino, 0, status.st_mode, status.st_uid, status.st_gid};
}

void Procfs::read_argv(int process) noexcept {
    read_strings(process, "cmdline", buffers_->argv, buffers_->process.image.argv);
}

void Procfs::read_environment(int process) noexcept {
    StringList& environment = buffers_->process.image.environment;
    read_strings(process, "environ", buffers_->environment, environment);
    if (environment.known())
        environment_names_.reduce(environment, buffers_->variables);
}

void Procfs::read_tty(int64_t device) noexcept {
    Text& tty = buffers_->process.image.tty;
    if (const auto name = tty_name(device, buffers_->tty))
        set(tty, *name);
    else if (device != 0)
        tty.status = Status::unavailable;
}

std::optional<ProcessStat> Procfs::stat(uint32_t pid) const noexcept {
    const UniqueFd process = open_process(pid);
    return process ? read_stat(process.get()) : std::nullopt;
}

std::optional<ProcessIds> Procfs::ids(uint32_t pid) const {
    const UniqueFd process = open_process(pid);
    const auto status = process ? read_file(process.get(), "status", most_status_bytes) : std::nullopt;
    return status ? parse_ids(*status) : std::nullopt;
}

std::optional<ProcessFacts> Procfs::facts(uint32_t pid, uint64_t start_ticks) const {
    const UniqueFd directory = open_process(pid);
    if (!directory)
        return std::nullopt;
    const int process = directory.get();
    ProcessFacts facts;
    if (const auto path = read_cgroup(process))
        facts.set_cgroup(*path);
    if (const auto status = read_file(process, "status", most_status_bytes))
        facts.capabilities = parse_capabilities(*status);
    facts.namespaces = {read_namespace(process, "cgroup"), read_namespace(process, "ipc"),
                        read_namespace(process, "mnt"),    read_namespace(process, "net"),
                        read_namespace(process, "pid"),    read_namespace(process, "user"),
                        read_namespace(process, "uts")};
    return is_still(process, start_ticks) ? std::optional(std::move(facts)) : std::nullopt;
}

std::optional<std::string> Procfs::cgroup(uint32_t pid, uint64_t start_ticks) const {
    const UniqueFd process = open_process(pid);
    auto path = process ? read_cgroup(process.get()) : std::nullopt;
    return path && is_still(process.get(), start_ticks) ? path : std::nullopt;
}

uint32_t Procfs::namespace_of(uint32_t pid, const char* name) const {
    const UniqueFd process = open_process(pid);
    return process ? read_namespace(process.get(), name) : 0;
}

std::optional<std::string> Procfs::file(const std::string& process, const char* name, size_t most) const {
    const UniqueFd directory = open_process(process.c_str());
    return directory ? read_file(directory.get(), name, most) : std::nullopt;
}

std::vector<uint32_t> Procfs::processes() const {
    std::vector<uint32_t> ids;
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator(root_, error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename();
        uint32_t id = 0;
        const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), id);
        if (bad == std::errc{} && end == name.data() + name.size())
            ids.push_back(id);
    }
    return ids;
}

} // namespace telemetry
