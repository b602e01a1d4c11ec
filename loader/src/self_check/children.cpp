// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/self_check/children.hpp"

#include "loader/src/arch/x86/tiny_executable.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

namespace ebpf_loader::self_check {
namespace {

/// Does it in a child, which must not allocate or take a lock: other threads are not there
/// to let go of theirs. Without a signal at its end, a handler of the host program's does
/// not hear of it.
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
    const uint8_t code[] = {0xbf, ExecutedChild::exit_status,
                            0,    0,
                            0, // mov edi, status
                            0xb8, SYS_exit,
                            0,    0,
                            0,           // mov eax, exit
                            0x0f, 0x05}; // syscall
    const auto program = tiny_executable(code);
    UniqueFd memory(
        static_cast<int>(syscall(SYS_memfd_create, "ebpf_telemetry-check", 1u /* MFD_CLOEXEC */)));
    if (memory && write(memory.get(), program.data(), program.size()) < 0)
        throw Error(ErrorCode::resources,
                    std::string("cannot write a program to memory: ") + strerror(errno));
    return memory;
}

/// What the second thread needs once it is alone: no stack, no library.
struct Parting {
    uint64_t args[EBT_ARGS];
    uint32_t first_alive = 1;          ///< the kernel clears it, and wakes who waits for it
    alignas(16) char stack[32 * 1024]; ///< for a signal
    char* stack_end = stack + sizeof(stack);
};

constexpr long thread_flags =
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
constexpr long dup3_i386 = 330, first_status = 5;

/// Where the kernel takes no 32-bit calls, the instruction is a fault: go on behind it.
void step_over(int, siginfo_t*, void* context) {
    auto& counter = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
    constexpr unsigned char int_0x80[] = {0xcd, 0x80};
    if (memcmp(reinterpret_cast<const void*>(counter), int_0x80, sizeof(int_0x80)) != 0)
        _exit(127);
    counter += sizeof(int_0x80);
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

/// In assembly, since the second thread has neither a stack to speak of nor a TLS of its own.
[[noreturn]] void part(Parting& parting) {
    handle_faults();
    syscall(SYS_set_tid_address, &parting.first_alive);
    asm volatile("mov %%rdi, %%r12\n"
                 "mov %[clone], %%eax\n"
                 "mov %[thread_flags], %%edi\n"
                 "mov %c[stack_end](%%r12), %%rsi\n"
                 "xor %%edx, %%edx\n"
                 "xor %%r10d, %%r10d\n"
                 "xor %%r8d, %%r8d\n"
                 "syscall\n"
                 "test %%eax, %%eax\n"
                 "jz 1f\n"
                 "mov %[exit], %%eax\n" // the first thread
                 "mov %[first_status], %%edi\n"
                 "syscall\n"
                 "ud2\n"
                 "1: cmpl $0, %c[first_alive](%%r12)\n" // the second one, when it is alone
                 "je 2f\n"
                 "mov %[futex], %%eax\n"
                 "lea %c[first_alive](%%r12), %%rdi\n"
                 "xor %%esi, %%esi\n" // FUTEX_WAIT
                 "mov $1, %%edx\n"
                 "xor %%r10d, %%r10d\n"
                 "syscall\n"
                 "jmp 1b\n"
                 "2: mov %[dup3], %%eax\n"
                 "mov 0(%%r12), %%rdi\n"
                 "mov 8(%%r12), %%rsi\n"
                 "mov 16(%%r12), %%rdx\n"
                 "mov 24(%%r12), %%r10\n"
                 "mov 32(%%r12), %%r8\n"
                 "mov 40(%%r12), %%r9\n"
                 "syscall\n"
                 "mov %[dup3_i386], %%eax\n"
                 "mov 0(%%r12), %%ebx\n"
                 "mov 8(%%r12), %%ecx\n"
                 "mov 16(%%r12), %%edx\n"
                 "mov 24(%%r12), %%esi\n"
                 "mov 32(%%r12), %%edi\n"
                 "mov 40(%%r12), %%ebp\n"
                 "int $0x80\n"
                 "mov %[both], %%edi\n"
                 "cmp %[dup3_i386], %%eax\n" // no result: it was stepped over
                 "jne 3f\n"
                 "mov %[only_64], %%edi\n"
                 "3: mov %[exit_group], %%eax\n"
                 "mov 32(%%r12), %%rsi\n"
                 "syscall\n"
                 "ud2\n"
                 :
                 : "D"(&parting), [stack_end] "i"(offsetof(Parting, stack_end)),
                   [first_alive] "i"(offsetof(Parting, first_alive)), [clone] "i"(SYS_clone),
                   [thread_flags] "i"(thread_flags), [exit] "i"(SYS_exit), [first_status] "i"(first_status),
                   [futex] "i"(SYS_futex), [dup3] "i"(SYS_dup3), [dup3_i386] "i"(dup3_i386),
                   [both] "i"(ThreadedChild::exit_status),
                   [only_64] "i"(ThreadedChild::exit_status_64_bit_only), [exit_group] "i"(SYS_exit_group)
                 : "memory");
    __builtin_unreachable();
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

ThreadedChild::ThreadedChild(const Beacon& beacon) {
    const auto parting = std::make_unique<Parting>();
    std::copy_n(beacon.args(), EBT_ARGS, parting->args);
    static_cast<Child&>(*this) = live([&] { part(*parting); });
}

} // namespace ebpf_loader::self_check
