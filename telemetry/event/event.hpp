// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include <ebpf_loader/syscalls.hpp>

namespace telemetry {

/// How a value came to be known.
enum class Status : uint8_t {
    absent, ///< the event has no such field
    ok,
    truncated,   ///< cut; original_length is the full length
    fault,       ///< the memory was not there to read
    unavailable, ///< does not exist, or this kernel does not give it
};

/// Where a value came from.
enum class Source : uint8_t {
    kernel,      ///< kernel structures
    user_memory, ///< the process's own memory, which it may have changed since
    procfs,      ///< /proc, read at another time than the event
};

/// Bytes as the process or the kernel gave them: any byte but what `status` says.
struct Text {
    std::string_view bytes;
    Status status = Status::absent;
    Source source = Source::kernel;
    uint32_t original_length = 0; ///< before truncation
    bool length_is_minimum = false;
    bool detached = false; ///< a path that hangs on no mount: a pipe, a socket, a memfd
    bool foreign = false;  ///< a path from the root of another mount namespace, or of an unattached mount
    bool shared = false;   ///< another thread or process could have changed it during the call
    bool deleted = false;  ///< a path that led there once, and no more when it was read

    bool known() const { return status == Status::ok || status == Status::truncated; }
};

struct InodeInfo {
    uint64_t ino = 0;
    uint32_t magic = 0; ///< statfs(2) f_type
    uint32_t mode = 0;  ///< st_mode
    uint32_t uid = 0;
    uint32_t gid = 0;
    uint32_t device = 0; ///< of its file system, as the kernel counts; 0: not known
    bool operator==(const InodeInfo&) const = default;
};

/// Of a device as the kernel counts.
constexpr uint32_t device_major(uint32_t device) {
    return device >> 20;
}
constexpr uint32_t device_minor(uint32_t device) {
    return device & 0xfffff;
}

/// A path or file that the call names, joined to an absolute path where possible.
struct PathField : Text {
    uint8_t argument = 0;   ///< index, or EBT_ARG_RET
    bool has_inode = false; ///< inode is filled: the file itself was seen
    bool relative = false; ///< its beginning is unknown: bytes are as the process gave them, or a path's end;
                           ///< also of a path that starts from nothing known, such as a symlink's target
    bool witnessed = false; ///< taken where the kernel acted on it
    bool created = false;   ///< of an open: it made the file
    bool lexical = false;   ///< rewritten by its text alone: a link in it may lead elsewhere
    uint32_t base = 0;      ///< of a path in user memory: bytes at its beginning that the kernel gave
    InodeInfo inode;
};

/// A NUL-separated list of strings (each ended by NUL).
struct StringList : Text {
    uint32_t count = 0;
};

/// How many strings there are; the last may have lost its NUL.
inline uint32_t count_strings(std::string_view strings) {
    auto ends = static_cast<uint32_t>(std::count(strings.begin(), strings.end(), '\0'));
    return ends + (!strings.empty() && strings.back() != '\0');
}

struct StringField : Text {
    uint8_t argument = 0;
};

struct SocketInfo {
    uint16_t family = 0;
    uint8_t type = 0;
    uint8_t protocol = 0;
    uint16_t local_port = 0;
    uint16_t remote_port = 0;
    std::array<uint8_t, 16> local{};
    std::array<uint8_t, 16> remote{};
};

/// Descriptors that messages carry from one process to another (SCM_RIGHTS), by their numbers in the
/// caller's table.
struct PassedDescriptors {
    std::array<int32_t, 256> fd; ///< the first `kept` of them
    uint16_t kept = 0;
    uint32_t count = 0; ///< more than are kept: how many
    Text control;       ///< how the control messages were read that they stand in; without bytes
};

/// What a call moved over a connection: see ebt_transfer.
struct TransferInfo {
    uint64_t socket = 0;
    uint64_t length = 0; ///< bytes that were moved
    uint32_t netns = 0;
    ebt_direction direction = EBT_CONNECTED;
    std::string_view bytes; ///< the first of them
};

/// What the caller's thread was doing in user space: see EBT_FIELD_USER_STACK.
struct UserStack {
    ebt_registers registers{};
    std::string_view memory; ///< from registers.sp on
};

/// Inode numbers, as in /proc/PID/ns; 0: not known.
struct ImageNamespaces {
    uint32_t mnt = 0;
    uint32_t pid = 0; ///< the one that children are in
    uint32_t user = 0;
    bool operator==(const ImageNamespaces&) const = default;
};

/// Of a thread.
struct Capabilities {
    bool known = false;
    uint64_t permitted = 0, effective = 0;
    bool operator==(const Capabilities&) const = default;
};

/// Which content a file has, as the kernel says: any change changes `changed`.
struct FileVersion {
    uint64_t inode = 0; ///< of a file system that shows its files as another's: the one that is shown
    uint64_t size = 0;
    int64_t changed_s = 0;
    uint32_t changed_ns = 0;
    uint32_t device = 0; ///< as the kernel counts
    bool known() const { return changed_s != 0; }
    auto operator<=>(const FileVersion&) const = default;
};

/// What stays the same for the life of a process image, nearly always.
struct Image {
    PathField exe;    ///< exe.inode: mode, uid and gid of the executable
    Text tty;         ///< "pts0", as the kernel names it; absent when there is no terminal
    PathField script; ///< what was executed, if that is a script: exe is its interpreter. Or not known
    StringList argv;
    StringList environment; ///< the variables that rules ask for: "NAME=VALUE"; absent: none asked for
    ImageNamespaces namespaces;
    Capabilities capabilities; ///< an exec's own; later ones of the process may be others
    FileVersion exe_version;   ///< where it was asked for
};
/// All texts of an image: who copies one copies their bytes.
inline std::array<std::string_view*, 5> texts_of(Image& image) {
    return {&image.exe.bytes, &image.script.bytes, &image.tty.bytes, &image.argv.bytes,
            &image.environment.bytes};
}

/// tid, ppid, exec_id, auid, ses, uid, gid, ... of the caller, as the record has them.
struct ProcessNumbers {
#define EBT_MEMBER(type, name) type name = 0;
    EBT_PROCESS_NUMBERS(EBT_MEMBER)
#undef EBT_MEMBER
    bool operator==(const ProcessNumbers&) const = default;
};

/// What was witnessed of a call, besides what Event::path and Event::sockaddr have of it.
struct Witnessed {
    /// By index of Event::path: what the caller wrote, made absolute, where the kernel acted on another
    /// spelling or another file than that; absent where it did not.
    std::array<Text, 4> called;
    PathField interpreter; ///< of an exec of a script: what runs it
    /// All addresses that a call sent to, as the kernel used them; of more than are kept,
    /// `address_count` says how many.
    std::array<Text, 8> address;
    uint8_t addresses = 0;
    uint32_t address_count = 0;
};
/// Identical events that one stands for.
struct Fold {
    uint64_t count = 0;    ///< itself included
    uint64_t first_ns = 0; ///< when the first of them happened: wall clock, ns since the epoch
};
class LineageNode;
struct StructureLayout;

/// One event, decoded. All views point into the record, the decoder's arena or
/// the process cache, and are valid until the next event.
struct Event : ProcessNumbers {
    ebt_record_kind kind = EBT_SYSCALL;
    ebt_abi abi = EBT_NATIVE_ABI;
    const ebpf_loader::SyscallRow* call = nullptr; ///< nullptr: process event or unknown number
    uint16_t row = 0;
    int32_t nr = 0;
    bool interrupted = false; ///< by a signal: ret is -EINTR, but the call may be made again unseen
    bool executed = true;     ///< false: a successful execveat that only checked (AT_EXECVE_CHECK)
    bool returns = true;      ///< false: ret means nothing (exit, exit_group, rt_sigreturn)
    int64_t ret = 0;          ///< EXIT: wait status
    std::array<uint64_t, EBT_ARGS> args{};
    uint32_t missing = 0;  ///< ebt_missing
    uint8_t shared = 0;    ///< ebt_shared
    uint8_t execution = 0; ///< ebt_execution: whether the call ran, and who could answer it instead

