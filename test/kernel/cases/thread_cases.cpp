// SPDX-License-Identifier: MIT
// Threads: their calls, their ends, the end of the process.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "test/kernel/thread.hpp"

namespace kernel_test {

namespace {

void open_one(Process& thread, void*) {
    thread.call({"open", SYS_open}, "/no/such", O_RDONLY).fails(ENOENT).named(0, "/no/such");
}

void thread_(Process& p) {
    for (int i = 0; i < 3; i++) {
        const Thread thread(p, open_one);
        thread.join();
    }
}

void name_itself(Process& thread, void*) {
    raw_syscall(SYS_prctl, PR_SET_NAME, register_value("thread's own"));
    log_string(thread.change().comm, 16, "thread's own");
    open_one(thread, nullptr);
}

/// A thread's name is its own.
void thread_comm(Process& p) {
    Thread(p, name_itself).join();
    p.call({"open", SYS_open}, "/no", O_RDONLY).fails(ENOENT).named(0, "/no");
}

void end_process(Process& thread, void*) {
    thread.log_no_return({"exit_group", SYS_exit_group}, {11});
    thread.log_exit(thread.identity(), 11 << 8, LOG_ANY_TID);
    raw_syscall(SYS_exit_group, 11);
}

/// exit_group by a thread while others live: one process_exit, with its status.
void thread_exit_group(Process& p) {
    const pid_t child = p.fork({"fork", SYS_fork}, [](Process& c) {
        const Thread thread(c, end_process);
        while (true)
            raw_syscall(SYS_ppoll, 0, 0, 0, 0); // for ever
    });
    p.require(p.wait(child) == 11 << 8, "exit status");
}

void outlive_leader(Process& thread, void* alive) {
    // The leader is a zombie once its entry in the log is followed by its end.
    const auto leader = static_cast<int*>(alive);
    while (__atomic_load_n(leader, __ATOMIC_ACQUIRE) != 0)
        raw_syscall(SYS_sched_yield);
    open_one(thread, nullptr);
    exit_thread(thread, 7);
}

/// The leader ends first: the process goes on, and ends with its last thread.
void last_thread(Process& p) {
    static int leader_alive;
    const pid_t child = p.fork({"fork", SYS_fork}, [](Process& c) {
        leader_alive = 1;
        raw_syscall(SYS_set_tid_address, register_value(&leader_alive)); // cleared at its end
        const Thread thread(c, outlive_leader, &leader_alive);
        c.log_no_return({"exit", SYS_exit}, {5});
        raw_syscall(SYS_exit, 5);
    });
    log_identity who = p.identity();
    const int status = p.wait(child);
    who.ppid = who.pid;
    who.pid = who.tid = static_cast<uint32_t>(child);
    p.log_exit(who, status, LOG_ANY_TID);
}

} // namespace

Cases thread_cases() {
    return {
        {"thread", thread_},
        {"thread_comm", thread_comm},
        {"thread_exit_group", thread_exit_group, false},
        {"last_thread", last_thread, false},
    };
}

} // namespace kernel_test
