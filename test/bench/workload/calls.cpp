// SPDX-License-Identifier: MIT
#include "test/bench/workload/workload.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace workload {

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what);
}

namespace {

[[noreturn]] void fail_errno(const std::string& what) {
    fail(what + ": " + strerror(errno));
}

/// Throws unless all of them succeeded.
void expect(bool all, const char* what) {
    if (!all)
        fail_errno(what);
}

void make_file(const std::string& path) {
    const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        fail_errno(path);
    close(fd);
}

class Getppid : public Call {
  public:
    void run(size_t count) override {
        for (size_t i = 0; i < count; i++)
            syscall(SYS_getppid);
    }
};

class Open : public Call {
  public:
    Open(const Setting& setting, int flags) : path_(setting.folder), flags_(flags) {
        for (size_t i = 1; i < setting.depth; i++) {
            path_ += "/deeper";
            if (mkdir(path_.c_str(), 0700) && errno != EEXIST)
                fail_errno(path_);
        }
        path_ += "/file";
        make_file(path_);
    }
    void run(size_t count) override {
        bool good = true;
        for (size_t i = 0; i < count; i++) {
            const long fd = syscall(SYS_openat, AT_FDCWD, path_.c_str(), flags_);
            good &= fd >= 0 && syscall(SYS_close, fd) == 0;
        }
        expect(good, "openat");
    }

  private:
    std::string path_;
    int flags_;
};

/// Of names made beforehand by link(2), which the benchmarks select nowhere.
class Unlink : public Call {
  public:
    explicit Unlink(const Setting& setting) : file_(setting.folder + "/file") {
        make_file(file_);
        for (size_t i = 0; i < names; i++)
            names_.push_back(setting.folder + "/link" + std::to_string(i));
    }
    size_t most() const override { return names; }
    void prepare(size_t count) override {
        bool good = true;
        for (size_t i = 0; i < count; i++)
            good &= link(file_.c_str(), names_[i].c_str()) == 0;
        expect(good, "link");
    }
    void run(size_t count) override {
        bool good = true;
        for (size_t i = 0; i < count; i++)
            good &= syscall(SYS_unlink, names_[i].c_str()) == 0;
        expect(good, "unlink");
    }

  private:
    static constexpr size_t names = 512;
    std::string file_;
    std::vector<std::string> names_;
};

/// TCP to a port of this host that is taken but not listened on: refused at once.
class Connect : public Call {
  public:
    Connect() : holder_(tcp_socket()), caller_(tcp_socket()) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address_);
        expect(!bind(holder_, address(), length) && !getsockname(holder_, address(), &length), "bind");
    }
    ~Connect() override {
        close(holder_);
        close(caller_);
    }
    Connect(const Connect&) = delete;
    Connect& operator=(const Connect&) = delete;

    void run(size_t count) override {
        bool good = true;
        for (size_t i = 0; i < count; i++)
            good &= syscall(SYS_connect, caller_, &address_, sizeof(address_)) == -1 && errno == ECONNREFUSED;
        expect(good, "connect: not refused");
    }

  private:
    static int tcp_socket() {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        expect(fd >= 0, "socket");
        return fd;
    }
    sockaddr* address() { return reinterpret_cast<sockaddr*>(&address_); }

    int holder_, caller_;
    sockaddr_in address_{};
};

/// fork, exec of this very program to end at once, wait.
class Exec : public Call {
  public:
    explicit Exec(const Setting& setting) {
        char own[PATH_MAX];
        const ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
        expect(length > 0, "/proc/self/exe");
        path_.assign(own, static_cast<size_t>(length));
        words_ = {path_, "exit"};
        constexpr size_t word = 64;
        for (size_t bytes = 0; bytes < setting.argv_bytes; bytes += word)
            words_.emplace_back(std::min(word, setting.argv_bytes - bytes) - 1, 'a');
        for (std::string& each : words_)
            argv_.push_back(each.data());
        argv_.push_back(nullptr);
    }
    void run(size_t count) override {
        bool good = true;
        for (size_t i = 0; i < count; i++)
            good &= once();
        expect(good, "exec");
    }

  private:
    bool once() {
        const pid_t child = fork();
        if (child == 0) {
            char* none[] = {nullptr};
            execve(path_.c_str(), argv_.data(), none);
            _exit(127);
        }
        int status = 0;
        return child > 0 && waitpid(child, &status, 0) == child && status == 0;
    }

    std::string path_;
    std::vector<std::string> words_;
    std::vector<char*> argv_;
};

} // namespace

std::unique_ptr<Call> make_turns(const Setting& setting); // workload_turns.cpp

std::unique_ptr<Call> make_call(const std::string& name, const Setting& setting) {
    if (name == "getppid")
        return std::make_unique<Getppid>();
    if (name == "open_read")
        return std::make_unique<Open>(setting, O_RDONLY);
    if (name == "open_write")
        return std::make_unique<Open>(setting, O_WRONLY);
    if (name == "unlink")
        return std::make_unique<Unlink>(setting);
    if (name == "connect")
        return std::make_unique<Connect>();
    if (name == "exec")
        return std::make_unique<Exec>(setting);
    if (name == "turns")
        return make_turns(setting);
    return nullptr;
}

void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    expect(!sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

uint64_t now_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

} // namespace workload
