// SPDX-License-Identifier: MIT
#include "telemetry/rights/system_calls.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <memory>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "telemetry/rights/call_filter.hpp"

namespace telemetry {

namespace {

/// Those that the program makes once it reports events, its libraries and the C library included.
constexpr int allowed[] = {
    // Files: /proc, outputs, certificates, names.
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(preadv), SCMP_SYS(write), SCMP_SYS(pwrite64),
    SCMP_SYS(writev), SCMP_SYS(pwritev), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(close),
    SCMP_SYS(lseek), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(fcntl), SCMP_SYS(dup),
    SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(getcwd), SCMP_SYS(umask), SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range), SCMP_SYS(flock),
    SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir),
    SCMP_SYS(fchmod), SCMP_SYS(fchown), SCMP_SYS(utimensat), SCMP_SYS(fadvise64), SCMP_SYS(memfd_create),
    SCMP_SYS(copy_file_range), SCMP_SYS(sendfile),
    // Networks, and waiting.
    SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
    SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt), SCMP_SYS(shutdown), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select),
    SCMP_SYS(pselect6), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_create), SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd),
    SCMP_SYS(eventfd2), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch),
    SCMP_SYS(inotify_rm_watch),
    // Time.
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(getrusage),
    // Memory.
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mincore),
    SCMP_SYS(membarrier),
    // Threads, signals and the end.
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(gettid),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_getparam), SCMP_SYS(getcpu), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
    SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(wait4), SCMP_SYS(capget), SCMP_SYS(capset),
    // Who and where it is.
    SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(getgroups), SCMP_SYS(getpgrp), SCMP_SYS(getpgid), SCMP_SYS(getsid),
    SCMP_SYS(getpriority), SCMP_SYS(setpriority), SCMP_SYS(getrlimit), SCMP_SYS(uname), SCMP_SYS(sysinfo),
    SCMP_SYS(getrandom),
    // Hooks that are attached while it runs; which capability that takes, the kernel decides.
    SCMP_SYS(perf_event_open)};

/// Of programs that were taken over: they would only try the next thing if these merely failed.
constexpr int fatal[] = {SCMP_SYS(execve),
                         SCMP_SYS(execveat),
                         SCMP_SYS(fork),
                         SCMP_SYS(vfork),
                         SCMP_SYS(ptrace),
                         SCMP_SYS(process_vm_readv),
                         SCMP_SYS(process_vm_writev),
                         SCMP_SYS(init_module),
                         SCMP_SYS(finit_module),
                         SCMP_SYS(delete_module),
                         SCMP_SYS(kexec_load),
                         SCMP_SYS(kexec_file_load),
                         SCMP_SYS(mount),
                         SCMP_SYS(umount2),
                         SCMP_SYS(pivot_root),
                         SCMP_SYS(chroot),
                         SCMP_SYS(move_mount),
                         SCMP_SYS(open_tree),
                         SCMP_SYS(fsopen),
                         SCMP_SYS(setns),
                         SCMP_SYS(unshare),
                         SCMP_SYS(setuid),
                         SCMP_SYS(setgid),
                         SCMP_SYS(setresuid),
                         SCMP_SYS(setresgid),
                         SCMP_SYS(setreuid),
                         SCMP_SYS(setregid),
                         SCMP_SYS(setgroups),
                         SCMP_SYS(keyctl),
                         SCMP_SYS(add_key),
                         SCMP_SYS(userfaultfd),
                         SCMP_SYS(io_uring_setup),
                         SCMP_SYS(open_by_handle_at),
                         SCMP_SYS(pidfd_getfd),
                         SCMP_SYS(reboot),
                         SCMP_SYS(swapon),
                         SCMP_SYS(iopl),
                         SCMP_SYS(ioperm)};

std::atomic<int> refused_call{-1};

void set_result(void* context, long result) {
    mcontext_t& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
    registers.gregs[REG_RAX] = result;
#elif defined(__aarch64__)
    registers.regs[0] = static_cast<unsigned long long>(result);
#else
#error "which register is the result of a system call?"
#endif
}

extern "C" void note_refused(int, siginfo_t* info, void* context) {
    refused_call = info->si_syscall;
    set_result(context, -EPERM);
}

/// No memory is both written and executed. Programs that are linked with libraries load those of an output
/// that a reload brings; the portable ones never execute what they map.
void add_memory(CallFilter& filter) {
    constexpr uint64_t write_and_execute = PROT_WRITE | PROT_EXEC;
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
        filter.add(call, 2, write_and_execute, 0);
        filter.add(call, 2, write_and_execute, PROT_WRITE);
#ifndef EBT_PORTABLE
        filter.add(call, 2, write_and_execute, PROT_EXEC);
#endif
    }
}

/// Calls that do many things, of which few are needed.
void add_partial(CallFilter& filter) {
    filter.add(SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD);
    filter.add(SCMP_SYS(clone), 0, CLONE_THREAD, 0, SCMP_ACT_KILL_PROCESS);
    filter.add(SCMP_SYS(clone3),
               SCMP_ACT_ERRNO(ENOSYS)); // its flags cannot be seen: the C library takes clone
    filter.add_each(SCMP_SYS(bpf), 0,
                    {BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY,
                     BPF_MAP_LOOKUP_BATCH, BPF_OBJ_GET_INFO_BY_FD, BPF_RAW_TRACEPOINT_OPEN, BPF_LINK_CREATE});
    filter.add_each(SCMP_SYS(socket), 0, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK});
    filter.add_each(SCMP_SYS(socketpair), 0, {AF_UNIX});
    filter.add_each(SCMP_SYS(ioctl), 1,
                    {PERF_EVENT_IOC_ENABLE, PERF_EVENT_IOC_DISABLE, PERF_EVENT_IOC_PAUSE_OUTPUT,
                     PERF_EVENT_IOC_SET_BPF, TCGETS, TCSETS, TCSETSW, TCSETSF, TCFLSH, TIOCGWINSZ, TIOCOUTQ,
                     FIONREAD, FIONBIO, FIOCLEX, SIOCGIFCONF, SIOCGIFINDEX, SIOCGIFNAME, SIOCGIFFLAGS});
    filter.add_each(SCMP_SYS(prctl), 0, {PR_SET_NAME, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAPBSET_READ});
    filter.add(SCMP_SYS(prlimit64), 2, UINT64_MAX, 0); // to read a limit
    filter.add(SCMP_SYS(tgkill), 0, UINT32_MAX, static_cast<uint64_t>(getpid()));
}

/// Of this thread: a default action that calls a handler needs one.
void handle_refused() {
    struct sigaction action {};
    action.sa_sigaction = note_refused;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSYS, &action, nullptr);
}

} // namespace

std::string restrict_system_calls() {
    CallFilter filter(SCMP_ACT_TRAP);
    filter.add_all(allowed);
    filter.add_all(fatal, SCMP_ACT_KILL_PROCESS);
    add_memory(filter);
    add_partial(filter);
    handle_refused();
    const int error = filter.load();
    return error == 0 ? "" : std::strerror(-error);
}

std::optional<std::string> take_refused_call() {
    const int number = refused_call.exchange(-1);
    if (number < 0)
        return std::nullopt;
    const std::unique_ptr<char, decltype(&free)> name(
        seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), free);
    return name ? std::string(name.get()) : "number " + std::to_string(number);
}

} // namespace telemetry
