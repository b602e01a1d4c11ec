// SPDX-License-Identifier: LGPL-2.1
// The kinds of arguments are in tables/argument_kinds.cpp, the listing in tables/syscall_listing.cpp.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/abi/plan.h>
#include <ebpf_loader/api.hpp>

// Implemented in loader/src/tables: syscalls.cpp (the table and its look-ups), argument_kinds.cpp
// (what follows from the kinds of arguments) and syscall_listing.cpp (--list-syscalls).
namespace ebpf_loader {

/// What an argument of a system call is; decides capture, width and display.
enum class ArgKind : uint8_t {
    number,        ///< long, unsigned
    integer,       ///< int: 32 bits, signed
    unsigned_int,  ///< unsigned int: 32 bits
    pointer,       ///< address; not followed
    size,          ///< bytes
    offset,        ///< loff_t, signed
    fd,            ///< open descriptor: its file is captured
    fd_socket,     ///< socket: its ends are captured
    fd_number,     ///< a descriptor that is closed or meaningless at exit: the number alone
    dirfd,         ///< directory descriptor or AT_FDCWD, for a path argument
    path,          ///< user string; link = index of its dirfd, or EBT_LINK_CWD
    path_text,     ///< a path that the caller's directory says nothing about: a symlink's target,
                   ///< a mount's source; shown as it is
    path_new_cwd,  ///< chdir's. On success the event's cwd is what it led to, and what a relative
                   ///< one started from is gone: captured on failure alone
    path_new_root, ///< chroot's: the same, with the event's root
    string,        ///< user string that is no path
    sockaddr,      ///< link = index of its length argument
    sockaddr_out,  ///< filled by the kernel; link = index of the pointer to its length
    msghdr,        ///< struct msghdr to be sent, or the first of several: its address is captured
    msghdr_out,    ///< the same, filled by the kernel
    argv,          ///< array of strings
    envp,          ///< array of strings; not captured
    flags,         ///< bits; flag_set names the set of constants
    enumeration,   ///< one of flag_set's constants
    mode,          ///< file mode bits, shown in octal
    signal,        ///< signal number
    pid,           ///< process or thread id
    uid,
    gid,
    address,   ///< virtual address in the caller (mmap, brk)
    structure, ///< pointer to the structure `flag_set`; link = index of its size argument, or EBT_FIXED()
    bytes,     ///< bytes that the call takes; link = index of their length argument
    written,   ///< the same, captured when descriptor 0 is a file of proc, sysfs or cgroup alone
};

/// What a call returns.
enum class ReturnKind : uint8_t { number, file, socket, fd_number, pid, pointer, none };

struct Argument {
    std::string_view name;
    ArgKind kind = ArgKind::number;
    uint8_t link = 0;               ///< meaning by kind
    std::string_view flag_set = {}; ///< of flags and enumeration, see constants.hpp; the name of a structure
};

/// What the events of a call are about: an action, a category and a type of the Elastic Common Schema.
enum class EventClass : uint8_t {
    process_exec,
    process_fork,
    process_change,
    user_change,    ///< whom the process acts for
    group_change,   ///< the same for its groups
    session_change, ///< it leads a new session
    process_access,
    process_end,
    file_open, ///< access, change or creation: its flags and whether it made the file decide
    file_access,
    file_change,
    file_attributes, ///< its mode, owner, times or extended attributes change
    file_rename,
    file_creation,
    file_deletion,
    connection,
    connection_attempt,
    connection_accept,
    connection_end,
    network_info,
    driver_start,
    driver_end,
    configuration,
    api, ///< nothing in particular
};

/// What a call does with the addresses of its socket.
enum class SocketRole : uint8_t {
    none,
    own,     ///< names this end: bind, listen, getsockname
    egress,  ///< connect, send
    ingress, ///< accept, receive
};

/// How a call moves bytes over a socket.
struct Move {
    ebt_move kind = EBT_MOVE_NONE;
    ebt_direction direction = EBT_CONNECTED;
    uint8_t flags = EBT_MOVE_NO_FLAGS; ///< index of the argument with MSG_*
};

/// One row of kern/abi/syscalls.def. Numbers are -1 where an ABI lacks the call.
struct SyscallRow {
    std::string_view name;
    int number[EBT_ABIS]; ///< by ebt_abi; x32 without its bit 30
    EventClass event_class;
    ReturnKind returns;
    uint16_t flags;    ///< ebt_plan_flag
    uint8_t arguments; ///< how many, 0..6
    Argument argument[EBT_ARGS];
    Move move;
    SocketRole role = SocketRole::none;
    uint16_t witness = 0;   ///< ebt_witness: what of it kprobes may witness
    uint8_t socketcall = 0; ///< first argument of i386's socketcall(2) that stands for it; 0: none
};

/// All system calls of the table; the plan row of the i-th is EBT_FIRST_SYSCALL_ROW + i.
EBPF_LOADER_API std::span<const SyscallRow> syscall_rows();

/// By name, or nullptr. Where several rows share the name, the first; see next_form().
EBPF_LOADER_API const SyscallRow* find_syscall(std::string_view name);
/// The next row with the same name, or nullptr. i386 and arm pass a 64-bit argument in two halves,
/// so a few calls (fallocate, fanotify_mark, ...) have arguments of their own there.
EBPF_LOADER_API const SyscallRow* next_form(const SyscallRow& call);
/// By number as the ABI counts (x32 bit removed), or nullptr. Knows what numbers_of() says.
EBPF_LOADER_API const SyscallRow* find_syscall(ebt_abi abi, int number);

/// What i386's socketcall(2) turns into with this first argument, or nullptr. accept becomes accept4,
/// which alone has a number of its own on i386; send and recv become sendto and recvfrom.
EBPF_LOADER_API const SyscallRow* find_socketcall(uint64_t socketcall);

/// The first arguments of i386's ipc(2) that stand for the call: one, or none.
EBPF_LOADER_API std::optional<uint8_t> ipc_call_of(const SyscallRow& call);

struct SyscallNumber {
    ebt_abi abi;
    int number;
    bool operator==(const SyscallNumber&) const = default;
};
/// Every number that leads to the call on this machine; none where its programs lack the call. They
/// are those of its row, and those by which only kernels before 5.4 reach it (x32's own numbers
/// without the x32 bit, x86_64's with it), so that nobody evades a rule by them.
EBPF_LOADER_API std::vector<SyscallNumber> numbers_of(const SyscallRow& call);

/// "x86_64", "i386", "x32", "aarch64", "arm"; empty for what is no ABI.
constexpr std::string_view abi_name(ebt_abi abi) {
    constexpr std::string_view names[EBT_ABIS] = {"x86_64", "i386", "x32", "", "aarch64", "arm"};
    return abi >= 0 && abi < EBT_ABIS ? names[abi] : std::string_view();
}
/// The ABIs that programs of this machine have, the native one first.
EBPF_LOADER_API std::span<const ebt_abi> machine_abis();
/// In which of them there is a call of this name: 1 << ebt_abi each.
EBPF_LOADER_API uint8_t machine_abis_of(std::string_view name);
/// Are its pointers 8 bytes wide?
constexpr bool is_64_bit(ebt_abi abi) {
    return abi == EBT_X86_64 || abi == EBT_AARCH64;
}
/// Are its arguments 32 bits wide? Those of x32 are not.
constexpr bool has_narrow_arguments(ebt_abi abi) {
    return abi == EBT_I386 || abi == EBT_ARM;
}

/// By plan row, as ebt_header.row has it, or nullptr (process events, calls unknown to the table).
EBPF_LOADER_API const SyscallRow* syscall_of_row(uint16_t row);
EBPF_LOADER_API uint16_t row_of(const SyscallRow& call);

/// Is it a path in user memory, of whatever kind?
EBPF_LOADER_API bool is_path(ArgKind kind);
/// Is the argument 32 bits wide to the kernel (int, fd, mode_t, ...)?
EBPF_LOADER_API bool is_32_bit(ArgKind kind);
/// Is its natural order signed?
EBPF_LOADER_API bool is_signed(ArgKind kind);

/// The capture steps that the kinds of a row's arguments and return ask for.
/// Never more than EBT_STEPS.
EBPF_LOADER_API std::vector<ebt_step> capture_steps(const SyscallRow& call);

EBPF_LOADER_API std::string_view kind_name(ArgKind kind);
EBPF_LOADER_API std::string_view return_name(ReturnKind kind);

/// The whole table for people: numbers in each ABI, arguments with their kinds, captures.
EBPF_LOADER_API void list_syscalls(std::ostream& out);

} // namespace ebpf_loader
