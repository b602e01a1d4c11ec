// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/abi/record.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>

#include "test/kernel/spelling.hpp"
#include "test/kernel/subject/call_log.h"
#include "test/kernel/subject/location.hpp"
#include "test/kernel/subject/raw_int80.hpp"

namespace kernel_test {

/// A place in the tests, as the log has it. Threads of a test share what malloc keeps for
/// a thread, so what is done for each call allocates nothing.
struct Place {
    explicit Place(const Location& where);
    char text[LOG_NAME];
};

/// A system call's name and number, and where in the tests it is made.
struct CallName {
    std::string_view name;
    long nr;
    Location where;

    CallName(std::string_view n, long number, Location location = Location::current())
        : name(n), nr(number), where(location) {}
};

/// Has a string in memory. A kernel that lacks a call never touches what it points to, and a
/// page of the program that nobody has touched is not there to be read.
inline void touch(const char* string) {
    for (const volatile char* byte = string; byte && *byte; byte++)
        ;
}

/// An argument as its register has it. What points nowhere is passed as a number.
template <typename T> uint64_t register_value(T value) {
    if constexpr (std::is_same_v<T, const char*>)
        touch(value);
    if constexpr (std::is_pointer_v<T>)
        return reinterpret_cast<uint64_t>(value);
    else
        return static_cast<uint64_t>(static_cast<int64_t>(value));
}

class Process;

/// A call that was made, and what its event must say beyond what every event says.
/// Each function adds one expectation; paths in the order of their arguments, whose indices are those of the
/// call that was asked for. In call.cpp.
class Call {
  public:
    Call(call_log& log, log_entry& entry, const std::array<uint8_t, 6>& places = {0, 1, 2, 3, 4, 5})
        : log_(log), entry_(entry), places_(places) {}

    long ret() const { return entry_.ret; }
    /// The kernel has no such call: no success can be expected.
    bool unknown() const;

    /// The test fails unless the call did; but a call that the kernel lacks may say so.
    Call& succeeds();
    Call& fails(int error);
    /// With one or the other: of two things that are wrong, kernels look at either first.
    Call& fails(int error, int other);
    /// It may do either, as the file system or the machine is made.
    Call& may_fail();

    /// The file behind a descriptor, from the kernel: its path and its inode.
    Call& file(uint8_t argument, long fd, std::string_view path);
    /// The same for the returned descriptor; the name as given when there is none.
    Call& opened(uint8_t argument, std::string_view path) { return result(argument, path, 0); }
    /// A file that no path leads to: a pipe, a socket. "#" stands for its inode number.
    Call& detached(uint8_t argument, long fd, std::string_view name);
    Call& opened_detached(uint8_t argument, std::string_view name);
    /// A path from the process's memory, as it is shown.
    Call& named(uint8_t argument, std::string_view path, uint8_t flags = 0);
    /// ... of which another spelling was written.
    Call& called(std::string_view written);
    /// A path from the kernel without an inode: where a chdir led.
    Call& led_to(uint8_t argument, std::string_view path);
    Call& no_path(uint8_t argument, log_status status, log_source source = LOG_KERNEL);
    Call& no_file(uint8_t argument) { return no_path(argument, LOG_UNAVAILABLE); }
    /// A path that was cut: what is kept of it.
    Call& cut_path(uint8_t argument, std::string_view kept, uint32_t original, uint8_t flags);

    Call& string(uint8_t argument, std::string_view text);
    /// What the argument points to, byte by byte: a structure.
    template <typename T> Call& points_to(uint8_t argument, const T& value, size_t size = sizeof(T)) {
        return string(argument, {reinterpret_cast<const char*>(&value), size});
    }
    Call& cut_string(uint8_t argument, std::string_view kept, uint32_t original);
    Call& no_string(uint8_t argument, log_status status);
    Call& address(uint8_t argument, const void* bytes, size_t length);
    Call& no_address(uint8_t argument, log_status status);
    /// Descriptors that a message carries.
    Call& passed(const std::vector<int32_t>& descriptors, log_status status = LOG_OK, uint32_t original = 0,
                 uint32_t flags = 0);
    /// Both ends of the socket, as getsockname and getpeername tell.
    Call& socket(long fd);
    /// A socket whose ends are neither here nor there: a connect failed half-way.
    Call& socket_without_ends(long fd);
    Call& no_socket();
    /// The arguments of an exec that failed.
    Call& argv(const std::vector<std::string>& arguments, log_status status = LOG_OK);
    Call& missing(uint32_t parts);
    Call& any(uint16_t what);
    /// The event describes the process as it is after the call.
    Call& by(const Process& process);

    log_entry& entry() { return entry_; }

  private:
    log_path& new_path(uint8_t argument, std::string_view bytes);
    log_text& new_string(uint8_t argument, std::string_view bytes);
    Call& result(uint8_t argument, std::string_view path, uint8_t flags);
    void read_inode(log_path& path, long fd);
    void fail(const std::string& why);
    uint8_t place(uint8_t argument) const { return argument < places_.size() ? places_[argument] : argument; }

