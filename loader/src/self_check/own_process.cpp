// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/self_check/own_process.hpp"

#include "loader/src/base/device.hpp"
#include "loader/src/base/procfs.hpp"

#include <climits>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <vector>

namespace ebpf_loader {
namespace {

std::string read_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string read_link(const std::string& name) {
    char target[PATH_MAX];
    const ssize_t length = readlink(name.c_str(), target, sizeof(target));
    std::string text(target, static_cast<size_t>(length < 0 ? 0 : length));
    // What /proc adds to the name of a file that was removed meanwhile.
    constexpr std::string_view deleted = " (deleted)";
    struct stat status {};
    if (text.ends_with(deleted) && !stat(name.c_str(), &status) && status.st_nlink == 0)
        text.resize(text.size() - deleted.size());
    return text;
}

/// Fields of /proc/PID/stat from the third on: the second is in parentheses and may hold anything.
std::vector<std::string> stat_fields(const std::string& pid) {
    const std::string text = read_file("/proc/" + pid + "/stat");
    const size_t end = text.rfind(')');
    if (end == std::string::npos)
        return {};
    std::istringstream rest(text.substr(end + 1));
    return {std::istream_iterator<std::string>(rest), {}};
}

constexpr size_t stat_tty = 7 - 3, stat_start = 22 - 3, stat_arg_start = 48 - 3, stat_arg_end = 49 - 3;

std::optional<uint32_t> read_number(const std::string& name) {
    std::ifstream file(name);
    uint32_t value;
    return file >> value ? std::optional(value) : std::nullopt;
}

/// "pts/3" for the device number of a pseudo terminal; other drivers' names vary.
std::string tty_name(unsigned device) {
    constexpr unsigned pts_major = 136, pts_majors = 8;
    const unsigned major = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);
    if (major < pts_major || major >= pts_major + pts_majors)
        return {};
    return "pts" + std::to_string((major - pts_major) * 256 + minor);
}

/// Inode numbers that the kernel gives the initial namespaces.
constexpr const char* initial_user = "user:[4026531837]";
constexpr const char* initial_pid = "pid:[4026531836]";

} // namespace

OwnFile own_file(int fd, OwnFile::Path path) {
    OwnFile file;
    struct stat status {};
    struct statfs system {};
    if (path == OwnFile::with_path)
        file.path = read_link("/proc/self/fd/" + std::to_string(fd));
    else if (!fstatfs(fd, &system))
        file.magic = static_cast<uint32_t>(system.f_type);
    fstat(fd, &status);
    file.ino = status.st_ino;
    file.mode = status.st_mode;
    file.uid = status.st_uid;
    file.gid = status.st_gid;
    file.device = kernel_device(status.st_dev);
    return file;
}

uint64_t process_start_ticks(pid_t pid) {
    const auto fields = stat_fields(std::to_string(pid));
    return fields.size() > stat_start ? std::stoull(fields[stat_start]) : 0;
}

uint64_t OwnProcess::clock_tick_ns() {
    return 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
}

OwnProcess::OwnProcess() {
    pid = static_cast<uint32_t>(getpid());
    ppid = static_cast<uint32_t>(getppid());
    const auto fields = stat_fields("self");
    if (fields.size() > stat_start) {
        start_ticks = std::stoull(fields[stat_start]);
        const auto device = static_cast<unsigned>(std::stol(fields[stat_tty]));
        has_tty = device != 0;
        tty = tty_name(device);
    }
    if (fields.size() > stat_arg_end)
        argv_bytes = std::stoull(fields[stat_arg_end]) - std::stoull(fields[stat_arg_start]);
    const std::string text = read_file("/proc/self/status");
    constexpr int hexadecimal = 16;
    permitted = status_number(text, "CapPrm", hexadecimal).value_or(0);
    effective = status_number(text, "CapEff", hexadecimal).value_or(0);
    std::istringstream status(text);
    for (std::string line; std::getline(status, line);) {
        const bool uids = line.starts_with("Uid:");
        if (!uids && !line.starts_with("Gid:"))
            continue;
        std::istringstream numbers(line.substr(4));
        for (size_t i = 0; i < 4; i++)
            numbers >> ids[(uids ? 0 : 4) + i];
    }
    auid = read_number("/proc/self/loginuid");
    ses = read_number("/proc/self/sessionid");
    comm = read_file("/proc/self/comm");
    if (!comm.empty() && comm.back() == '\n')
        comm.pop_back();
    argv = read_file("/proc/self/cmdline");
    cwd = read_link("/proc/self/cwd");
    exe = read_link("/proc/self/exe");
    char raw[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", raw, sizeof(raw));
    exe_deleted = length < 0 || static_cast<size_t>(length) != exe.size();
    initial_pid_namespace = read_link("/proc/self/ns/pid") == initial_pid;
    initial_user_namespace = read_link("/proc/self/ns/user") == initial_user;
}

} // namespace ebpf_loader
