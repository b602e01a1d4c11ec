// SPDX-License-Identifier: LGPL-2.1
// The table of system calls and its look-ups. Everything here is built and checked by the
// compiler: a row with a wrong number or link does not build.
#include <ebpf_loader/syscalls.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ebpf_loader {
namespace {

constexpr int none = -1;

// The words of syscalls.def, a function a kind, and how each gets into the row.
namespace words {
using Name = std::string_view;

#define PLAIN(kind)                                                                                          \
    constexpr Argument kind(Name name) {                                                                     \
        return {name, ArgKind::kind};                                                                        \
    }
PLAIN(number)
PLAIN(integer)
PLAIN(unsigned_int)
PLAIN(pointer)
PLAIN(size)
PLAIN(offset)
PLAIN(fd)
PLAIN(fd_socket)
PLAIN(fd_number)
PLAIN(path_text)
PLAIN(path_new_cwd)
PLAIN(path_new_root)
PLAIN(string)
PLAIN(msghdr)
PLAIN(msghdr_out)
PLAIN(argv)
PLAIN(envp)
PLAIN(pid)
PLAIN(uid)
PLAIN(gid)
PLAIN(address)
#undef PLAIN

constexpr Argument dirfd(Name name) {
    return {name, ArgKind::dirfd, 0, "dirfd"};
}
constexpr Argument mode(Name name) {
    return {name, ArgKind::mode, 0, "mode"};
}
constexpr Argument signal(Name name) {
    return {name, ArgKind::signal, 0, "signal"};
}
constexpr Argument path(Name name, uint8_t dirfd = EBT_LINK_CWD) {
    return {name, ArgKind::path, dirfd};
}
constexpr Argument sockaddr(Name name, uint8_t length) {
    return {name, ArgKind::sockaddr, length};
}
constexpr Argument sockaddr_out(Name name, uint8_t length) {
    return {name, ArgKind::sockaddr_out, length};
}
constexpr Argument flags(Name name, Name set) {
    return {name, ArgKind::flags, 0, set};
}
constexpr Argument structure(Name name, Name type, uint8_t size) {
    return {name, ArgKind::structure, size, type};
}
constexpr Argument bytes(Name name, uint8_t length) {
    return {name, ArgKind::bytes, length};
}
constexpr Argument written(Name name, uint8_t length) {
    return {name, ArgKind::written, length};
}
constexpr Argument enumeration(Name name, Name set) {
    return {name, ArgKind::enumeration, 0, set};
}

struct PlanFlags {
    uint16_t flags;
};
constexpr PlanFlags plan(uint16_t flags) {
    return {flags};
}

struct X32Number {
    int number;
};
constexpr X32Number x32(int number) {
    constexpr int first = 512; // below: shared with x86_64
    constexpr int last = 547;
    if (number != none && (number < first || number > last))
        throw "syscalls.def: an x32 number out of range";
    return {number};
}

struct Witness {
    uint16_t kinds;
};
constexpr Witness witness(int kinds) {
    return {static_cast<uint16_t>(kinds)};
}

constexpr Move moves(ebt_move kind, ebt_direction direction, uint8_t flags = EBT_MOVE_NO_FLAGS) {
    return {kind, direction, flags};
}

constexpr SocketRole own = SocketRole::own;
constexpr SocketRole egress = SocketRole::egress;
constexpr SocketRole ingress = SocketRole::ingress;

// What these throw stops the compiler, which alone runs them.
constexpr void add(SyscallRow& row, const Argument& argument) {
    if (row.arguments == EBT_ARGS)
        throw "syscalls.def: more arguments than a call can have";
    row.argument[row.arguments++] = argument;
}
constexpr void add(SyscallRow& row, PlanFlags plan) {
    row.flags = plan.flags;
}
constexpr void add(SyscallRow& row, X32Number own_number) {
    row.number[EBT_X32] = own_number.number;
}
constexpr void add(SyscallRow& row, const Move& move) {
    row.move = move;
}
constexpr void add(SyscallRow& row, Witness witness) {
    row.witness = witness.kinds;
}
constexpr void add(SyscallRow& row, SocketRole role) {
    row.role = role;
}
} // namespace words

struct Numbers {
    int x86_64, i386, aarch64, arm;
};

constexpr SyscallRow make_row(std::string_view name, const Numbers& numbers, EventClass event_class,
                              ReturnKind returns, auto... parts) {
    SyscallRow row{name, {}, event_class, returns, 0, 0, {}, {}};
    std::fill(std::begin(row.number), std::end(row.number), none);
    row.number[EBT_X86_64] = row.number[EBT_X32] = numbers.x86_64;
    row.number[EBT_I386] = numbers.i386;
    row.number[EBT_AARCH64] = numbers.aarch64;
    row.number[EBT_ARM] = numbers.arm;
    (words::add(row, parts), ...);
    return row;
}

constexpr SyscallRow with_socketcall(uint8_t socketcall, SyscallRow row) {
    row.socketcall = socketcall;
    return row;
}

struct SocketcallShort {
    uint8_t socketcall;
    std::string_view name;
    int i386;
    std::string_view full;
};
constexpr SocketcallShort socketcall_shorts[] = {
#define SYSCALL(...)
#define SOCKETCALL_SHORT(socketcall, name, arguments, i386, full) {socketcall, #name, i386, #full},
#include <ebpf_loader/abi/syscalls.def>
};

constexpr auto make_table() {
    using namespace words;
#define SYSCALL(x86_64, i386, aarch64, arm, name, event_class, returns, ...)                                 \
    make_row(#name, {x86_64, i386, aarch64, arm}, EventClass::event_class,                                   \
             ReturnKind::returns __VA_OPT__(, ) __VA_ARGS__),
#define SOCKET_SYSCALL(socketcall, x86_64, i386, aarch64, arm, name, event_class, returns, ...)              \
    with_socketcall(socketcall, make_row(#name, {x86_64, i386, aarch64, arm}, EventClass::event_class,       \
                                         ReturnKind::returns __VA_OPT__(, ) __VA_ARGS__)),
    auto rows = std::to_array<SyscallRow>({
#include <ebpf_loader/abi/syscalls.def>
    });
    for (SyscallRow& row : rows)
        for (const SocketcallShort& call : socketcall_shorts)
            if (call.name == row.name && row.number[EBT_X86_64] != none) // arm has some of them as calls
                row.socketcall = call.socketcall;
    return rows;
}

constexpr auto table = make_table();
static_assert(table.size() + EBT_FIRST_SYSCALL_ROW < EBT_ROWS);
// What move_flags() of the kernel side knows.
static_assert(std::all_of(table.begin(), table.end(), [](const SyscallRow& row) {
    return row.move.flags == EBT_MOVE_NO_FLAGS || row.move.flags == 2 || row.move.flags == 3;
}));

/// Does the argument that another one refers to exist, and fit?
constexpr bool link_is_sound(const SyscallRow& row, const Argument& argument) {
    auto link_is = [&](ArgKind kind) {
        return argument.link < row.arguments && row.argument[argument.link].kind == kind;
    };
    switch (argument.kind) {
    case ArgKind::path:
        return argument.link == EBT_LINK_CWD || link_is(ArgKind::dirfd);
    case ArgKind::sockaddr:
        return link_is(ArgKind::integer);
    case ArgKind::sockaddr_out:
        return link_is(ArgKind::pointer);
    case ArgKind::structure:
        return argument.link > EBT_FIXED(0) || link_is(ArgKind::size);
    case ArgKind::bytes:
    case ArgKind::written:
        return link_is(ArgKind::size);
    default:
        return true;
    }
}

constexpr bool links_are_sound() {
    for (const SyscallRow& row : table)
        for (size_t i = 0; i < row.arguments; i++)
            if (!link_is_sound(row, row.argument[i]))
                return false;
    return true;
}
static_assert(links_are_sound(),
              "syscalls.def: an argument refers to another one that is missing or does not fit");

constexpr uint16_t no_row = UINT16_MAX;
using Rows = std::array<uint16_t, EBT_NUMBERS>;

/// Rows by number. What it throws stops the compiler, which alone runs it.
constexpr std::array<Rows, EBT_ABIS> make_number_index() {
    std::array<Rows, EBT_ABIS> index{};
    for (Rows& rows : index)
        rows.fill(no_row);
    for (size_t i = 0; i < table.size(); i++)
        for (size_t abi = 0; abi < EBT_ABIS; abi++) {
            if (table[i].number[abi] == none)
                continue;
            uint16_t& row = index[abi].at(static_cast<size_t>(table[i].number[abi]));
            if (row != no_row)
                throw "syscalls.def: a number appears twice";
            row = static_cast<uint16_t>(i);
        }
    return index;
}

/// Before 5.4 one table served both ABIs of 64 bits, whatever the x32 bit said.
constexpr std::array<Rows, EBT_ABIS> add_old_numbers(std::array<Rows, EBT_ABIS> index) {
    const std::array<Rows, EBT_ABIS> own = index;
    for (size_t number = 0; number < EBT_NUMBERS; number++)
        for (auto [to, from] : {std::pair{EBT_X86_64, EBT_X32}, std::pair{EBT_X32, EBT_X86_64}})
            if (own[to][number] == no_row)
                index[to][number] = own[from][number];
    return index;
}
constexpr auto number_index = add_old_numbers(make_number_index());

/// Indexes into `table`, in the order of the names.
constexpr auto make_name_index() {
    std::array<uint16_t, table.size()> index{};
    for (size_t i = 0; i < table.size(); i++)
        index[i] = static_cast<uint16_t>(i);
    std::sort(index.begin(), index.end(), [](uint16_t a, uint16_t b) {
        return table[a].name != table[b].name ? table[a].name < table[b].name : a < b;
    });
    return index;
}
constexpr auto name_index = make_name_index();

constexpr const SyscallRow* find_name(std::string_view name) {
    auto found = std::lower_bound(name_index.begin(), name_index.end(), name,
                                  [](uint16_t i, std::string_view wanted) { return table[i].name < wanted; });
    return found == name_index.end() || table[*found].name != name ? nullptr : &table[*found];
}

/// By the first argument of socketcall(2), the place of what it turns into.
constexpr auto make_socketcall_index() {
    std::array<uint16_t, 21> index{};
    index.fill(no_row);
    const auto set = [&](size_t socketcall, const SyscallRow& row) {
        uint16_t& place = index.at(socketcall);
        if (place != no_row)
            throw "syscalls.def: a number of socketcall(2) appears twice";
        place = static_cast<uint16_t>(&row - table.data());
    };
    for (const SyscallRow& row : table)
        if (row.socketcall && row.number[EBT_I386] != none)
            set(row.socketcall, row);
    for (const SocketcallShort& call : socketcall_shorts) {
        const SyscallRow* full = find_name(call.full);
        if (!full || full->number[EBT_I386] != call.i386)
            throw "syscalls.def: SOCKETCALL_SHORT with an unknown name or another number";
        set(call.socketcall, *full);
    }
    return index;
}
constexpr auto socketcall_index = make_socketcall_index();

/// What dispatch_socketcall() of the kernel side can express.
constexpr bool socketcall_is_sound(uint16_t place) {
    constexpr int first = 337, last = first + 63;
    const int number = place == no_row ? none : table[place].number[EBT_I386];
    return number >= first && number <= last;
}
static_assert(socketcall_index[0] == no_row &&
                  std::all_of(socketcall_index.begin() + 1, socketcall_index.end(), socketcall_is_sound),
              "syscalls.def: a number of socketcall(2) is missing, or its call's number is out of range");

} // namespace