    call_log& log_;
    log_entry& entry_;
    std::array<uint8_t, 6> places_;
};

/// What records have of a file's device; 0, which is any, of a file system that shows its files on other
/// devices than its own.
uint32_t recorded_device(const struct stat& file, const struct statfs& system);

/// A program and what is known of its image once it runs.
struct Program {
    std::string path; ///< of the executable
    std::vector<std::string> argv;
    std::optional<uint32_t> uid, gid; ///< that it runs as, when it is set-user-id or set-group-id
    long memory = -1;                 ///< descriptor of an executable without a place
    std::string script;               ///< what was executed, if that is one: `path` is its interpreter
};

/// A thread of a test's process. It makes calls and logs them; what every event of the
/// thread must say is its identity.
class Process {
  public:
    Process(call_log& log, uint32_t identity, std::string folder, std::string programs)
        : log_(log), identity_(identity), folder_(std::move(folder)), programs_(std::move(programs)) {}

    template <typename... Args> Call call(CallName name, Args... args) {
        return call_with(name, {register_value(args)...});
    }
    /// Through int 0x80, on x86-64 alone: `nr` is i386's.
    template <typename... Args> Call call32(CallName name, Args... args) {
        return call32_with(name, {register_value(args)...});
    }

    /// Executes `program`; comes back only when that fails. `argument`: that of the path.
    template <typename... Args>
    Call exec(CallName name, const Program& program, uint8_t argument, Args... args) {
        return exec_with(name, program, argument, {register_value(args)...});
    }

    /// The same for execve with a command line of which only so much is kept.
    template <typename... Args>
    void exec_cut(CallName name, const Program& program, uint32_t kept, Args... args) {
        argv_kept_ = kept;
        exec_with(name, program, 0, {register_value(args)...}).succeeds();
    }

    /// What events say from now on: a copy of what they said before, to be changed.
    log_identity& change();
    const log_identity& identity() const { return log_.identity[identity_]; }
    void set_text(log_text& text, std::string_view bytes) {
        text = log_bytes(&log_, bytes.data(), static_cast<uint32_t>(bytes.size()));
    }
    std::string text(const log_text& text) const { return {log_.bytes + text.offset, text.length}; }
    uint32_t identity_index() const { return identity_; }

    /// A child process that does `action` and ends. `name` is fork, or a call whose
    /// arguments make it behave like fork.
    template <typename Action, typename... Args> pid_t fork(CallName name, Action action, Args... args) {
        const uint64_t before = log_now();
        const Spelling here = spelled_here(name.name, name.nr, {register_value(args)...});
        const auto& a = here.args;
        const long pid = raw_syscall(here.nr, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (pid == 0) {
            Process child = as_child();
            action(child);
            child.exit_group(0);
        }
        log_fork(name, pid, before, {register_value(args)...});
        return static_cast<pid_t>(pid);
    }
    /// The process that a fork just made, in the child.
    Process as_child();
    Call log_fork(CallName name, long pid, uint64_t before, std::initializer_list<uint64_t> args);
    /// Logs a call that was made by other means.
    Call log_call(CallName name, long ret, uint64_t before, std::initializer_list<uint64_t> args);
    /// Logs a call that is about to be made by other means and will succeed.
    Call announce(CallName name, std::initializer_list<uint64_t> args) {
        return log_call(name, 0, log_now(), args);
    }
    /// Logs a call that is about to be made and will not return.
    Call log_no_return(CallName name, std::initializer_list<uint64_t> args);
    /// The process, once another thread of it speaks.
    Process as_thread(uint32_t tid);

    [[noreturn]] void exit_group(int status, Location where = Location::current());
    /// Waits for a child; returns its status as wait(2) tells it.
    int wait(pid_t pid);
    /// Logs the end of a process that does not do so itself: it is killed.
    void log_exit(const log_identity& who, int status, uint16_t any = 0,
                  Location where = Location::current());

    /// The test's own folder, empty at first and the current directory; a path in it.
    const std::string& folder() const { return folder_; }
    std::string at(std::string_view name) const { return folder_ + "/" + std::string(name); }
    /// A helper program.
    std::string program(std::string_view name) const { return programs_ + "/" + std::string(name); }

    /// An empty file, made without the call that is tested; a descriptor to write to it.
    int make_file(const std::string& name, unsigned mode = 0644);
    void make_folder(const std::string& name, unsigned mode = 0755);

    /// From here on without any privilege.
    void drop_privileges();

    /// Fails the test unless it holds.
    void require(bool holds, std::string_view what, Location where = Location::current());
    /// Something that cannot be tried here: reported at the end of the run.
    void note(const std::string& text) { log_note(&log_, text.c_str()); }
    call_log& log() { return log_; }

  private:
    Call call_with(const CallName& name, std::initializer_list<uint64_t> args);
    Call call32_with(const CallName& name, std::initializer_list<uint64_t> args);
    Call exec_with(const CallName& name, const Program& program, uint8_t argument,
                   std::initializer_list<uint64_t> args);
    uint32_t executed(const Program& program);

    call_log& log_;
    uint32_t identity_;
    std::string folder_, programs_;
    uint32_t argv_kept_ = UINT32_MAX;
};

/// Strings as argv has them: each followed by NUL.
std::string joined(const std::vector<std::string>& strings);
/// Pointers to the strings, ended by null.
std::vector<const char*> pointers(const std::vector<std::string>& strings);

} // namespace kernel_test
