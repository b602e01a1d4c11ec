// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/self_check/children.hpp"

#include "loader/src/arch/machine.hpp"
#include "loader/src/arch/tiny_executable.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace ebpf_loader::self_check {
namespace {

/// Does it in a child, which must not allocate or take a lock: other threads are not there
/// to let go of theirs. Without a signal at its end, a handler of the host program's does
/// not run for it.
template <typename Life> Child live(Life life) {
    Child child;
    child.pid = static_cast<pid_t>(syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr));
    if (child.pid == 0) {
        life();
        _exit(127);
    }
    if (child.pid < 0)
        throw Error(ErrorCode::resources, std::string("cannot start a child process: ") + strerror(errno));
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOWAIT | __WALL) && errno == EINTR)
        continue;
    child.start_ticks = process_start_ticks(child.pid);
    while (waitpid(child.pid, &child.status, __WALL) < 0 && errno == EINTR)
        continue;
    return child;
}

/// The program in memory; none where the kernel does not allow that.
UniqueFd tiny_program() {
    const auto program = tiny_executable(machine::exit_program());
    UniqueFd memory(
        static_cast<int>(syscall(SYS_memfd_create, "ebpf_telemetry-check", 1u /* MFD_CLOEXEC */)));
    if (memory && write(memory.get(), program.data(), program.size()) < 0)
        throw Error(ErrorCode::resources,
                    std::string("cannot write a program to memory: ") + strerror(errno));
    return memory;
}

/// Where the kernel takes no calls of the compat ABI, the instruction is a fault: go on behind it.
void step_over(int, siginfo_t*, void* context) {
    if (!machine::step_over_compat_call(context))
        _exit(127);
}

void handle_faults() {
    struct sigaction action {};
    action.sa_sigaction = step_over;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    sigset_t faults;
    sigemptyset(&faults);
    sigaddset(&faults, SIGSEGV);
    sigprocmask(SIG_UNBLOCK, &faults, nullptr);
}

} // namespace

ExecutedChild::ExecutedChild() {
    const UniqueFd program = tiny_program();
    char name[] = "ebpf_telemetry-check";
    char* const argv[] = {name, nullptr};
    char* const environment[] = {nullptr};
    const uint64_t given[] = {static_cast<uint64_t>(program.get()), reinterpret_cast<uint64_t>(""),
                              reinterpret_cast<uint64_t>(argv), reinterpret_cast<uint64_t>(environment),
                              AT_EMPTY_PATH};
    std::copy(std::begin(given), std::end(given), args);
    static_cast<Child&>(*this) =
        live([&] { syscall(SYS_execveat, args[0], args[1], args[2], args[3], args[4], args[5]); });
}

ThreadedChild::ThreadedChild(const MarkerCall& marker) {
    const auto thread = std::make_unique<machine::LastThread>();
    std::copy_n(marker.args(), EBT_ARGS, thread->args);
    static_cast<Child&>(*this) = live([&] {
        handle_faults();
        syscall(SYS_set_tid_address, &thread->first_alive);
        machine::ebt_outlive_first_thread(thread.get());
    });
}

} // namespace ebpf_loader::self_check
