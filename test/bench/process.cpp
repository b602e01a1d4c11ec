// SPDX-License-Identifier: MIT
#include "test/bench/process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what);
}

struct Pipe {
    Pipe() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC))
            fail(std::string("pipe: ") + strerror(errno));
        read = UniqueFd(ends[0]);
        write = UniqueFd(ends[1]);
    }
    UniqueFd read, write;
};

void redirect(int target, const std::string& file) {
    const int fd = open(file.empty() ? "/dev/null" : file.c_str(), O_RDWR | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, target) < 0)
        _exit(126);
}

[[noreturn]] void become(const Command& command, const Streams& streams, int input, int output) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (streams.dialogue) {
        dup2(input, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
    } else {
        redirect(STDIN_FILENO, "");
        redirect(STDOUT_FILENO, streams.output);
    }
    redirect(STDERR_FILENO, streams.errors);
    std::vector<char*> words;
    for (const std::string& word : command)
        words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    execvp(words[0], words.data());
    fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
    _exit(127);
}

uint64_t status_kib(pid_t pid, const std::string& key) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(key + ":"))
            return std::strtoull(line.c_str() + key.size() + 1, nullptr, 10);
    return 0;
}

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// A file for what a command says, gone with this object.
struct TemporaryFile {
    TemporaryFile() {
        char name[] = "/tmp/ebt-bench-XXXXXX";
        close(mkstemp(name));
        path = name;
    }
    ~TemporaryFile() { unlink(path.c_str()); }
    std::string path;
};

constexpr milliseconds an_hour{3'600'000};

} // namespace

std::string joined(const Command& command) {
    std::string text;
    for (const std::string& word : command)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

Process::Process(const Command& command, const Streams& streams) {
    std::optional<Pipe> to, from;
    if (streams.dialogue) {
        to.emplace();
        from.emplace();
    }
    pid_ = fork();
    if (pid_ < 0)
        fail(std::string("fork: ") + strerror(errno));
    if (pid_ == 0)
        become(command, streams, to ? to->read.get() : -1, from ? from->write.get() : -1);
    if (streams.dialogue) {
        input_ = std::move(to->write);
        output_ = std::move(from->read);
    }
}

Process::~Process() {
    if (is_running())
        end(SIGKILL, milliseconds(1000));
}

void Process::reap(int options) {
    int status = 0;
    rusage usage{};
    if (status_ || wait4(pid_, &status, options, &usage) != pid_)
        return;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    const auto ns = [](const timeval& time) {
        return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 +
               static_cast<uint64_t>(time.tv_usec) * 1000;
    };
    total_cpu_ns_ = ns(usage.ru_utime) + ns(usage.ru_stime);
}

bool Process::is_running() {
    reap(WNOHANG);
    return !status_;
}

void Process::say(const std::string& line) {
    const std::string text = line + "\n";
    if (write(input_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        fail(std::string("a helper process is gone: ") + strerror(errno));
}

std::string Process::hear(milliseconds patience) {
    const auto end = Clock::now() + patience;
    for (;;) {
        if (const size_t newline = heard_.find('\n'); newline != std::string::npos) {
            std::string line = heard_.substr(0, newline);
            heard_.erase(0, newline + 1);
            return line;
        }
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
        pollfd output{.fd = output_.get(), .events = POLLIN, .revents = 0};
        if (left <= 0 || poll(&output, 1, static_cast<int>(left)) <= 0)
            fail("no answer in time");
        char buffer[4096];
        const ssize_t got = read(output_.get(), buffer, sizeof(buffer));
        if (got <= 0)
            fail("it ended before it answered");
        heard_.append(buffer, static_cast<size_t>(got));
    }
}

void Process::end(int signal, milliseconds patience) {
    if (!is_running())
        return;
    kill(pid_, signal);
    const auto end = Clock::now() + patience;
    while (is_running() && Clock::now() < end)
        std::this_thread::sleep_for(milliseconds(2));
    if (is_running()) {
        kill(pid_, SIGKILL);
        reap(0);
    }
}

int Process::wait(milliseconds patience) {
    const auto end = Clock::now() + patience;
    while (is_running()) {
        if (Clock::now() > end)
            fail("it does not end");
        std::this_thread::sleep_for(milliseconds(1));
    }
    return *status_;
}

std::string run(const Command& command) {
    const TemporaryFile output, errors;
    Process process(command, {.dialogue = false, .output = output.path, .errors = errors.path});
    if (const int status = process.wait(an_hour))
        fail(joined(command) + ": status " + std::to_string(status) + ": " + read_file(errors.path));
    return read_file(output.path);
}

int run_status(const Command& command, const std::string& output) {
    return Process(command, {.dialogue = false, .output = output, .errors = output}).wait(an_hour);
}

uint64_t cpu_ns(pid_t pid) {
    clockid_t clock;
    timespec time{};
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &time))
        return 0;
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

uint64_t peak_memory(pid_t pid) {
    return status_kib(pid, "VmHWM") << 10;
}

uint64_t resident_memory(pid_t pid) {
    return status_kib(pid, "VmRSS") << 10;
}

std::string which(const std::string& name) {
    std::istringstream folders("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');)
        if (access(folder.append("/").append(name).c_str(), X_OK) == 0)
            return folder;
    return "";
}

} // namespace bench
