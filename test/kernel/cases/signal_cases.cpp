// SPDX-License-Identifier: MIT
// Signals and the other ways into a process.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kernel_test {

namespace {

/// Above every limit on process ids: never anybody's.
constexpr int no_process = 0x3fffffff;

void kill_(Process& p) {
    const auto pid = p.identity().pid;
    p.call({"kill", SYS_kill}, pid, 0).succeeds();
    p.call({"kill", SYS_kill}, no_process, SIGKILL).fails(ESRCH);
    p.call({"kill", SYS_kill}, pid, 500).fails(EINVAL);
    p.call({"tkill", SYS_tkill}, pid, 0).succeeds();
    p.call({"tkill", SYS_tkill}, no_process, SIGKILL).fails(ESRCH);
    p.call({"tgkill", SYS_tgkill}, pid, pid, 0).succeeds();
    p.call({"tgkill", SYS_tgkill}, no_process, no_process, SIGSTOP).fails(ESRCH);
}

void sigqueueinfo(Process& p) {
    const auto pid = p.identity().pid;
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    p.call({"rt_sigqueueinfo", SYS_rt_sigqueueinfo}, pid, 0, &info).succeeds();
    p.call({"rt_sigqueueinfo", SYS_rt_sigqueueinfo}, no_process, SIGKILL, &info).fails(ESRCH);
    p.call({"rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo}, pid, pid, 0, &info).succeeds();
    p.call({"rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo}, no_process, no_process, SIGKILL, &info).fails(ESRCH);
}

void pidfd(Process& p) {
    constexpr long nr_pidfd_open = 434;
    const long fd = p.call({"pidfd_open", nr_pidfd_open}, p.identity().pid, 0).may_fail().ret();
    p.call({"pidfd_send_signal", SYS_pidfd_send_signal}, fd, 0, 0, 0).may_fail();
    p.call({"pidfd_send_signal", SYS_pidfd_send_signal}, -1, SIGKILL, 0, 0).fails(EBADF);
    const int file = p.make_file("file");
    Call copy = p.call({"pidfd_getfd", SYS_pidfd_getfd}, fd, file, 0);
    if (copy.succeeds().ret() >= 0)
        copy.opened(EBT_ARG_RET, p.at("file"));
    p.call({"pidfd_getfd", SYS_pidfd_getfd}, -1, 0, 0).fails(EBADF);
}

/// Stops, is watched, goes on.
void ptrace_(Process& p) {
    const pid_t child = p.fork({"fork", SYS_fork}, [](Process& c) {
        c.call({"ptrace", SYS_ptrace}, PTRACE_TRACEME, 0, 0, 0).succeeds();
        c.call({"tgkill", SYS_tgkill}, c.identity().pid, c.identity().pid, SIGSTOP).succeeds();
        c.exit_group(12);
    });
    const int stopped = p.wait(child);
    p.require(WIFSTOPPED(stopped), "the traced child did not stop");
    p.call({"ptrace", SYS_ptrace}, PTRACE_CONT, child, 0, 0).succeeds();
    p.require(p.wait(child) == 12 << 8, "exit status");
    p.call({"ptrace", SYS_ptrace}, PTRACE_ATTACH, no_process, 0, 0).fails(ESRCH);
    p.call({"ptrace", SYS_ptrace}, PTRACE_POKEDATA, no_process, 16, 17).fails(ESRCH);
}

void process_vm(Process& p) {
    char from[] = "text", to[sizeof from];
    const iovec local{to, sizeof to}, remote{from, sizeof from};
    const auto pid = p.identity().pid;
    p.call({"process_vm_readv", SYS_process_vm_readv}, pid, &local, 1, &remote, 1, 0).may_fail();
    p.call({"process_vm_readv", SYS_process_vm_readv}, no_process, &local, 1, &remote, 1, 0).may_fail();
    p.call({"process_vm_writev", SYS_process_vm_writev}, pid, &local, 1, &remote, 1, 0).may_fail();
    p.call({"process_vm_writev", SYS_process_vm_writev}, no_process, &local, 1, &remote, 1, 0).may_fail();
}

Process* handled;

void handle(int) {
    handled->log_no_return({"rt_sigreturn", SYS_rt_sigreturn}, {}).any(LOG_ANY_ARGS);
}

void rt_sigreturn_(Process& p) {
    handled = &p;
    signal(SIGUSR1, handle);
    p.call({"tgkill", SYS_tgkill}, p.identity().pid, p.identity().pid, SIGUSR1).succeeds();
    // What it interrupts is reported as user space sees it.
    p.call({"open", SYS_open}, "/no", O_RDONLY).fails(ENOENT).named(0, "/no");
}

} // namespace

Cases signal_cases() {
    return {
        {"kill", kill_},     {"sigqueueinfo", sigqueueinfo}, {"pidfd", pidfd},
        {"ptrace", ptrace_}, {"process_vm", process_vm},     {"rt_sigreturn", rt_sigreturn_},
    };
}

} // namespace kernel_test
