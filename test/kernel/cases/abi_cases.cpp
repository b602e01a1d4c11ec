// SPDX-License-Identifier: MIT
// The other interfaces of the same kernel: 32-bit programs, int 0x80, x32's numbers.
#include "test/kernel/cases/cases.hpp"
#include "test/takes_32_bit.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kernel_test {

namespace {

bool has_32_bit(Process& p, const std::string& helper) {
    const bool there = access(helper.c_str(), X_OK) == 0;
    p.require(there, helper + " is missing: install gcc-multilib and build again");
    return there;
}

/// A 32-bit program with calls of all kinds.
void program_of_32_bits(Process& p) {
    const std::string helper = p.program("kernel_test_helper32");
    if (!has_32_bit(p, helper))
        return;
    const Program program{helper, {"32 bits", "calls"}};
    const auto argv = pointers(program.argv);
    p.wait(p.fork({"fork", SYS_fork}, [&](Process& c) {
        c.exec({"execve", SYS_execve}, program, 0, helper.c_str(), argv.data(), no_environment).succeeds();
    }));
}

/// From 64 bits to 32, and back.
void exec_of_32_bits(Process& p) {
    const std::string helper = p.program("kernel_test_helper32"), other = p.program("kernel_test_helper");
    if (!has_32_bit(p, helper))
        return;
    for (const std::string& next : {helper, other}) {
        const Program program{helper, {"32 bits", "exec", next, "next"}};
        const auto argv = pointers(program.argv);
        p.wait(p.fork({"fork", SYS_fork}, [&](Process& c) {
            c.exec({"execve", SYS_execve}, program, 0, helper.c_str(), argv.data(), no_environment)
                .succeeds();
        }));
    }
}

void without_32_bit(Process& p) {
    p.note(no_32_bit_calls);
}

/// Where these are taken; elsewhere it is told that they could not be tried.
void (*of_32_bit(void (*run)(Process&)))(Process&) {
    return takes_32_bit_calls() ? run : without_32_bit;
}

#ifdef __x86_64__ // which alone takes calls of another ABI from 64-bit code

// i386 numbers: the headers of a 64-bit program have its own alone.
constexpr long i386_open = 5, i386_unlink = 10, i386_execve = 11, i386_socketcall = 102, i386_ipc = 117,
               i386_openat = 295;
constexpr uint64_t x32_bit = 0x40000000;

/// Memory that 32-bit pointers reach.
char* low_memory(Process& p) {
    void* const address =
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    p.require(address != MAP_FAILED, "no memory below 2 GiB");
    return static_cast<char*>(address);
}

/// A 64-bit process may enter the kernel as a 32-bit one.
void int80(Process& p) {
    char* const name = low_memory(p);
    strcpy(name, "no");
    Call call = p.call32({"openat", i386_openat}, AT_FDCWD, name, O_RDONLY, 0);
    if (call.unknown())
        p.note("int80: this kernel has no 32-bit interface");
    call.fails(ENOENT).named(1, p.at("no"));
    p.call32({"open", i386_open}, name, O_CREAT | O_RDWR, 0600).succeeds().opened(0, p.at("no"));
    p.call32({"unlink", i386_unlink}, name).succeeds().named(0, p.at("no"));
    p.call32({"unlink", i386_unlink}, 16).fails(EFAULT).no_path(0, LOG_FAULT, LOG_USER_MEMORY);
    // Its numbers are its own: 10 is mprotect for 64-bit programs.
    auto* const argv = reinterpret_cast<uint32_t*>(name + 64);
    strcpy(name + 128, "first");
    strcpy(name + 192, "second");
    argv[0] = static_cast<uint32_t>(register_value(name + 128));
    argv[1] = static_cast<uint32_t>(register_value(name + 192));
    p.call32({"execve", i386_execve}, name, argv, 0)
        .fails(ENOENT)
        .named(0, p.at("no"))
        .argv({"first", "second"});
}

/// What stands in the upper halves of registers is no part of the arguments: with them a path would be
/// read from another place than the kernel's.
void int80_upper_halves(Process& p) {
    char* const name = low_memory(p);
    strcpy(name, "no");
    const uint64_t decoy = 0x7fff'0000'0000'0000;
    const uint64_t path = register_value(name), flags = O_CREAT | O_RDWR;
    const auto log = [&](CallName call_name, long ret, uint64_t before,
                         std::initializer_list<uint64_t> args) {
        Call call = p.log_call(call_name, ret, before, args);
        call.entry().abi = EBT_I386;
        return call;
    };
    uint64_t before = log_now();
    const long fd = raw_int80_wide(i386_open, decoy | path, decoy | flags, decoy | 0600);
    if (fd == -ENOSYS)
        return p.note("int80_upper_halves: this kernel has no 32-bit interface");
    log({"open", i386_open}, fd, before, {path, flags, 0600})
        .any(LOG_ANY_ARGS & ~7)
        .succeeds()
        .opened(0, p.at("no"));
    before = log_now();
    const long unlinked = raw_int80_wide(i386_unlink, decoy | path);
    log({"unlink", i386_unlink}, unlinked, before, {path})
        .any(LOG_ANY_ARGS & ~1)
        .succeeds()
        .named(0, p.at("no"));
}

/// socketcall in its parts, from 64-bit code.
void socketcall(Process& p) {
    auto* const arguments = reinterpret_cast<uint32_t*>(low_memory(p));
    const auto make = [&](uint32_t which, std::initializer_list<uint32_t> values) {
        std::copy(values.begin(), values.end(), arguments);
        return raw_int80(i386_socketcall, which, static_cast<uint32_t>(register_value(arguments)));
    };
    constexpr uint32_t sys_socket = 1, sys_listen = 4, sys_accept = 5, sys_accept4 = 18;
    constexpr uint32_t af_unix = 1, stream = 1;
    const uint64_t before = log_now();
    const long fd = make(sys_socket, {af_unix, stream, 0});
    if (fd == -ENOSYS)
        return p.note("socketcall: this kernel has no 32-bit interface");
    const auto log = [&](CallName name, long ret, std::initializer_list<uint64_t> args) {
        Call call = p.log_call(name, ret, before, args);
        call.entry().abi = EBT_I386;
        return call;
    };
    log({"socket", 359}, fd, {af_unix, stream, 0}).any(LOG_ANY_ARGS & ~7).succeeds().socket(fd);
    const long listens = make(sys_listen, {static_cast<uint32_t>(fd), 3});
    log({"listen", 363}, listens, {static_cast<uint32_t>(fd), 3})
        .any(LOG_ANY_ARGS & ~3)
        .fails(EINVAL)
        .socket(fd);
    const long accepted = make(sys_accept, {500, 0, 0});
    // Without flags it is what i386 makes of accept: accept4, by that number's row.
    log({"accept4", 364}, accepted, {500, 0, 0, 0}).any(LOG_ANY_ARGS & ~15).fails(EBADF).no_socket();
    const long accepted4 = make(sys_accept4, {500, 0, 0, 0x800});
    log({"accept4", 364}, accepted4, {500, 0, 0, 0x800}).any(LOG_ANY_ARGS & ~15).fails(EBADF).no_socket();
    // No such call: nothing that a rule asks for.
    make(77, {});
}

/// System V's ipc in its parts, from 64-bit code.
void ipc(Process& p) {
    auto* const memory = reinterpret_cast<uint32_t*>(low_memory(p));
    const auto pointer = static_cast<uint32_t>(register_value(memory));
    constexpr uint32_t semop = 1, semget = 2, semctl = 3, msgsnd = 11, msgrcv = 12, msgget = 13, msgctl = 14;
    constexpr uint32_t shmdt = 22, shmget = 23, shmctl = 24, set_value = 16, remove = 0;
    bool there = true;
    const auto make = [&](uint32_t which, uint32_t first, uint32_t second, uint32_t third, uint32_t at) {
        const long ret = raw_int80(i386_ipc, which, first, second, third, at);
        there = there && ret != -ENOSYS;
        return ret;
    };
    const uint64_t before = log_now();
    const auto log = [&](CallName name, long ret, std::initializer_list<uint64_t> args) {
        if (!there)
            return p.note("ipc: this kernel has no 32-bit interface, or no System V ipc");
        Call call = p.log_call(name, ret, before, args);
        call.entry().abi = EBT_I386;
        call.any(static_cast<uint16_t>(LOG_ANY_ARGS & ~((1u << args.size()) - 1)));
    };
    const auto id = [](long ret) { return static_cast<uint32_t>(ret); };
    long ret = make(shmget, 0, 4096, 0600, 0);
    log({"shmget", 395}, ret, {0, 4096, 0600});
    log({"shmctl", 396}, make(shmctl, id(ret), remove, 77, 0), {id(ret), remove, 0});
    log({"shmdt", 398}, make(shmdt, 1, 2, 3, 4096), {4096});
    const long set = make(semget, 0, 1, 0600, 0);
    log({"semget", 393}, set, {0, 1, 0600});
    memory[0] = 3; // the value, behind a pointer
    log({"semctl", 394}, make(semctl, id(set), 0, set_value, pointer), {id(set), 0, set_value, 3});
    memory[0] = 1u << 16; // semaphore 0 up by 1, without flags
    memory[1] = 0;
    log({"semop", i386_ipc}, make(semop, id(set), 1, 99, pointer), {id(set), pointer, 1});
    log({"semctl", 394}, make(semctl, id(set), 0, remove, pointer), {id(set), 0, remove, memory[0]});
    const long queue = make(msgget, 0, 0600, 0, 0);
    log({"msgget", 399}, queue, {0, 0600});
    memory[0] = 5; // a message of this type
    log({"msgsnd", 400}, make(msgsnd, id(queue), 4, 0x800, pointer), {id(queue), pointer, 4, 0x800});
    memory[8] = pointer; // an old msgrcv has two arguments behind one
    memory[9] = 5;
    log({"msgrcv", 401}, make(msgrcv, id(queue), 4, 0x800, pointer + 32), {id(queue), pointer, 4, 5, 0x800});
    log({"msgrcv", 401}, make(msgrcv, id(queue), 4, 0x800, 16), {id(queue), 0, 4, 0, 0x800});
    if (there)
        p.log().entry[p.log().entries - 1].missing = EBT_MISSING_ARGS;
    log({"msgctl", 402}, make(msgctl, id(queue), remove, 0, 0), {id(queue), remove, 0});
    make(77, 0, 0, 0, 0); // no such call: nothing that a rule asks for
}

/// Numbers that only look like a call's: the kernel knows none of them.
void numbers_of_no_call(Process& p) {
    char* const name = low_memory(p);
    strcpy(name, p.at("no").c_str());
    constexpr long i386_unlink_with_x32_bit = i386_unlink | x32_bit, x32_execve = 520;
    p.require(!takes_32_bit_calls() ||
                  raw_int80(i386_unlink_with_x32_bit, static_cast<uint32_t>(register_value(name))) == -ENOSYS,
              "i386 knows x32's bit");
    const uint64_t before = log_now();
    auto* const argv = reinterpret_cast<uint32_t*>(name + 2048);
    const long ret = raw_syscall(x32_execve, register_value(name), register_value(argv), 0);
    if (ret != -ENOSYS) // before 5.4
        p.log_call({"execve", x32_execve}, ret, before, {register_value(name), register_value(argv), 0})
            .named(0, p.at("no"))
            .argv({});
}

/// x32's numbers have a bit of their own; whether the kernel takes them or not.
void x32(Process& p) {
    const auto x32_call = [&](CallName name, uint64_t a, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0) {
        const uint64_t before = log_now();
        const auto nr = static_cast<long>(static_cast<uint64_t>(name.nr) | x32_bit);
        const long ret = raw_syscall(nr, a, b, c, d);
        Call call = p.log_call(name, ret, before, {a, b, c, d});
        call.entry().abi = EBT_X32;
        if (ret == -ENOSYS)
            p.note("x32: this kernel refuses x32 calls");
        return call;
    };
    // The kernel may refuse before it looks at any memory: all of it must be there.
    char* const low = low_memory(p);
    char *const name = low, *const path = low + 64, *const first = low + 128;
    strcpy(name, "no");
    strcpy(path, "/no/such");
    strcpy(first, "one");
    auto* const argv = reinterpret_cast<uint32_t*>(low + 256);
    argv[0] = static_cast<uint32_t>(register_value(first));
    Call open_it = x32_call({"open", SYS_open}, register_value(name), O_RDONLY);
    open_it.named(0, p.at("no"));
    Call kill_it = x32_call({"kill", SYS_kill}, 0x3fffffff, 0);
    p.require(kill_it.ret() < 0, "kill of nobody succeeded");
    // x32 has a number of its own for execve, and pointers of 32 bits.
    x32_call({"execve", 520}, register_value(path), register_value(argv), 0)
        .named(0, "/no/such")
        .argv({"one"});
}

#endif

} // namespace

Cases abi_cases() {
    return {
        {"program_of_32_bits", of_32_bit(program_of_32_bits)},
        {"exec_of_32_bits", of_32_bit(exec_of_32_bits)},
#ifdef __x86_64__
        {"int80", of_32_bit(int80)},
        {"int80_upper_halves", of_32_bit(int80_upper_halves)},
        {"socketcall", of_32_bit(socketcall)},
        {"ipc", of_32_bit(ipc), false}, // ids count on
        {"numbers_of_no_call", numbers_of_no_call},
        {"x32", x32},
#endif
    };
}

} // namespace kernel_test
