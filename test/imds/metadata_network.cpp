// SPDX-License-Identifier: MIT
#include "test/imds/metadata_network.hpp"
#include "test/imds/metadata_server.hpp"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

std::vector<char*> pointers_of(const std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (const std::string& word : words)
        pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

/// In the child: from here on it is that program.
[[noreturn]] void become(const std::vector<std::string>& command) {
    execvp(command.front().c_str(), pointers_of(command).data());
    _exit(127);
}

void tell_ready() {
    [[maybe_unused]] const ssize_t written = write(STDOUT_FILENO, "ready", 5);
}

[[noreturn]] void serve() {
    if (unshare(CLONE_NEWNET))
        _exit(126);
    std::string prepare = "ip link set lo up";
    for (const std::string& address : metadata::addresses)
        prepare +=
            " && ip addr add " + address + (address.find(':') == address.npos ? "/32" : "/128") + " dev lo";
    const pid_t child = fork();
    if (child == 0)
        become({"sh", "-c", prepare});
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0)
        _exit(126);
    metadata::serve(tell_ready);
    _exit(0);
}

std::string read_to_end(int fd) {
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<size_t>(got));
    return text;
}

} // namespace

MetadataNetwork::MetadataNetwork() {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        serve();
    }
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    output_ = out[0];
    char ready[6] = "";
    if (read(output_, ready, 5) != 5 || strcmp(ready, "ready") != 0)
        throw std::runtime_error("the metadata server does not start: is ip there, is this root?");
}

MetadataNetwork::~MetadataNetwork() {
    close(input_);
    close(output_);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

Ran MetadataNetwork::run(const std::vector<std::string>& command, const std::string& input,
                         bool must_succeed) const {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        throw std::runtime_error("no pipe");
    const int space = open(("/proc/" + std::to_string(pid_) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
    const pid_t child = fork();
    if (child == 0) {
        if (setns(space, CLONE_NEWNET))
            _exit(126);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        become(command);
    }
    close(space);
    close(in[0]);
    close(out[1]);
    if (write(in[1], input.data(), input.size()) != static_cast<ssize_t>(input.size()))
        throw std::runtime_error("it does not read its input");
    close(in[1]);
    std::string text = read_to_end(out[0]);
    close(out[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (must_succeed && status != 0)
        throw std::runtime_error(command.front() + " failed: " + std::to_string(status));
    return {text, child};
}

std::string MetadataNetwork::inode() const {
    struct stat info {};
    stat(("/proc/" + std::to_string(pid_) + "/ns/net").c_str(), &info);
    return std::to_string(info.st_ino);
}
