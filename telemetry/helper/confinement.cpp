// SPDX-License-Identifier: MIT
#include "telemetry/helper/confinement.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <initializer_list>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/rights/call_filter.hpp"
#include "telemetry/rights/capabilities.hpp"

namespace telemetry {
namespace {

constexpr rlim_t most_files = 256; ///< a stack has at most one for each of its frames

constexpr int of_helper[] = {
#ifdef EBT_SANITIZED // what does not return looks for a stack of signals; types of objects are read
                     // through a pipe
    SCMP_SYS(sigaltstack),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
    SCMP_SYS(write),
#endif
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(pread64),
    SCMP_SYS(close),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group)};

/// To start and end helpers, and what these do before they are confined.
constexpr int of_keeper[] = {
    SCMP_SYS(clone),   SCMP_SYS(fork),         SCMP_SYS(vfork),           SCMP_SYS(wait4),
    SCMP_SYS(kill),    SCMP_SYS(nanosleep),    SCMP_SYS(clock_nanosleep), SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),    SCMP_SYS(rt_sigaction), SCMP_SYS(getppid),         SCMP_SYS(prctl),
    SCMP_SYS(seccomp), SCMP_SYS(prlimit64),    SCMP_SYS(setrlimit),       SCMP_SYS(close_range),
    SCMP_SYS(fcntl),   SCMP_SYS(uname)};

/// Of programs that were taken over. To open a file merely fails: malloc(3) tries, when memory gets short.
constexpr int fatal[] = {SCMP_SYS(execve),
                         SCMP_SYS(execveat),
                         SCMP_SYS(ptrace),
                         SCMP_SYS(process_vm_readv),
                         SCMP_SYS(process_vm_writev),
                         SCMP_SYS(open_by_handle_at),
                         SCMP_SYS(socket),
                         SCMP_SYS(connect),
                         SCMP_SYS(bpf),
                         SCMP_SYS(mount),
                         SCMP_SYS(unshare),
                         SCMP_SYS(setns),
                         SCMP_SYS(setuid),
                         SCMP_SYS(io_uring_setup),
                         SCMP_SYS(userfaultfd),
                         SCMP_SYS(perf_event_open)};

bool limit(int resource, rlim_t value) {
    rlimit now{};
    if (getrlimit(static_cast<__rlimit_resource_t>(resource), &now) != 0)
        return false;
    const rlim_t lower = value < now.rlim_max ? value : now.rlim_max; // to raise it takes a capability
    const rlimit limits = {lower, lower};
    return setrlimit(static_cast<__rlimit_resource_t>(resource), &limits) == 0;
}

/// Memory of its own, which it never executes.
void add_memory(CallFilter& filter) {
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
        filter.add(call, 2, PROT_EXEC, 0);
}

bool load(CallFilter& filter) {
    const int error = filter.load();
    return error == 0 || error == -EINVAL || error == -ENOSYS; // a kernel without filters
}

} // namespace

void close_others(int kept) {
    const auto end = static_cast<unsigned>(kept);
#ifdef SYS_close_range
    const bool is_done = (end == 0 || syscall(SYS_close_range, 0U, end - 1, 0) == 0) &&
                         syscall(SYS_close_range, end + 1, ~0U, 0) == 0;
    if (is_done)
        return;
#endif
    rlimit files{}; // before Linux 5.9
    getrlimit(RLIMIT_NOFILE, &files);
    constexpr rlim_t most = 1u << 20;
    for (unsigned file = 0; file < (files.rlim_cur < most ? files.rlim_cur : most); ++file)
        if (file != end)
            close(static_cast<int>(file));
}

uint64_t mapped_bytes() {
    const ebpf_loader::UniqueFd file(open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
    char text[128];
    const ssize_t size = file ? read(file.get(), text, sizeof(text) - 1) : 0;
    text[size > 0 ? size : 0] = '\0';
    unsigned long long pages = 0;
    const bool is_known = sscanf(text, "%llu", &pages) == 1;
    return is_known ? pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

bool confine_keeper() {
    empty_bounding_set();
    if (!set_capabilities(0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || !limit(RLIMIT_CORE, 0) || !limit(RLIMIT_FSIZE, 0) ||
        !limit(RLIMIT_NOFILE, most_files) || !limit(RLIMIT_MEMLOCK, 0))
        return false;
    CallFilter filter(SCMP_ACT_ERRNO(EPERM));
    filter.add_all(of_helper);
    filter.add_all(of_keeper);
    filter.add_all(fatal, SCMP_ACT_KILL_PROCESS);
    filter.add(SCMP_SYS(clone3),
               SCMP_ACT_ERRNO(ENOSYS)); // its flags cannot be seen: the C library takes clone
    filter.add_each(SCMP_SYS(socketpair), 0, {AF_UNIX});
    add_memory(filter);
    return load(filter);
}

bool confine_helper(uint64_t most_mapped) {
    if (!limit(RLIMIT_AS, most_mapped))
        return false;
    CallFilter filter(SCMP_ACT_ERRNO(EPERM));
    filter.add_all(of_helper);
    filter.add_all(fatal, SCMP_ACT_KILL_PROCESS);
    for (const int call : of_keeper)
        filter.add(call, SCMP_ACT_KILL_PROCESS);
    add_memory(filter);
    return load(filter);
}

} // namespace telemetry
