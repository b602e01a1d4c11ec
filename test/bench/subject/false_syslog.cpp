// SPDX-License-Identifier: MIT
#include <ebpf_loader/unique_fd.hpp>

#include "test/bench/subject/watcher.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace bench {
namespace {

using ebpf_loader::UniqueFd;

void expect(bool good, const char* what) {
    if (!good)
        throw std::runtime_error(std::string(what) + ": " + strerror(errno));
}

void make_device(const char* path, unsigned minor) {
    expect(!mknod(path, S_IFCHR | 0666, makedev(1, minor)), path);
}

/// A /dev of our own, with little in it: the host's log is not to be bothered.
void make_private_dev() {
    expect(!unshare(CLONE_NEWNS), "unshare");
    const UniqueFd shm(open("/dev/shm", O_PATH | O_CLOEXEC)); // where the benchmarks have their files
    expect(!mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount /");
    expect(!mount("none", "/dev", "tmpfs", 0, "mode=755"), "mount /dev");
    make_device("/dev/null", 3);
    make_device("/dev/zero", 5);
    make_device("/dev/urandom", 9);
    if (!shm)
        return;
    const std::string before = "/proc/self/fd/" + std::to_string(shm.get());
    expect(!mkdir("/dev/shm", 01777) && !mount(before.c_str(), "/dev/shm", nullptr, MS_BIND, nullptr),
           "mount /dev/shm");
}

UniqueFd listen_at_dev_log() {
    UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    strcpy(address.sun_path, "/dev/log");
    expect(fd && !bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), "/dev/log");
    return fd;
}

struct Counts {
    uint64_t messages = 0;
    uint64_t marked = 0;
};

/// Until the command has ended and nothing is left.
Counts read_all(int fd, pid_t command, const std::string& marker) {
    Counts counts;
    std::vector<char> buffer(64 << 10);
    for (;;) {
        pollfd input{.fd = fd, .events = POLLIN, .revents = 0};
        const bool ended = getppid() != command;
        if (poll(&input, 1, ended ? 0 : 50) <= 0 && ended)
            return counts;
        for (ssize_t got; (got = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT)) >= 0;) {
            counts.messages++;
            counts.marked +=
                memmem(buffer.data(), static_cast<size_t>(got), marker.data(), marker.size()) != nullptr;
        }
    }
}

} // namespace

void with_false_syslog(const std::string& marker, char** command) {
    make_private_dev();
    const UniqueFd socket = listen_at_dev_log();
    const pid_t own = getpid();
    const pid_t child = fork();
    expect(child >= 0, "fork");
    // The command is this very process, whose CPU time is of interest; the log is its child.
    if (child > 0) {
        execv(command[0], command);
        expect(false, command[0]);
    }
    signal(SIGINT, SIG_IGN);
    const Counts counts = read_all(socket.get(), own, marker);
    printf("%lu messages %lu marked\n", counts.messages, counts.marked);
    fflush(stdout);
    _exit(0);
}

} // namespace bench
