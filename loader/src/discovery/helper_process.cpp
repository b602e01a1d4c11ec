// SPDX-License-Identifier: LGPL-2.1
// What runs in a helper may not use the C library: the program around us may have threads,
// and its locks may be held in the copy.
#include "loader/src/discovery/helper_process.hpp"

#include "loader/src/arch/machine.hpp"
#include "loader/src/arch/raw_syscall.hpp"
#include "loader/src/base/clock.hpp"
#include "loader/src/base/procfs.hpp"
#include "loader/src/base/signals_blocked.hpp"

#include <ebpf_loader/error.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ebpf_loader::discovery {

namespace {

constexpr size_t room_bytes = 12 << 10;
constexpr size_t stack_bytes = 16 << 10;
constexpr size_t most_helpers = 64;
constexpr auto longest_wait_ns = int64_t{10} * 1'000'000'000;

enum State : uint32_t { idle, asked, done };

} // namespace

/// The call that a helper is to make, and its result. The memory is shared between all of them.
struct Mailbox {
    enum class Task : uint32_t { syscall, compat_syscall, spawn_process, spawn_sharing, spawn_thread };

    std::atomic<uint32_t> state;
    Task task;
    int64_t number;
    uint64_t args[6];
    int64_t result;
    Mailbox* child; ///< of the helper to be made
    char room[room_bytes];
    alignas(16) char stack[stack_bytes]; ///< where it shares its parent's memory
};

