// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/discovery/kernel_memory.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace ebpf_loader::discovery {

/// Something that this system does not let us do or see; the fields that hang on it are refused.
class Unobservable : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// As status_number(), but throws Unobservable where no line has that name.
uint64_t number_in_status(std::string_view status, std::string_view name, int base = 10);

struct Mailbox;
class HelperProcesses;

/// System calls take pointers, descriptors and ids alike as 64-bit words.
inline uint64_t as_argument(const void* pointer) {
    return reinterpret_cast<uint64_t>(pointer);
}
inline uint64_t as_argument(int value) {
    return static_cast<uint64_t>(value);
}

/// A process or thread of ours that makes one system call after another, as we ask it to.
class HelperProcess {
  public:
    enum class Kind {
        process,
        process_sharing_memory, ///< and signal handlers, but no thread of its parent's process
        thread,                 ///< that shares no more than a thread has to
    };

    /// Makes the system call and returns what it returned, -errno included.
    int64_t call(int64_t number, uint64_t a0 = 0, uint64_t a1 = 0, uint64_t a2 = 0, uint64_t a3 = 0,
                 uint64_t a4 = 0, uint64_t a5 = 0);
    /// The same; throws Unobservable, naming `what`, when it fails.
    int64_t must(const char* what, int64_t number, uint64_t a0 = 0, uint64_t a1 = 0, uint64_t a2 = 0,
                 uint64_t a3 = 0, uint64_t a4 = 0, uint64_t a5 = 0);
    /// Begins a call that is not expected to end (exit, pause, execve, ...).
    void begin(int64_t number, uint64_t a0 = 0, uint64_t a1 = 0, uint64_t a2 = 0, uint64_t a3 = 0,
               uint64_t a4 = 0, uint64_t a5 = 0);
    /// getppid(2) through the compat ABI, with a request to KernelMemory; false when this kernel has no
    /// 32-bit calls (the helper is dead then).
    bool call_32_bit(const KernelMemory::Request& request);

    /// A copy of an argument, with a NUL, in memory that helpers share with us; good for the
    /// next call, for old ones are written over when the room is used up.
    uint64_t text(std::string_view content);
    /// Zeroed room there, for results.
    void* room(size_t bytes);

    HelperProcess& spawn(Kind kind = Kind::process);

    /// A file's content as the helper sees it; empty when it cannot be read.
    std::string read_file(const char* name);

    pid_t pid() const { return pid_; }      ///< as we count
    uint64_t task() const { return task_; } ///< its task_struct
    uint32_t tgid() const { return tgid_; } ///< as the kernel counts
    uint32_t tid() const { return tid_; }
    uint64_t born_after() const { return born_after_; } ///< CLOCK_BOOTTIME, ns
    uint64_t born_before() const { return born_before_; }
    const HelperProcess* parent() const { return parent_; } ///< nullptr: this process

    /// Waits until it is dead, but not reaped.
    void await_zombie();

  private:
    friend class HelperProcesses;
    HelperProcess(HelperProcesses& owner, HelperProcess* parent, Mailbox* box)
        : owner_(owner), parent_(parent), box_(box) {}
    void await_done(const char* what);
    bool is_alive() const;
    void introduce();

    HelperProcesses& owner_;
    HelperProcess* parent_;
    Mailbox* box_;
    Kind kind_ = Kind::process;
    pid_t pid_ = 0;
    uint64_t task_ = 0;
    uint32_t tid_ = 0, tgid_ = 0;
    uint64_t born_after_ = 0, born_before_ = 0;
    size_t room_used_ = 0;
};

/// Owns the helpers and the memory through which they get their calls. They are made
/// without exit signals, so that the program around us never gets one for them, with all signals
/// blocked, and they die with the thread that made them.
class HelperProcesses {
  public:
    explicit HelperProcesses(const KernelMemory& memory);
    ~HelperProcesses();
    HelperProcesses(const HelperProcesses&) = delete;
    HelperProcesses& operator=(const HelperProcesses&) = delete;

    HelperProcess& spawn() { return spawn(nullptr, HelperProcess::Kind::process); }
    HelperProcess& spawn(HelperProcess* parent, HelperProcess::Kind kind);
    const KernelMemory& memory() const { return memory_; }
    const std::vector<std::unique_ptr<HelperProcess>>& all() const { return all_; }
    /// Waits for the end of a helper and forgets it.
    void reap(HelperProcess& helper);
    /// The same, after killing it.
    void dismiss(HelperProcess& helper);

  private:
    Mailbox* new_mailbox();

    const KernelMemory& memory_;
    std::byte* boxes_ = nullptr;
    size_t boxes_used_ = 0;
    std::vector<std::unique_ptr<HelperProcess>> all_;
};

/// Is the process dead but not reaped? `pid` as we count.
bool is_zombie(pid_t pid);

} // namespace ebpf_loader::discovery
