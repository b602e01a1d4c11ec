// SPDX-License-Identifier: MIT
#include "test/kernel/thread.hpp"

#include <cerrno>
#include <linux/futex.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace kernel_test {

namespace {

constexpr int most_threads = 8;
constexpr size_t stack_size = 256 << 10;
alignas(64) char stacks[most_threads][stack_size];
int threads = 0; // of this process: a test's process makes few

/// The new thread calls function(argument), which lie on its stack.
long clone_thread(uint64_t flags, void** stack, uint32_t* parent_tid, int* child_tid) {
#ifdef __aarch64__
    register uint64_t nr asm("x8") = SYS_clone;
    register uint64_t x0 asm("x0") = flags;
    register uint64_t x1 asm("x1") = register_value(stack);
    register uint64_t x2 asm("x2") = register_value(parent_tid);
    register uint64_t x3 asm("x3") = 0;
    register uint64_t x4 asm("x4") = register_value(child_tid);
    register uint64_t x5 asm("x5") = 0;
    asm volatile("svc #0\n"
                 "cbnz x0, 1f\n"
                 "mov x29, #0\n"
                 "ldp x1, x0, [sp], #16\n"
                 "blr x1\n"
                 "brk #0\n"
                 "1:\n"
                 : "+r"(x0)
                 : "r"(nr), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                 : "memory");
    return static_cast<long>(x0);
#else
    register uint64_t r10 asm("r10") = register_value(child_tid);
    register uint64_t r8 asm("r8") = 0;
    register uint64_t r9 asm("r9") = 0;
    long ret;
    asm volatile("syscall\n"
                 "test %%rax, %%rax\n"
                 "jnz 1f\n"
                 "xor %%ebp, %%ebp\n"
                 "pop %%rax\n"
                 "pop %%rdi\n"
                 "call *%%rax\n"
                 "hlt\n"
                 "1:\n"
                 : "=a"(ret)
                 : "a"(SYS_clone), "D"(flags), "S"(stack), "d"(parent_tid), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return ret;
#endif
}

} // namespace

Thread::Thread(Process& p, void (*run)(Process&, void*), void* argument, Location where)
    : view_(p.as_thread(0)), run_(run), argument_(argument) {
    constexpr uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                               CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    p.require(threads < most_threads, "too many threads");
    auto top = reinterpret_cast<void**>(stacks[threads++ % most_threads] + stack_size);
    *--top = nullptr; // for the stack's alignment
    *--top = nullptr;
    *--top = this;
    *--top = reinterpret_cast<void*>(&Thread::start);
    // Logged first: what the thread does may be the end of this one.
#ifdef __aarch64__
    constexpr size_t child_tid = 4;
#else
    constexpr size_t child_tid = 3;
#endif
    made_ =
        &p.announce({"clone", SYS_clone, where}, {flags, register_value(top), register_value(&tid_)}).entry();
    made_->args[child_tid] = register_value(&alive_);
    const long tid = clone_thread(flags, top, &tid_, &alive_);
    p.require(tid > 0, "no thread");
}

void Thread::start(void* self) {
    Thread& thread = *static_cast<Thread*>(self);
    const long tid = raw_syscall(SYS_gettid);
    thread.made_->ret = tid;
    thread.view_.log().identity[thread.view_.identity_index()].tid = static_cast<uint32_t>(tid);
    thread.run_(thread.view_, thread.argument_);
    exit_thread(thread.view_, 0);
}

void Thread::join() const {
    int alive;
    while ((alive = __atomic_load_n(&alive_, __ATOMIC_ACQUIRE)) != 0)
        raw_syscall(SYS_futex, register_value(&alive_), FUTEX_WAIT, register_value(alive));
    // That comes before the kernel reports its end: who goes on at once may end before it.
    while (raw_syscall(SYS_getpriority, PRIO_PROCESS, tid_) != -ESRCH)
        raw_syscall(SYS_sched_yield);
}

void exit_thread(Process& thread, int status, Location where) {
    thread.log_no_return({"exit", SYS_exit, where}, {register_value(status)});
    while (true)
        raw_syscall(SYS_exit, register_value(status));
}

} // namespace kernel_test