namespace {

void wait_while(std::atomic<uint32_t>& state, uint32_t value, const timespec* timeout) {
    raw_syscall(SYS_futex, as_argument(&state), FUTEX_WAIT, value, as_argument(timeout));
}

void set_state(std::atomic<uint32_t>& state, uint32_t value) {
    state.store(value, std::memory_order_release);
    raw_syscall(SYS_futex, as_argument(&state), FUTEX_WAKE, 1);
}

[[noreturn]] void serve(Mailbox& box);

int serve_in_own_stack(void* box) {
    serve(*static_cast<Mailbox*>(box));
}

/// clone(2) behind the C library's back: no handlers of pthread_atfork, no exit signal.
int64_t spawn_process(Mailbox& box) {
    const int64_t pid = raw_syscall(SYS_clone, 0);
    if (pid == 0) {
        raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
        serve(box);
    }
    return pid;
}

int64_t spawn_sharing_memory(Mailbox& box, int flags) {
    const int pid = clone(serve_in_own_stack, box.stack + stack_bytes, flags, &box);
    return pid < 0 ? -errno : pid;
}

int64_t perform(Mailbox& box) {
    const uint64_t* a = box.args;
    constexpr int sharing = CLONE_VM | CLONE_SIGHAND;
    switch (box.task) {
    case Mailbox::Task::syscall:
        return raw_syscall(box.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    case Mailbox::Task::compat_syscall:
        return machine::compat_getppid(box.args);
    case Mailbox::Task::spawn_process:
        return spawn_process(*box.child);
    case Mailbox::Task::spawn_sharing:
        return spawn_sharing_memory(*box.child, sharing | CLONE_FS | CLONE_FILES);
    case Mailbox::Task::spawn_thread:
        return spawn_sharing_memory(*box.child, sharing | CLONE_THREAD);
    }
    return -EINVAL;
}

/// A helper's life.
void serve(Mailbox& box) {
    for (;;) {
        for (uint32_t seen; (seen = box.state.load(std::memory_order_acquire)) != asked;)
            wait_while(box.state, seen, nullptr);
        box.result = perform(box);
        set_state(box.state, done);
    }
}

} // namespace

bool is_zombie(pid_t pid) {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
           info.si_pid == pid;
}

bool HelperProcess::is_alive() const {
    return parent_ || !is_zombie(pid_);
}

void HelperProcess::begin(int64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                          uint64_t a5) {
    box_->task = Mailbox::Task::syscall;
    box_->number = number;
    const uint64_t args[] = {a0, a1, a2, a3, a4, a5};
    std::copy(std::begin(args), std::end(args), box_->args);
    set_state(box_->state, asked);
}

void HelperProcess::await_done(const char* what) {
    const timespec slice{0, 50'000'000};
    const uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + longest_wait_ns;
    while (box_->state.load(std::memory_order_acquire) != done) {
        wait_while(box_->state, asked, &slice);
        if (box_->state.load(std::memory_order_acquire) != done &&
            (!is_alive() || clock_ns(CLOCK_MONOTONIC) > deadline))
            throw Unobservable(std::string("a helper process ended, or did not answer, during: ") + what);
    }
}

int64_t HelperProcess::call(int64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                            uint64_t a5) {
    begin(number, a0, a1, a2, a3, a4, a5);
    await_done("a system call");
    return box_->result;
}

int64_t HelperProcess::must(const char* what, int64_t number, uint64_t a0, uint64_t a1, uint64_t a2,
                            uint64_t a3, uint64_t a4, uint64_t a5) {
    const int64_t result = call(number, a0, a1, a2, a3, a4, a5);
    if (result < 0)
        throw Unobservable(std::string(what) + " failed: " + strerror(static_cast<int>(-result)));
    return result;
}

bool HelperProcess::call_32_bit(const KernelMemory::Request& request) {
    std::copy(request.begin(), request.end(), box_->args);
    box_->task = Mailbox::Task::compat_syscall;
    set_state(box_->state, asked);
    try {
        await_done("a 32-bit system call");
    } catch (const Unobservable&) {
        if (is_alive())
            throw;
        return false;
    }
    return box_->result > 0;
}

void* HelperProcess::room(size_t bytes) {
    if (bytes > room_bytes)
        throw Unobservable("an argument is too long");
    if (room_used_ + bytes > room_bytes)
        room_used_ = 0;
    char* at = box_->room + room_used_;
    room_used_ += (bytes + 15) & ~size_t{15};
    memset(at, 0, bytes);
    return at;
}

uint64_t HelperProcess::text(std::string_view content) {
    char* at = static_cast<char*>(room(content.size() + 1));
    memcpy(at, content.data(), content.size());
    return as_argument(at);
}

uint64_t number_in_status(std::string_view status, std::string_view name, int base) {
    const auto number = status_number(status, name, base);
    if (!number)
        throw Unobservable("/proc/self/status does not show " + std::string(name));
    return *number;
}

std::string HelperProcess::read_file(const char* name) {
    constexpr size_t most = 4096;
    const int64_t fd = call(SYS_openat, as_argument(AT_FDCWD), text(name), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return {};
    const char* content = static_cast<const char*>(room(most));
    const int64_t length = call(SYS_read, as_argument(fd), as_argument(content), most);
    call(SYS_close, as_argument(fd));
    return std::string(content, static_cast<size_t>(std::max<int64_t>(length, 0)));
}

void HelperProcess::introduce() {
    const KernelMemory::Request r = owner_.memory().request(KernelMemory::own_task, 0, sizeof(uint64_t));
    call(SYS_getppid, r[0], r[1], r[2], r[3], r[4]);
    const KernelMemory::Answer answer = owner_.memory().answer(sizeof(uint64_t));
    task_ = answer.task;
    tid_ = answer.tid;
    tgid_ = answer.tgid;
}

HelperProcess& HelperProcess::spawn(Kind kind) {
    return owner_.spawn(this, kind);
}

void HelperProcess::await_zombie() {
    const uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + longest_wait_ns;
    if (parent_) {
        const auto info = as_argument(parent_->room(sizeof(siginfo_t)));
        parent_->must("waiting for a helper process", SYS_waitid, P_PID, as_argument(pid_), info,
                      WEXITED | WNOWAIT | __WALL);
        return;
    }
    while (!is_zombie(pid_)) {
        if (clock_ns(CLOCK_MONOTONIC) > deadline)
            throw Unobservable("a helper process does not end");
        const timespec pause{0, 200'000};
        nanosleep(&pause, nullptr);
    }
}

HelperProcesses::HelperProcesses(const KernelMemory& memory) : memory_(memory) {
    void* boxes = mmap(nullptr, most_helpers * sizeof(Mailbox), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (boxes == MAP_FAILED)
        throw Error(ErrorCode::resources,
                    std::string("cannot discover the kernel's offsets: cannot allocate memory: ") +
                        strerror(errno));
    boxes_ = static_cast<std::byte*>(boxes);
}

Mailbox* HelperProcesses::new_mailbox() {
    if (boxes_used_ == most_helpers)
        throw Unobservable("there are too many helper processes");
    return new (boxes_ + sizeof(Mailbox) * boxes_used_++) Mailbox{};
}

HelperProcess& HelperProcesses::spawn(HelperProcess* parent, HelperProcess::Kind kind) {
    std::unique_ptr<HelperProcess> helper(new HelperProcess(*this, parent, new_mailbox()));
    helper->kind_ = kind;
    helper->born_after_ = clock_ns(CLOCK_BOOTTIME);
    int64_t pid;
    if (parent) {
        parent->box_->task = kind == HelperProcess::Kind::process  ? Mailbox::Task::spawn_process
                             : kind == HelperProcess::Kind::thread ? Mailbox::Task::spawn_thread
                                                                   : Mailbox::Task::spawn_sharing;
        parent->box_->child = helper->box_;
        set_state(parent->box_->state, asked);
        parent->await_done("making another process");
        pid = parent->box_->result;
    } else {
        const SignalsBlocked blocked;
        pid = spawn_process(*helper->box_);
    }
    helper->born_before_ = clock_ns(CLOCK_BOOTTIME);
    if (pid < 0)
        throw Unobservable(std::string("cannot make a helper process: ") + strerror(static_cast<int>(-pid)));
    helper->pid_ = static_cast<pid_t>(pid);
    HelperProcess& made = *all_.emplace_back(std::move(helper));
    made.introduce();
    return made;
}

namespace {

constexpr timespec reap_pause{0, 500'000};
constexpr int reap_tries = 10000; ///< five seconds

} // namespace

void HelperProcesses::reap(HelperProcess& helper) {
    if (helper.kind_ != HelperProcess::Kind::thread && helper.parent_)
        helper.parent_->call(SYS_wait4, as_argument(helper.pid_), 0, __WALL);
    else if (helper.kind_ != HelperProcess::Kind::thread)
        for (int i = 0; i < reap_tries && waitpid(helper.pid_, nullptr, WNOHANG | __WALL) == 0; i++) {
            // A traced thread that is dead holds its process until it is waited for.
            for (const auto& other : all_)
                if (other->kind_ == HelperProcess::Kind::thread)
                    waitpid(other->pid_, nullptr, WNOHANG | __WALL);
            nanosleep(&reap_pause, nullptr);
        }
    std::erase_if(all_, [&](const auto& other) { return other.get() == &helper; });
}

void HelperProcesses::dismiss(HelperProcess& helper) {
    if (helper.kind_ != HelperProcess::Kind::thread)
        kill(helper.pid_, SIGKILL);
    reap(helper);
}

HelperProcesses::~HelperProcesses() {
    while (!all_.empty()) {
        try {
            dismiss(*all_.back());
        } catch (const Unobservable&) { // its parent is gone: then the system reaps it
            all_.pop_back();
        }
    }
    munmap(boxes_, most_helpers * sizeof(Mailbox));
}

} // namespace ebpf_loader::discovery