std::span<const SyscallRow> syscall_rows() {
    return table;
}

const SyscallRow* find_syscall(std::string_view name) {
    return find_name(name);
}

const SyscallRow* next_form(const SyscallRow& call) {
    const SyscallRow* end = table.data() + table.size();
    const SyscallRow* next =
        std::find_if(&call + 1, end, [&](const SyscallRow& row) { return row.name == call.name; });
    return next == end ? nullptr : next;
}

const SyscallRow* find_syscall(ebt_abi abi, int number) {
    if (abi < 0 || abi >= EBT_ABIS || number < 0 || number >= EBT_NUMBERS)
        return nullptr;
    uint16_t row = number_index[abi][static_cast<size_t>(number)];
    return row == no_row ? nullptr : &table[row];
}

const SyscallRow* find_socketcall(uint64_t socketcall) {
    const uint16_t place = socketcall < socketcall_index.size() ? socketcall_index[socketcall] : no_row;
    return place == no_row ? nullptr : &table[place];
}

std::optional<uint8_t> ipc_call_of(const SyscallRow& call) {
    static constexpr struct {
        uint8_t ipc;
        std::string_view name;
    } calls[] = {
#define SYSCALL(...)
#define IPC_CALL(ipc, name) {ipc, #name},
#include <ebpf_loader/abi/syscalls.def>
    };
    static_assert(
        std::all_of(std::begin(calls), std::end(calls),
                    [](const auto& entry) { return entry.ipc < EBT_IPC_CALLS && find_name(entry.name); }),
        "syscalls.def: an unknown name, or more than dispatch_ipc() of the kernel side can express");
    for (const auto& entry : calls)
        if (entry.name == call.name)
            return entry.ipc;
    return std::nullopt;
}

