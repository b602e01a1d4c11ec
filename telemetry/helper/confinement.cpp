// SPDX-License-Identifier: MIT
#include "telemetry/helper/confinement.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <initializer_list>
#include <net/if.h>
#include <sched.h>
#include <span>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/helper/readable_files.hpp"
#include "telemetry/rights/call_filter.hpp"
#include "telemetry/rights/capabilities.hpp"

namespace telemetry {
namespace {

#ifdef EBT_PORTABLE
constexpr bool loads_libraries = false;
#else
constexpr bool loads_libraries = true; ///< the C library does, for names
#endif
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

/// To ask name servers, besides: files for reading, sockets, and what the C library's name services do.
constexpr int of_names[] = {
    SCMP_SYS(read),          SCMP_SYS(readv),      SCMP_SYS(lseek),           SCMP_SYS(fstat),
    SCMP_SYS(stat),          SCMP_SYS(lstat),      SCMP_SYS(newfstatat),      SCMP_SYS(statx),
    SCMP_SYS(access),        SCMP_SYS(faccessat),  SCMP_SYS(faccessat2),      SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),    SCMP_SYS(fcntl),      SCMP_SYS(getdents64),      SCMP_SYS(fstatfs),
    SCMP_SYS(connect),       SCMP_SYS(bind),       SCMP_SYS(getsockname),     SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),    SCMP_SYS(setsockopt), SCMP_SYS(shutdown),        SCMP_SYS(sendto),
    SCMP_SYS(sendmmsg),      SCMP_SYS(recvfrom),   SCMP_SYS(recvmmsg),        SCMP_SYS(select),
    SCMP_SYS(pselect6),      SCMP_SYS(uname),      SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(getuid),        SCMP_SYS(geteuid),    SCMP_SYS(getgid),          SCMP_SYS(getegid),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),  SCMP_SYS(epoll_wait),      SCMP_SYS(epoll_pwait),
    SCMP_SYS(time),          SCMP_SYS(sysinfo),    SCMP_SYS(rt_sigaction)};

/// To start and end helpers, and what these do before they are confined.
constexpr int of_keeper[] = {
    SCMP_SYS(clone),   SCMP_SYS(fork),         SCMP_SYS(vfork),           SCMP_SYS(wait4),
    SCMP_SYS(kill),    SCMP_SYS(nanosleep),    SCMP_SYS(clock_nanosleep), SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),    SCMP_SYS(rt_sigaction), SCMP_SYS(getppid),         SCMP_SYS(prctl),
    SCMP_SYS(seccomp), SCMP_SYS(prlimit64),    SCMP_SYS(setrlimit),       SCMP_SYS(close_range),
    SCMP_SYS(fcntl),   SCMP_SYS(uname)};

/// And what a helper that reaches name servers does before.
constexpr int of_keeper_of_names[] = {SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
                                      SCMP_SYS(landlock_restrict_self)};

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

/// Memory of its own, which it never executes; modules of name services are, and never written.
void add_memory(CallFilter& filter, Reach reach) {
    constexpr uint64_t write_and_execute = PROT_WRITE | PROT_EXEC;
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
        filter.add(call, 2, PROT_EXEC, 0);
        if (reach == Reach::name_servers && loads_libraries)
            filter.add(call, 2, write_and_execute, PROT_EXEC);
    }
}

/// What it reaches.
void add_names(CallFilter& filter) {
    filter.add_all(of_names);
    constexpr uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
    filter.add(SCMP_SYS(open), 1, writing, O_RDONLY);
    filter.add(SCMP_SYS(openat), 2, writing, O_RDONLY);
    filter.add_each(SCMP_SYS(ioctl), 1, {FIONREAD, FIONBIO, SIOCGIFNAME, SIOCGIFINDEX});
    filter.add_each(SCMP_SYS(socket), 0, {AF_INET, AF_INET6});
    if (loads_libraries) // caches and services of this machine, and which addresses it has
        filter.add_each(SCMP_SYS(socket), 0, {AF_UNIX, AF_NETLINK});
}

/// Kills at these, but for those that it makes.
void add_fatal(CallFilter& filter, std::span<const int> calls, Reach reach) {
    for (const int call : calls)
        if (reach == Reach::nothing ||
            (call != SCMP_SYS(socket) && std::ranges::find(of_names, call) == std::end(of_names)))
            filter.add(call, SCMP_ACT_KILL_PROCESS);
}

/// Others trust root, whose files and sockets the helper could open. In a user namespace that does not know
/// this user it stays who it is.
void become_nobody() {
    constexpr id_t nobody = 65534;
    // Of this thread, the only one.
    syscall(SYS_setgroups, 0, nullptr);
    syscall(SYS_setresgid, nobody, nobody, nobody);
    syscall(SYS_setresuid, nobody, nobody, nobody);
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

bool confine_keeper(Reach reach) {
    empty_bounding_set();
    if (reach == Reach::name_servers)
        become_nobody();
    if (!set_capabilities(0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || !limit(RLIMIT_CORE, 0) || !limit(RLIMIT_FSIZE, 0) ||
        !limit(RLIMIT_NOFILE, most_files) || !limit(RLIMIT_MEMLOCK, 0))
        return false;
    CallFilter filter(SCMP_ACT_ERRNO(EPERM));
    filter.add_all(of_helper);
    filter.add_all(of_keeper);
    add_fatal(filter, fatal, reach);
    filter.add(SCMP_SYS(clone3),
               SCMP_ACT_ERRNO(ENOSYS)); // its flags cannot be seen: the C library takes clone
    filter.add_each(SCMP_SYS(socketpair), 0, {AF_UNIX});
    add_memory(filter, reach);
    if (reach == Reach::name_servers) {
        add_names(filter);
        filter.add_all(of_keeper_of_names);
    }
    return load(filter);
}

bool confine_helper(uint64_t most_mapped, Reach reach) {
    if (!limit(RLIMIT_AS, most_mapped) || (reach == Reach::name_servers && !keep_files_of_names()))
        return false;
    CallFilter filter(SCMP_ACT_ERRNO(EPERM));
    filter.add_all(of_helper);
    add_fatal(filter, fatal, reach);
    add_fatal(filter, of_keeper, reach);
    add_memory(filter, reach);
    if (reach == Reach::name_servers)
        add_names(filter);
    return load(filter);
}

} // namespace telemetry
