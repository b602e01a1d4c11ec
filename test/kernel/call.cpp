// SPDX-License-Identifier: MIT
// What the event of a call must say.
#include "test/kernel/process.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

namespace kernel_test {

uint32_t recorded_device(const struct stat& file, const struct statfs& system) {
    constexpr auto overlayfs = 0x794c7630, btrfs = static_cast<int>(0x9123683e);
    if (const int type = static_cast<int>(system.f_type); type == 0 || type == overlayfs || type == btrfs)
        return 0;
    return major(file.st_dev) << 20 | minor(file.st_dev);
}

bool Call::unknown() const {
    return entry_.ret == -ENOSYS;
}

void Call::fail(const std::string& why) {
    log_failure(&log_, (std::string(entry_.where) + ": " + entry_.name + why).c_str());
}

Call& Call::succeeds() {
    if (unknown())
        log_unknown_call(&log_, entry_.name);
    else if (entry_.ret < 0)
        fail(" failed with errno " + std::to_string(-entry_.ret));
    return *this;
}

Call& Call::may_fail() {
    if (unknown())
        log_unknown_call(&log_, entry_.name);
    return *this;
}

Call& Call::fails(int error, int other) {
    return fails(entry_.ret == -other ? other : error);
}

Call& Call::fails(int error) {
    if (unknown() && error != ENOSYS)
        log_unknown_call(&log_, entry_.name);
    else if (entry_.ret != -error)
        fail(" returned " + std::to_string(entry_.ret) + ", not -" + std::to_string(error));
    return *this;
}

log_path& Call::new_path(uint8_t argument, std::string_view bytes) {
    log_path& path = entry_.path[std::min<int>(entry_.paths++, LOG_PATHS - 1)];
    path.text = log_bytes(&log_, bytes.data(), static_cast<uint32_t>(bytes.size()));
    path.text.argument = place(argument);
    return path;
}

void Call::read_inode(log_path& path, long fd) {
    struct stat status {};
    if (raw_syscall(SYS_fstat, static_cast<uint64_t>(fd), register_value(&status)) != 0)
        fail(": no file behind descriptor " + std::to_string(fd));
    path.text.flags |= LOG_HAS_INODE;
    path.ino = status.st_ino;
    path.mode = status.st_mode;
    path.uid = status.st_uid;
    path.gid = status.st_gid;
    struct statfs system {};
    raw_syscall(SYS_fstatfs, static_cast<uint64_t>(fd), register_value(&system));
    path.device = recorded_device(status, system);
}

Call& Call::file(uint8_t argument, long fd, std::string_view path) {
    read_inode(new_path(argument, path), fd);
    return *this;
}

Call& Call::detached(uint8_t argument, long fd, std::string_view name) {
    log_path& path = new_path(argument, name);
    read_inode(path, fd);
    const size_t hole = name.find('#');
    if (hole != name.npos) {
        std::string bytes(name);
        bytes.replace(hole, 1, std::to_string(path.ino));
        const uint8_t flags = path.text.flags;
        path.text = log_bytes(&log_, bytes.data(), static_cast<uint32_t>(bytes.size()));
        path.text.flags = flags;
        path.text.argument = place(argument);
    }
    path.text.flags |= LOG_DETACHED | LOG_ANY_LENGTH;
    return *this;
}

Call& Call::opened_detached(uint8_t argument, std::string_view name) {
    return entry_.ret < 0 ? *this : detached(argument, entry_.ret, name);
}

Call& Call::result(uint8_t argument, std::string_view path, uint8_t flags) {
    return entry_.ret < 0 ? named(argument, path, flags) : file(argument, entry_.ret, path);
}

Call& Call::named(uint8_t argument, std::string_view path, uint8_t flags) {
    log_text& text = new_path(argument, path).text;
    text.source = LOG_USER_MEMORY;
    text.flags = flags;
    return *this;
}

Call& Call::called(std::string_view written) {
    log_text& text = entry_.path[std::max<int>(entry_.paths, 1) - 1].called;
    text = log_bytes(&log_, written.data(), static_cast<uint32_t>(written.size()));
    text.source = LOG_USER_MEMORY;
    return *this;
}

Call& Call::led_to(uint8_t argument, std::string_view path) {
    new_path(argument, path);
    return *this;
}

Call& Call::no_path(uint8_t argument, log_status status, log_source source) {
    log_text& text = new_path(argument, "").text;
    text.status = status;
    text.source = source;
    return *this;
}

Call& Call::cut_path(uint8_t argument, std::string_view kept, uint32_t original, uint8_t flags) {
    named(argument, kept, flags);
    log_text& text = entry_.path[entry_.paths - 1].text;
    text.status = LOG_TRUNCATED;
    text.original = original;
    return *this;
}

log_text& Call::new_string(uint8_t argument, std::string_view bytes) {
    log_text& text = entry_.string[std::min<int>(entry_.strings++, LOG_STRINGS - 1)];
    text = log_bytes(&log_, bytes.data(), static_cast<uint32_t>(bytes.size()));
    text.argument = place(argument);
    text.source = LOG_USER_MEMORY;
    return text;
}

Call& Call::string(uint8_t argument, std::string_view bytes) {
    new_string(argument, bytes);
    return *this;
}

Call& Call::cut_string(uint8_t argument, std::string_view kept, uint32_t original) {
    log_text& text = new_string(argument, kept);
    text.status = LOG_TRUNCATED;
    text.original = original;
    text.flags = LOG_AT_LEAST;
    return *this;
}

Call& Call::no_string(uint8_t argument, log_status status) {
    new_string(argument, "").status = status;
    return *this;
}

Call& Call::address(uint8_t argument, const void* bytes, size_t length) {
    entry_.sockaddr = log_bytes(&log_, bytes, static_cast<uint32_t>(length));
    entry_.sockaddr.source = LOG_USER_MEMORY;
    entry_.sockaddr.argument = argument;
    return *this;
}

Call& Call::no_address(uint8_t argument, log_status status) {
    entry_.sockaddr = {};
    entry_.sockaddr.status = status;
    entry_.sockaddr.source = LOG_USER_MEMORY;
    entry_.sockaddr.argument = argument;
    return *this;
}

Call& Call::passed(const std::vector<int32_t>& descriptors, log_status status, uint32_t original,
                   uint32_t flags) {
    entry_.passed =
        log_bytes(&log_, descriptors.data(), static_cast<uint32_t>(descriptors.size() * sizeof(int32_t)));
    entry_.passed.source = LOG_USER_MEMORY;
    entry_.passed.status = status;
    entry_.passed.original = original;
    entry_.passed.flags = flags;
    return *this;
}

namespace {

/// What one end of a socket is bound to, as the kernel tells it of inet and inet6.
void read_end(long nr, long fd, uint16_t& port, uint8_t (&address)[16]) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (raw_syscall(nr, static_cast<uint64_t>(fd), register_value(&storage), register_value(&length)) != 0)
        return; // not connected: zeroes
    if (storage.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
        port = ntohs(v4.sin_port);
        memcpy(address, &v4.sin_addr, sizeof v4.sin_addr);
    } else if (storage.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
        port = ntohs(v6.sin6_port);
        memcpy(address, &v6.sin6_addr, sizeof v6.sin6_addr);
    }
}

int socket_option(long fd, int option) {
    int value = 0;
    socklen_t length = sizeof value;
    raw_syscall(SYS_getsockopt, static_cast<uint64_t>(fd), SOL_SOCKET, static_cast<uint64_t>(option),
                register_value(&value), register_value(&length));
    return value;
}

/// What a Unix socket is bound to, as the kernel has it.
log_text unix_name(call_log& log, long fd) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    raw_syscall(SYS_getsockname, static_cast<uint64_t>(fd), register_value(&storage),
                register_value(&length));
    const bool has_name = length > sizeof storage.ss_family;
    return log_bytes(&log, &storage, has_name ? length : 0);
}

} // namespace

