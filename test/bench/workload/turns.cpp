// SPDX-License-Identifier: MIT
// Many live processes that take turns at opening a file: each event is another process's.
#include "test/bench/workload/workload.hpp"

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace workload {
namespace {

/// Counts how often its owner was called.
using Bell = std::atomic<uint32_t>;

void wait_while(Bell& bell, uint32_t heard) {
    while (bell.load() == heard)
        syscall(SYS_futex, &bell, FUTEX_WAIT, heard, nullptr, nullptr, 0);
}

void ring(Bell& bell) {
    bell.fetch_add(1);
    syscall(SYS_futex, &bell, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

constexpr size_t stack_bytes = 16 << 10;

/// Processes that share everything but their identity, so that tens of thousands fit.
/// Only one of them runs at any time.
class Turns : public Call {
  public:
    explicit Turns(const Setting& setting);
    ~Turns() override;
    Turns(const Turns&) = delete;
    Turns& operator=(const Turns&) = delete;
    void run(size_t count) override;

  private:
    struct Process {
        Turns* owner = nullptr;
        Process* next = nullptr;
        pid_t pid = -1;
        Bell bell = 0;
    };
    static int live(void* process);
    void start(Process& process, char* stack_end);
    void take_turn(Process& process);
    void end();

    std::string path_;
    std::vector<Process> processes_;
    char* stacks_ = nullptr;
    Process* whose_;  ///< turn it is
    size_t left_ = 0; ///< turns until the caller is called
    Bell caller_ = 0;
    bool failed_ = false;
    std::atomic<bool> stopping_ = false;
};

void Turns::take_turn(Process& process) {
    const long fd = syscall(SYS_openat, AT_FDCWD, path_.c_str(), O_WRONLY);
    if (fd < 0 || syscall(SYS_close, fd) != 0)
        failed_ = true;
    whose_ = process.next;
    ring(--left_ ? whose_->bell : caller_);
}

int Turns::live(void* argument) {
    auto& self = *static_cast<Process*>(argument);
    for (uint32_t heard = 0;; heard++) {
        wait_while(self.bell, heard);
        if (self.owner->stopping_)
            syscall(SYS_exit, 0);
        self.owner->take_turn(self);
    }
}

Turns::Turns(const Setting& setting)
    : path_(setting.folder + "/file"), processes_(setting.processes), whose_(processes_.data()) {
    const int fd = open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        fail(path_ + ": " + strerror(errno));
    close(fd);
    const size_t bytes = stack_bytes * processes_.size();
    void* stacks =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED)
        fail(std::string("stacks: ") + strerror(errno));
    stacks_ = static_cast<char*>(stacks);
    for (size_t i = 0; i < processes_.size(); i++) {
        processes_[i].owner = this;
        processes_[i].next = &processes_[(i + 1) % processes_.size()];
        start(processes_[i], stacks_ + (i + 1) * stack_bytes);
    }
}

void Turns::start(Process& process, char* stack_end) {
    process.pid =
        clone(live, stack_end, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, &process);
    if (process.pid > 0)
        return;
    const std::string why = strerror(errno);
    end();
    fail("cannot have " + std::to_string(processes_.size()) + " processes: " + why);
}

Turns::~Turns() {
    end();
}

void Turns::end() {
    stopping_ = true;
    for (Process& process : processes_)
        if (process.pid > 0) {
            ring(process.bell);
            waitpid(process.pid, nullptr, 0);
        }
    munmap(stacks_, stack_bytes * processes_.size());
}

void Turns::run(size_t count) {
    left_ = count;
    const uint32_t heard = caller_;
    ring(whose_->bell);
    wait_while(caller_, heard);
    if (failed_)
        fail("openat failed in one of the processes");
}

} // namespace

std::unique_ptr<Call> make_turns(const Setting& setting) {
    return std::make_unique<Turns>(setting);
}

} // namespace workload