    uint64_t time_ns = 0; ///< wall clock, ns since the epoch
    uint64_t sequence = 0;
    uint16_t cpu = 0;
    uint16_t slot = 0;
    uint64_t dropped_before = 0; ///< records of this cpu and slot lost since the one before

    uint32_t pid = 0;           ///< process (tgid)
    uint64_t start_time_ns = 0; ///< of the process, ns since boot
    std::string_view comm;      ///< up to 15 bytes

    const LineageNode* lineage = nullptr; ///< the process with its ancestors; null: not known
    std::string_view exe_sha256;          ///< of image.exe, 64 digits; empty: not known, or not asked for
    Capabilities capabilities;            ///< of calls that change credentials: at their end
    bool carries_image = false;           ///< image came with the record; otherwise the enricher's
    Image image;
    Text cwd;
    Text root;              ///< absent unless chrooted
    Text cgroup;            ///< with the image: its path in the unified hierarchy, from the root
    Text controller_cgroup; ///< in one of version 1, where it is not at the root

    std::array<PathField, 4> path; ///< in argument order
    uint8_t paths = 0;
    std::array<StringField, 4> string;
    uint8_t strings = 0;
    Text structure;                                    ///< its bytes, which an argument points to
    const StructureLayout* structure_layout = nullptr; ///< null: no argument points to a structure
    uint8_t structure_argument = 0;
    StringList exec_argv; ///< of a failed exec, from user memory; of a successful one see image.argv
    Text sockaddr;        ///< raw struct sockaddr
    uint8_t sockaddr_argument = 0;
    SocketInfo socket;
    Status socket_status = Status::absent;
    std::string_view unix_name; ///< raw struct sockaddr_un that `socket` is bound to; empty: none, or unknown
    bool socket_shared = false; ///< the descriptor may have become another one's during the call

    const PassedDescriptors* passed = nullptr; ///< none: no message carries any, as far as is known

    TransferInfo transfer; ///< of a record of kind EBT_TRANSFER
    Status transfer_status = Status::absent;

    UserStack user_stack; ///< of an EBT_TRANSFER, where stacks were selected
    Status user_stack_status = Status::absent;

    uint32_t child_pid = 0; ///< FORK
    uint64_t child_start_time_ns = 0;
    Status child_status = Status::absent;

    const Witnessed* witnessed = nullptr; ///< none: nothing was, or there is nothing to add
    bool unwitnessed = false;  ///< what the kernel acted on should have been witnessed, and was not
    bool via_io_uring = false; ///< no system call, but an operation of io_uring like this one

    const Fold* fold = nullptr; ///< null: it stands for itself alone
    bool lost_fields = false;   ///< the record ran out of room or steps

    std::string_view key; ///< of the rule that selected the event; empty: it has none

    /// A seccomp filter or a tracer has answered the call in the kernel's place.
    bool skipped() const { return execution & EBT_SKIPPED; }
    /// One of them may have done so.
    bool unproven() const { return execution & EBT_UNPROVEN; }
    bool success() const { return returns && ret >= 0 && !skipped(); }
};

} // namespace telemetry
