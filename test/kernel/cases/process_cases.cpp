// SPDX-License-Identifier: MIT
// How processes begin and end.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kernel_test {

namespace {

void fork_(Process& p) {
    const pid_t child = p.fork({"fork", SYS_fork}, [](Process& c) {
        c.call({"open", SYS_open}, "no", O_RDONLY).fails(ENOENT).named(0, c.at("no"));
        c.exit_group(42);
    });
    p.require(p.wait(child) == 42 << 8, "exit status");
}

void exit_codes(Process& p) {
    for (const int code : {0, 1, 255, 256 + 7, -1}) {
        const pid_t child = p.fork({"fork", SYS_fork}, [&](Process& c) { c.exit_group(code); });
        p.require(p.wait(child) == (code & 0xff) << 8, "exit status");
    }
}

/// A process that is its only thread may also end by exit.
void exit_(Process& p) {
    const pid_t child = p.fork({"fork", SYS_fork}, [&](Process& c) {
        c.log_no_return({"exit", SYS_exit}, {9});
        c.log_exit(c.identity(), 9 << 8);
        raw_syscall(SYS_exit, 9);
    });
    p.require(p.wait(child) == 9 << 8, "exit status");
}

/// vfork's child borrows the memory of its parent, the log included.
void vfork_(Process& p) {
    const uint64_t before = log_now();
    static Process* borrowed;
    borrowed = &p;
    const pid_t child = vfork();
    if (child == 0) {
        Process c = borrowed->as_child();
        c.call({"open", SYS_open}, "no", O_RDONLY).fails(ENOENT).named(0, c.at("no"));
        c.exit_group(3);
    }
    p.log_fork({"vfork", SYS_vfork}, child, before, {}).any(LOG_ANY_ARGS);
    p.wait(child);
}

void clone_(Process& p) {
    p.wait(p.fork(
        {"clone", SYS_clone}, [](Process& c) { c.exit_group(1); }, SIGCHLD, 0, 0, 0, 0));
    p.call({"clone", SYS_clone}, CLONE_THREAD, 0, 0, 0, 0).fails(EINVAL);
    p.call({"clone", SYS_clone}, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0).fails(EINVAL);
}

void clone3_(Process& p) {
    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    const pid_t child = p.fork(
        {"clone3", SYS_clone3}, [](Process& c) { c.exit_group(1); }, &arguments, sizeof arguments);
    if (child > 0)
        p.wait(child);
    else
        p.call({"clone3", SYS_clone3}, &arguments, sizeof arguments)
            .succeeds() // counts it
            .points_to(0, arguments);
    p.call({"clone3", SYS_clone3}, &arguments, 3).fails(EINVAL).points_to(0, arguments, 3);
}

/// Waits until nobody has the other end of a pipe any more: its last holder has ended,
/// which is reported before its descriptors are closed.
void wait_for_end(int end) {
    char byte;
    while (read(end, &byte, 1) > 0) {
    }
}

/// The child of such a call is its caller's sibling.
void clone_parent(Process& p) {
    int ends[2];
    p.require(pipe(ends) == 0, "pipe");
    const uint64_t before = log_now();
    const uint64_t flags = CLONE_PARENT | SIGCHLD;
    const long child = raw_syscall(SYS_clone, flags);
    if (child == 0) {
        Process c = p.as_child();
        c.log().identity[c.identity_index()].ppid = p.identity().ppid;
        close(ends[0]);
        c.exit_group(6);
    }
    p.log_fork({"clone", SYS_clone}, child, before, {flags});
    close(ends[1]);
    wait_for_end(ends[0]);
    p.require(child > 0, "clone");
}

/// What a signal kills says nothing itself.
void killed(Process& p) {
    for (const int signal : {SIGKILL, SIGTERM, SIGUSR1}) {
        const pid_t child = p.fork({"fork", SYS_fork}, [&](Process& c) {
            c.announce({"kill", SYS_kill}, {c.identity().pid, register_value(signal)});
            c.log_exit(c.identity(), signal);
            raw_syscall(SYS_kill, c.identity().pid, register_value(signal));
        });
        const int status = p.wait(child);
        p.require(WIFSIGNALED(status) && WTERMSIG(status) == signal, "not killed");
    }
}

/// A process whose parent ends before it has another parent.
void orphan(Process& p) {
    int go[2], alive[2];
    p.require(pipe(go) == 0 && pipe(alive) == 0, "pipe");
    const pid_t child = p.fork({"fork", SYS_fork}, [&](Process& c) {
        c.fork({"fork", SYS_fork}, [&](Process& grandchild) {
            close(go[1]);
            wait_for_end(go[0]);
            grandchild.change().ppid = static_cast<uint32_t>(raw_syscall(SYS_getppid));
            grandchild.call({"open", SYS_open}, "no", O_RDONLY).fails(ENOENT).named(0, grandchild.at("no"));
        });
        c.exit_group(0);
    });
    p.wait(child);
    close(go[1]);
    close(alive[1]);
    wait_for_end(alive[0]);
}

} // namespace

Cases process_cases() {
    return {
        {"fork", fork_},           {"exit_codes", exit_codes},
        {"exit", exit_},           {"vfork", vfork_},
        {"clone", clone_},         {"clone3", clone3_},
        {"killed", killed},        {"clone_parent", clone_parent, false},
        {"orphan", orphan, false},
    };
}

} // namespace kernel_test