Call& Call::socket(long fd) {
    entry_.socket_status = LOG_OK;
    entry_.socket_family = static_cast<uint16_t>(socket_option(fd, SO_DOMAIN));
    entry_.socket_type = static_cast<uint8_t>(socket_option(fd, SO_TYPE));
    entry_.socket_protocol = static_cast<uint8_t>(socket_option(fd, SO_PROTOCOL));
    if (entry_.socket_family == AF_INET || entry_.socket_family == AF_INET6) {
        read_end(SYS_getsockname, fd, entry_.local_port, entry_.local);
        read_end(SYS_getpeername, fd, entry_.remote_port, entry_.remote);
    }
    if (entry_.socket_family == AF_UNIX)
        entry_.unix_name = unix_name(log_, fd);
    return *this;
}

Call& Call::socket_without_ends(long fd) {
    entry_.any |= LOG_ANY_ENDS;
    return socket(fd);
}

Call& Call::no_socket() {
    entry_.socket_status = LOG_UNAVAILABLE;
    return *this;
}

Call& Call::argv(const std::vector<std::string>& arguments, log_status status) {
    const std::string bytes = joined(arguments);
    entry_.exec_argv = log_bytes(&log_, bytes.data(), static_cast<uint32_t>(bytes.size()));
    entry_.exec_argv.source = LOG_USER_MEMORY;
    entry_.exec_argv.status = status;
    if (status != LOG_OK)
        entry_.exec_argv.flags = LOG_AT_LEAST;
    return *this;
}

Call& Call::missing(uint32_t parts) {
    entry_.missing = parts;
    return *this;
}

Call& Call::any(uint16_t what) {
    entry_.any |= what;
    return *this;
}

Call& Call::by(const Process& process) {
    entry_.identity = process.identity_index();
    return *this;
}

} // namespace kernel_test
