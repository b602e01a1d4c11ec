// SPDX-License-Identifier: MIT
// execve and execveat: what runs, as the kernel has it; what could not run, as it was asked for.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/kernel/thread.hpp"

namespace kernel_test {

namespace {

/// Runs the helper program in a child process.
void run(Process& p, const Program& program) {
    const auto argv = pointers(program.argv);
    const pid_t child = p.fork({"fork", SYS_fork}, [&](Process& c) {
        c.exec({"execve", SYS_execve}, program, 0, program.path.c_str(), argv.data(), no_environment)
            .succeeds();
    });
    p.wait(child);
}

/// A copy of the helper program; made without calls that have events, but for the first.
void copy_helper(Process& p, const std::string& name) {
    const int to = p.make_file(name, 0755);
    const std::string from_path = p.program("kernel_test_helper");
    const int from = static_cast<int>(
        p.call({"open", SYS_open}, from_path.c_str(), O_RDONLY).succeeds().opened(0, from_path).ret());
    static char buffer[64 << 10];
    for (ssize_t got; (got = read(from, buffer, sizeof buffer)) > 0;)
        p.require(write(to, buffer, static_cast<size_t>(got)) == got, "no room for a copy of the helper");
    close(from);
    close(to); // a file that is open for writing is not executed
}

void execve_(Process& p) {
    const std::string helper = p.program("kernel_test_helper");
    run(p, {helper, {"kernel_test_helper", "exit", "3"}});
    run(p, {helper, {"another name", "exit", "0", "", " a  b ", "", "last"}});
    run(p, {helper, {""}});
}

void execve_fails(Process& p) {
    const std::vector<std::string> strings = {"one", "", "three and more"};
    const auto argv = pointers(strings);
    const auto fail = [&](const char* path, int error, const std::string& shown) {
        p.call({"execve", SYS_execve}, path, argv.data(), no_environment)
            .fails(error)
            .named(0, shown)
            .argv(strings);
    };
    fail("/no/such", ENOENT, "/no/such");
    fail("no", ENOENT, p.at("no"));
    p.make_file("plain");
    fail("plain", EACCES, p.at("plain"));
    copy_helper(p, "damaged");
    p.call({"truncate", SYS_truncate}, "damaged", 20).succeeds().named(0, p.at("damaged"));
    fail("./damaged", ENOEXEC, p.at("damaged"));
    fail(p.folder().c_str(), EACCES, p.folder());
}

/// Parts of the command line are not there to read.
void execve_bad_pointers(Process& p) {
    const char* const broken[] = {"first", reinterpret_cast<const char*>(16), nullptr};
    const char* const of_the_kernel[] = {"first", reinterpret_cast<const char*>(~uint64_t{0} << 31), nullptr};
    const std::string helper = p.program("kernel_test_helper");
    p.call({"execve", SYS_execve}, helper.c_str(), broken, no_environment)
        .fails(EFAULT)
        .named(0, helper)
        .argv({"first"}, LOG_FAULT);
    p.call({"execve", SYS_execve}, helper.c_str(), of_the_kernel, no_environment)
        .fails(EFAULT)
        .named(0, helper)
        .argv({"first"}, LOG_FAULT);
    p.call({"execve", SYS_execve}, "/no/such", 16, no_environment)
        .fails(ENOENT, EFAULT)
        .named(0, "/no/such")
        .argv({}, LOG_FAULT);
    p.call({"execve", SYS_execve}, 16, broken, no_environment)
        .fails(EFAULT)
        .no_path(0, LOG_FAULT, LOG_USER_MEMORY)
        .argv({"first"}, LOG_FAULT);
    const char* const none[] = {nullptr};
    p.call({"execve", SYS_execve}, "/no/such", none, no_environment)
        .fails(ENOENT)
        .named(0, "/no/such")
        .argv({});
}

void execveat_(Process& p) {
    const std::string helper = p.program("kernel_test_helper");
    const std::string folder = helper.substr(0, helper.rfind('/'));
    const Program program{helper, {"by execveat", "exit", "5"}};
    const auto argv = pointers(program.argv);
    const auto run_it = [&](long directory, const char* name, int flags) {
        p.wait(p.fork({"fork", SYS_fork}, [&](Process& c) {
            c.exec({"execveat", SYS_execveat}, program, 1, directory, name, argv.data(), no_environment,
                   flags)
                .succeeds();
        }));
    };
    run_it(AT_FDCWD, helper.c_str(), 0);
    const long opened_folder =
        p.call({"open", SYS_open}, folder.c_str(), O_RDONLY | O_CLOEXEC).succeeds().opened(0, folder).ret();
    run_it(opened_folder, "kernel_test_helper", 0);
    const long file =
        p.call({"open", SYS_open}, helper.c_str(), O_RDONLY | O_CLOEXEC).succeeds().opened(0, helper).ret();
    run_it(file, "", AT_EMPTY_PATH);
}

void execveat_fails(Process& p) {
    const std::vector<std::string> strings = {"name", "argument"};
    const auto argv = pointers(strings);
    p.make_folder("folder");
    const long folder =
        p.call({"open", SYS_open}, "folder", O_RDONLY).succeeds().opened(0, p.at("folder")).ret();
    p.call({"execveat", SYS_execveat}, folder, "no", argv.data(), no_environment, 0)
        .fails(ENOENT)
        .named(1, p.at("folder/no"))
        .argv(strings);
    p.call({"execveat", SYS_execveat}, AT_FDCWD, "no", argv.data(), no_environment, 0)
        .fails(ENOENT)
        .named(1, p.at("no"))
        .argv(strings);
    p.call({"execveat", SYS_execveat}, folder, "", argv.data(), no_environment, AT_EMPTY_PATH)
        .fails(EACCES)
        .named(1, p.at("folder"))
        .argv(strings);
    p.call({"execveat", SYS_execveat}, -1, "no", argv.data(), no_environment, 0)
        .fails(EBADF)
        .named(1, "no", LOG_RELATIVE)
        .argv(strings);
}

/// An executable without a name, in memory alone.
void execveat_memory(Process& p) {
    const long memory = p.call({"memfd_create", SYS_memfd_create}, "program", 0)
                            .succeeds()
                            .string(0, "program")
                            .opened_detached(EBT_ARG_RET, "/memfd:program")
                            .ret();
    const std::string path = p.program("kernel_test_helper");
    const int from =
        static_cast<int>(p.call({"open", SYS_open}, path.c_str(), O_RDONLY).succeeds().opened(0, path).ret());
    static char buffer[64 << 10];
    for (ssize_t got; (got = read(from, buffer, sizeof buffer)) > 0;)
        p.require(write(static_cast<int>(memory), buffer, static_cast<size_t>(got)) == got, "no memory");
    Program program{"/memfd:program", {"in memory", "exit", "1"}};
    program.memory = memory;
    const auto argv = pointers(program.argv);
    p.wait(p.fork({"fork", SYS_fork}, [&](Process& c) {
        c.exec({"execveat", SYS_execveat}, program, 1, memory, "", argv.data(), no_environment, AT_EMPTY_PATH)
            .succeeds();
    }));
}

/// The kernel runs the interpreter, with the script among its arguments.
void script(Process& p) {
    const int file = p.make_file("script", 0755);
    const std::string helper = p.program("kernel_test_helper");
    const std::string text = "#!" + helper + " exit\n";
    if (text.size() > 127)
        p.note("script: the path of the helper program is longer than old kernels take in a script");
    p.require(write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "write");
    close(file);
    const std::string path = p.at("script");
    const std::vector<std::string> given = {"a name that the kernel drops", "argument"};
    const auto argv = pointers(given);
    for (const std::string& name : {path, std::string("script")}) {
        Program program{helper, {helper, "exit", name, "argument"}};
        program.script = path;
        p.wait(p.fork({"fork", SYS_fork}, [&](Process& c) {
            c.exec({"execve", SYS_execve}, program, 0, name.c_str(), argv.data(), no_environment).succeeds();
        }));
    }
}

/// A program that has its own name among its arguments is no script.
void named_twice(Process& p) {
    const std::string helper = p.program("kernel_test_helper");
    run(p, {helper, {"exit", helper, helper}});
}

/// Mode, owner and group of the executable; a set-user-id program runs as its owner.
void owner(Process& p) {
    copy_helper(p, "program");
    const std::string path = p.at("program");
    p.call({"chown", SYS_chown}, "program", 3000000001u, 23456).succeeds().named(0, path);
    p.call({"chmod", SYS_chmod}, "program", 0711).succeeds().named(0, path);
    run(p, {path, {"program"}});
    struct statvfs status {};
    statvfs(path.c_str(), &status);
    if (status.f_flag & ST_NOSUID)
        return p.note("owner: the temporary folder is mounted nosuid");
    p.call({"chmod", SYS_chmod}, "program", 06755).succeeds().named(0, path);
    Program program{path, {"program", "exit", "255"}};
    program.uid = 3000000001u;
    program.gid = 23456;
    run(p, program);
}

struct ExecByThread {
    Program program;
    std::vector<const char*> argv;
};

void exec_in_thread(Process& thread, void* argument) {
    const auto& exec = *static_cast<ExecByThread*>(argument);
    thread
        .exec({"execve", SYS_execve}, exec.program, 0, exec.program.path.c_str(), exec.argv.data(),
              no_environment)
        .succeeds();
}

/// A thread that executes takes the process over, and its leader's id.
void exec_by_thread(Process& p) {
    ExecByThread exec;
    exec.program = {p.program("kernel_test_helper"), {"by a thread", "exit", "4"}};
    exec.argv = pointers(exec.program.argv);
    p.wait(p.fork({"fork", SYS_fork}, [&](Process& c) {
        const Thread thread(c, exec_in_thread, &exec);
        thread.join(); // does not come back: the thread's exec ends this one
    }));
}

/// Programs that execute programs: the image follows each time.
void exec_chain(Process& p) {
    const std::string helper = p.program("kernel_test_helper");
    run(p, {helper, {"first", "exec", helper.c_str(), "second"}});
}

} // namespace

Cases exec_cases() {
    return {
        {"execve", execve_},
        {"execve_fails", execve_fails},
        {"execve_bad_pointers", execve_bad_pointers},
        {"execveat", execveat_},
        {"execveat_fails", execveat_fails},
        {"execveat_memory", execveat_memory},
        {"script", script},
        {"named_twice", named_twice},
        {"owner", owner},
        {"exec_by_thread", exec_by_thread},
        {"exec_chain", exec_chain},
    };
}

} // namespace kernel_test
