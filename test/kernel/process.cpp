// SPDX-License-Identifier: MIT
#include "test/kernel/process.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

namespace kernel_test {

Place::Place(const Location& where) {
    const std::string_view file(where.file);
    snprintf(text, sizeof text, "%s:%u", where.file + file.rfind('/') + 1, where.line);
}

std::string joined(const std::vector<std::string>& strings) {
    std::string result;
    for (const std::string& string : strings)
        result.append(string.c_str(), string.size() + 1);
    return result;
}

std::vector<const char*> pointers(const std::vector<std::string>& strings) {
    std::vector<const char*> result;
    for (const std::string& string : strings)
        result.push_back(string.c_str());
    result.push_back(nullptr);
    return result;
}

namespace {

void fill(log_entry& entry, const Spelling& call) {
    entry.nr = static_cast<int32_t>(call.nr);
    std::copy(call.args.begin(), call.args.end(), entry.args);
}

/// Makes the call that stands in the entry.
long make(const log_entry& entry) {
    const auto& a = entry.args;
    return raw_syscall(entry.nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

} // namespace

Call Process::call_with(const CallName& name, std::initializer_list<uint64_t> args) {
    const Spelling here = spelled_here(name.name, name.nr, args);
    log_entry& entry = *log_new(&log_, identity_, LOG_SYSCALL, here.name.data(), Place(name.where).text);
    fill(entry, here);
    entry.ret = make(entry);
    entry.after_ns = log_now();
    return {log_, entry, here.places};
}

#ifdef __x86_64__
Call Process::call32_with(const CallName& name, std::initializer_list<uint64_t> args) {
    log_entry& entry = *log_new(&log_, identity_, LOG_SYSCALL, name.name.data(), Place(name.where).text);
    entry.abi = EBT_I386;
    entry.nr = static_cast<int32_t>(name.nr);
    std::copy(args.begin(), args.end(), entry.args);
    for (log_u64& argument : entry.args)
        argument = static_cast<uint32_t>(argument);
    const auto argument = [&](int i) { return static_cast<uint32_t>(entry.args[i]); };
    entry.ret = raw_int80(name.nr, argument(0), argument(1), argument(2), argument(3), argument(4));
    entry.any = LOG_ANY_ARG << 5; // rbp is the compiler's
    entry.after_ns = log_now();
    return {log_, entry};
}
#endif

log_identity& Process::change() {
    identity_ = log_new_identity(&log_, identity_);
    return log_.identity[identity_];
}

Process Process::as_child() {
    Process child(*this);
    const uint32_t parent = identity().pid;
    log_identity& who = child.change();
    who.pid = who.tid = static_cast<uint32_t>(raw_syscall(SYS_getpid));
    who.ppid = parent;
    return child;
}

Process Process::as_thread(uint32_t tid) {
    Process thread(*this);
    thread.change().tid = tid;
    return thread;
}

Call Process::log_fork(CallName name, long pid, uint64_t before, std::initializer_list<uint64_t> args) {
    const Place where(name.where);
    if (pid > 0) {
        log_entry& forked = *log_new(&log_, identity_, LOG_FORK, "process_fork", where.text);
        forked.ret = pid;
        forked.child_pid = static_cast<uint32_t>(pid);
        forked.before_ns = before;
        forked.after_ns = log_now();
    }
    Call call = log_call(name, pid, before, args);
    if (name.name == "clone3")
        call.string(0, {reinterpret_cast<const char*>(args.begin()[0]), args.begin()[1]});
    return call;
}

Call Process::log_call(CallName name, long ret, uint64_t before, std::initializer_list<uint64_t> args) {
    const Spelling here = spelled_here(name.name, name.nr, args);
    log_entry& entry = *log_new(&log_, identity_, LOG_SYSCALL, here.name.data(), Place(name.where).text);
    fill(entry, here);
    entry.ret = ret;
    entry.before_ns = before;
    return {log_, entry, here.places};
}

Call Process::log_no_return(CallName name, std::initializer_list<uint64_t> args) {
    log_entry& entry = *log_new(&log_, identity_, LOG_SYSCALL, name.name.data(), Place(name.where).text);
    fill(entry, spelled_here(name.name, name.nr, args));
    entry.returns = 0;
    return {log_, entry};
}

/// What is known of the process once the program runs. The program itself tells its comm.
uint32_t Process::executed(const Program& program) {
    const uint32_t index = log_new_identity(&log_, identity_);
    log_identity& who = log_.identity[index];
    who.tid = who.pid;
    who.euid = program.uid.value_or(who.euid);
    who.egid = program.gid.value_or(who.egid);
    who.suid = who.fsuid = who.euid;
    who.sgid = who.fsgid = who.egid;
    set_text(who.exe.text, program.path);
    who.exe.text.flags = LOG_HAS_INODE;
    if (program.memory >= 0)
        who.exe.text.flags |= LOG_DETACHED | LOG_ANY_LENGTH;
    who.exe.text.argument = EBT_ARG_NONE;
    set_text(who.argv, joined(program.argv));
    if (who.argv.length > argv_kept_) {
        who.argv.length = argv_kept_;
        who.argv.status = LOG_TRUNCATED;
    }
    struct stat status {};
    const long error = program.memory >= 0
                           ? raw_syscall(SYS_fstat, register_value(program.memory), register_value(&status))
                           : raw_syscall(SYS_newfstatat, register_value(AT_FDCWD),
                                         register_value(program.path.c_str()), register_value(&status), 0);
    if (error == 0) {
        who.exe.ino = status.st_ino;
        who.exe.mode = status.st_mode;
        who.exe.uid = status.st_uid;
        who.exe.gid = status.st_gid;
        struct statfs system {};
        raw_syscall(program.memory >= 0 ? SYS_fstatfs : SYS_statfs,
                    program.memory >= 0 ? register_value(program.memory)
                                        : register_value(program.path.c_str()),
                    register_value(&system));
        who.exe.device = recorded_device(status, system);
    }
    return index;
}

Call Process::exec_with(const CallName& name, const Program& program, uint8_t argument,
                        std::initializer_list<uint64_t> args) {
    const Place where(name.where);
    const uint32_t next = executed(program);
    log_.exec_identity = next;
    log_entry& image = *log_new(&log_, next, LOG_EXEC, "process_exec", where.text);
    log_entry& entry = *log_new(&log_, next, LOG_SYSCALL, name.name.data(), where.text);
    fill(entry, spelled_here(name.name, name.nr, args));
    entry.path[0] = log_.identity[next].exe;
    if (!program.script.empty()) {
        entry.path[0] = {};
        set_text(entry.path[0].text, program.script);
        entry.path[0].text.source = LOG_USER_MEMORY;
        image.path[0] = entry.path[0];
        image.path[0].text.argument = EBT_ARG_NONE;
        image.paths = 1;
    }
    entry.path[0].text.argument = argument;
    entry.paths = 1;
    entry.ret = make(entry);
    entry.after_ns = image.after_ns = log_now();
    image.kind = 0; // there was none
    entry.identity = identity_;
    entry.paths = 0;
    return {log_, entry};
}

void Process::log_exit(const log_identity& who, int status, uint16_t any, Location where) {
    const uint32_t index = log_new_identity(&log_, identity_);
    log_.identity[index] = who;
    log_entry& entry = *log_new(&log_, index, LOG_EXIT, "process_exit", Place(where).text);
    entry.ret = status;
    entry.any = any;
}

void Process::exit_group(int status, Location where) {
    log_no_return({"exit_group", SYS_exit_group, where}, {register_value(status)});
    log_exit(identity(), (status & 0xff) << 8, 0, where);
    while (true)
        raw_syscall(SYS_exit_group, register_value(status));
}

int Process::wait(pid_t pid) {
    int status = -1;
    while (raw_syscall(SYS_wait4, register_value(pid), register_value(&status)) == -EINTR) {
    }
    return status;
}

int Process::make_file(const std::string& name, unsigned mode) {
    const std::string path = at(name);
    return static_cast<int>(
        call({"openat", SYS_openat}, AT_FDCWD, path.c_str(), O_CREAT | O_RDWR | O_TRUNC, mode)
            .succeeds()
            .opened(1, path)
            .ret());
}

void Process::make_folder(const std::string& name, unsigned mode) {
    const std::string path = at(name);
    call({"mkdirat", SYS_mkdirat}, AT_FDCWD, path.c_str(), mode).succeeds().named(1, path);
}

void Process::drop_privileges() {
    constexpr uint32_t nobody = 65534;
    call({"setgroups", SYS_setgroups}, 0, 0).succeeds();
    Call group = call({"setresgid", SYS_setresgid}, nobody, nobody, nobody);
    log_identity& with_group = change();
    with_group.gid = with_group.sgid = with_group.egid = with_group.fsgid = nobody;
    group.succeeds().by(*this);
    Call user = call({"setresuid", SYS_setresuid}, nobody, nobody, nobody);
    log_identity& with_user = change();
    with_user.uid = with_user.suid = with_user.euid = with_user.fsuid = nobody;
    user.succeeds().by(*this);
}

void Process::require(bool holds, std::string_view what, Location where) {
    if (!holds)
        log_failure(&log_, (std::string(Place(where).text) + ": " + std::string(what)).c_str());
}

} // namespace kernel_test