std::vector<SyscallNumber> numbers_of(const SyscallRow& call) {
    std::vector<SyscallNumber> numbers;
    const auto add = [&](ebt_abi abi, int number) {
        SyscallNumber candidate{abi, number};
        if (find_syscall(abi, number) == &call &&
            std::find(numbers.begin(), numbers.end(), candidate) == numbers.end())
            numbers.push_back(candidate);
    };
    for (const ebt_abi abi : machine_abis())
        for (const ebt_abi other : machine_abis())
            add(abi, call.number[other]);
    return numbers;
}

std::span<const ebt_abi> machine_abis() {
    static constexpr ebt_abi abis[] = {EBT_X86_64, EBT_I386, EBT_X32, EBT_AARCH64, EBT_ARM};
    constexpr size_t of_x86 = 3;
    return EBT_NATIVE_ABI == EBT_X86_64 ? std::span(abis).first(of_x86) : std::span(abis).subspan(of_x86);
}

uint8_t machine_abis_of(std::string_view name) {
    unsigned abis = 0;
    for (const SyscallRow* form = find_name(name); form; form = next_form(*form))
        for (const SyscallNumber& number : numbers_of(*form))
            abis |= 1u << number.abi;
    return static_cast<uint8_t>(abis);
}

const SyscallRow* syscall_of_row(uint16_t row) {
    if (row < EBT_FIRST_SYSCALL_ROW || row - EBT_FIRST_SYSCALL_ROW >= static_cast<int>(table.size()))
        return nullptr;
    return &table[static_cast<size_t>(row - EBT_FIRST_SYSCALL_ROW)];
}

uint16_t row_of(const SyscallRow& call) {
    return static_cast<uint16_t>(EBT_FIRST_SYSCALL_ROW + (&call - table.data()));
}

} // namespace ebpf_loader
