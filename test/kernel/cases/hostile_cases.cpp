// SPDX-License-Identifier: MIT
// What a process may do to be reported wrongly: any byte, any length, any pointer.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kernel_test {

namespace {

using namespace std::string_literals;

/// Line breaks, terminal sequences, half a character, a character reversing direction.
const std::string& hostile_name() {
    static const std::string name = "new\nline \x1b[31m \xc3 \xff\xfe \xe2\x80\xae \"quote\\ \x01\x7f";
    return name;
}

void hostile_paths(Process& p) {
    const std::string name = hostile_name();
    p.make_file(name);
    p.call({"open", SYS_open}, name.c_str(), O_RDONLY).succeeds().opened(0, p.at(name));
    p.call({"rename", SYS_rename}, name.c_str(), (name + "\n").c_str())
        .succeeds()
        .named(0, p.at(name))
        .named(1, p.at(name + "\n"));
    p.call({"mkdir", SYS_mkdir}, name.c_str(), 0755).succeeds().named(0, p.at(name));
    Call go = p.call({"chdir", SYS_chdir}, name.c_str());
    p.set_text(p.change().cwd, p.at(name));
    go.succeeds().by(p).led_to(0, p.at(name));
    p.call({"open", SYS_open}, "no\n", O_RDONLY).fails(ENOENT).named(0, p.at(name) + "/no\n");
}

void hostile_comm(Process& p) {
    for (const std::string& name : {"a\nb\x1b[1m\xff\xfe"s, "\n"s, "\xe2\x80\xae comm=\"x\""s}) {
        raw_syscall(SYS_prctl, PR_SET_NAME, register_value(name.c_str()));
        log_identity& who = p.change();
        log_string(who.comm, sizeof who.comm, name.c_str());
        p.call({"open", SYS_open}, "/no", O_RDONLY).fails(ENOENT).named(0, "/no");
    }
}

/// Executes the helper, and fails to execute something else, with these arguments.
void exec_with(Process& p, const std::vector<std::string>& arguments) {
    const auto argv = pointers(arguments);
    p.call({"execve", SYS_execve}, "/no/such", argv.data(), no_environment)
        .fails(ENOENT)
        .named(0, "/no/such")
        .argv(arguments);
    const Program program{p.program("kernel_test_helper"), arguments};
    p.wait(p.fork({"fork", SYS_fork}, [&](Process& c) {
        c.exec({"execve", SYS_execve}, program, 0, program.path.c_str(), argv.data(), no_environment)
            .succeeds();
    }));
}

void hostile_argv(Process& p) {
    exec_with(p, {"a\nb", "exit", "0", hostile_name(), "", "\n", "\xff"});
}

/// 30 KiB of command line are kept whole: one long argument, or many.
void big_argv(Process& p) {
    exec_with(p, {"name", "exit", "0", std::string(30 << 10, 'L')});
    std::vector<std::string> many = {"name", "exit", "0"};
    for (int i = 0; i < 300; i++)
        many.push_back(std::to_string(i) + std::string(97, 'm'));
    exec_with(p, many);
}

/// 2,000 short arguments of a call that fails: each is a string to be fetched.
void many_arguments(Process& p) {
    std::vector<std::string> many = {"name", "exit", "0"};
    while (many.size() < 2000)
        many.push_back(std::to_string(many.size()));
    exec_with(p, many);
}

/// More than is kept: the beginning, and how much there was.
void huge_argv(Process& p) {
    std::vector<std::string> arguments = {"name", "exit", "0"};
    for (int i = 0; i < 50; i++)
        arguments.push_back(std::to_string(i) + std::string(1000, 'h'));
    const std::string all = joined(arguments);
    const auto argv = pointers(arguments);
    Call failed = p.call({"execve", SYS_execve}, "/no/such", argv.data(), no_environment);
    failed.fails(ENOENT).named(0, "/no/such");
    log_text& asked = failed.entry().exec_argv;
    asked = log_bytes(&p.log(), (all.substr(0, EBT_ARGV_MAX - 1) + '\0').data(), EBT_ARGV_MAX);
    asked.source = LOG_USER_MEMORY;
    asked.status = LOG_TRUNCATED;
    asked.flags = LOG_AT_LEAST;
    const Program program{p.program("kernel_test_helper"), arguments};
    p.wait(p.fork({"fork", SYS_fork}, [&](Process& c) {
        c.exec_cut({"execve", SYS_execve}, program, EBT_ARGV_MAX, program.path.c_str(), argv.data(),
                   no_environment);
    }));
}

/// Memory of the kernel's that holds text: its banner. The last byte of all if it is hidden.
uint64_t kernel_text = ~uint64_t{0};

void find_kernel_text(const std::string&) {
    std::ifstream symbols("/proc/kallsyms");
    for (std::string line; kernel_text == ~uint64_t{0} && std::getline(symbols, line);)
        if (line.ends_with(" linux_banner"))
            kernel_text = std::stoull(line, nullptr, 16) | uint64_t{1} << 63;
}

void bad_pointers(Process& p) {
    for (const uint64_t pointer : {uint64_t{16}, uint64_t{1} << 46, uint64_t{1} << 50, uint64_t{1} << 60,
                                   uint64_t{1} << 63, ~uint64_t{0}, kernel_text}) {
        p.call({"open", SYS_open}, pointer, O_RDONLY).fails(EFAULT).no_path(0, LOG_FAULT, LOG_USER_MEMORY);
        p.call({"rename", SYS_rename}, "a", pointer)
            .fails(EFAULT)
            .named(0, p.at("a"))
            .no_path(1, LOG_FAULT, LOG_USER_MEMORY);
        p.call({"symlink", SYS_symlink}, pointer, "b")
            .fails(EFAULT)
            .no_path(0, LOG_FAULT, LOG_USER_MEMORY)
            .named(1, p.at("b"));
    }
    p.call({"open", SYS_open}, 0, O_RDONLY).fails(EFAULT).no_path(0, LOG_UNAVAILABLE, LOG_USER_MEMORY);
    // A name that runs into a page which is not there.
    const auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const auto pages = static_cast<char*>(
        mmap(nullptr, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    char* const end = pages + size;
    p.require(munmap(end, size) == 0, "munmap");
    memcpy(end - 4, "open", 4);
    p.call({"open", SYS_open}, end - 4, O_RDONLY).fails(EFAULT).no_path(0, LOG_FAULT, LOG_USER_MEMORY);
    memcpy(end - 7, "/close", 7);
    p.call({"open", SYS_open}, end - 7, O_RDONLY).fails(ENOENT).named(0, "/close");
}

/// A page that is not resident: the call fails before the kernel looks at it, and the
/// event says that it could not be read; not that there was nothing.
void absent_pages(Process& p) {
    const int file = p.make_file("names");
    p.require(write(file, "/etc/passwd", 12) == 12, "write");
    const long mapped = raw_syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, register_value(file));
    p.call({"unlinkat", SYS_unlinkat}, AT_FDCWD, mapped, 0x7fff0000)
        .fails(EINVAL)
        .no_path(1, LOG_FAULT, LOG_USER_MEMORY);
    const auto anonymous =
        static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    strcpy(anonymous, "/etc/shadow");
    p.call({"unlinkat", SYS_unlinkat}, AT_FDCWD, anonymous, 0x7fff0000).fails(EINVAL).named(1, "/etc/shadow");
    madvise(anonymous, 4096, MADV_DONTNEED);
    p.call({"unlinkat", SYS_unlinkat}, AT_FDCWD, anonymous, 0x7fff0000)
        .fails(EINVAL)
        .no_path(1, LOG_FAULT, LOG_USER_MEMORY);
}

/// The process writes over its own command line: the image is the one that it started with.
void rewritten_argv(Process& p) {
    p.call({"open", SYS_open}, "/no", O_RDONLY).fails(ENOENT).named(0, "/no");
    // prctl tells the kernel that it is in another place.
    static char other[] = "nothing\0to\0see";
    raw_syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_ARG_START, register_value(other));
    raw_syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_ARG_END, register_value(other + sizeof other));
    p.call({"open", SYS_open}, "/no", O_RDONLY).fails(ENOENT).named(0, "/no");
}

} // namespace

Cases hostile_cases() {
    return {
        {"hostile_paths", hostile_paths},
        {"hostile_comm", hostile_comm},
        {"hostile_argv", hostile_argv},
        {"big_argv", big_argv},
        {"many_arguments", many_arguments},
        {"huge_argv", huge_argv},
        {"bad_pointers", bad_pointers, true, find_kernel_text},
        {"absent_pages", absent_pages},
        {"rewritten_argv", rewritten_argv},
    };
}

} // namespace kernel_test
