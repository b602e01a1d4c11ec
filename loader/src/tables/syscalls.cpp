// SPDX-License-Identifier: LGPL-2.1
// The table of system calls and its look-ups. Everything here is built and checked by the
// compiler: a row with a wrong number or link does not build.
#include <ebpf_loader/syscalls.hpp>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace ebpf_loader {
namespace {

constexpr int none = -1;
constexpr int first_x32_number = 512; // below: shared with x86_64
constexpr int last_x32_number = 547;

// The words of syscalls.def, a function a kind.
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
constexpr Argument enumeration(Name name, Name set) {
    return {name, ArgKind::enumeration, 0, set};
}
} // namespace words

struct X32Number {
    std::string_view name;
    int number;
};
constexpr X32Number x32_numbers[] = {
#define SYSCALL(...)
#define SYSCALL_FLAGS(...)
#define SYSCALL_MOVES(...)
#define X32(number, name) {#name, number},
#include <ebpf_loader/abi/syscalls.def>
#undef X32
#undef SYSCALL_FLAGS
};

struct PlanFlags {
    std::string_view name;
    uint16_t flags;
};
constexpr PlanFlags plan_flags[] = {
#define X32(...)
#define SYSCALL_FLAGS(name, flags) {#name, flags},
#include <ebpf_loader/abi/syscalls.def>
#undef SYSCALL_FLAGS
#undef SYSCALL_MOVES
};

struct NamedMove {
    std::string_view name;
    Move move;
};
constexpr NamedMove moves[] = {
#define SYSCALL_FLAGS(...)
#define SYSCALL_MOVES(name, kind, direction, flags) {#name, {kind, direction, flags}},
#include <ebpf_loader/abi/syscalls.def>
#undef SYSCALL_MOVES
#undef SYSCALL_FLAGS
#undef SYSCALL
};

constexpr SyscallRow make_row(std::string_view name, int x86_64, int i386, ReturnKind returns,
                              std::initializer_list<Argument> arguments) {
    SyscallRow row{name, {x86_64, i386, x86_64}, returns, 0, static_cast<uint8_t>(arguments.size()), {}, {}};
    std::copy(arguments.begin(), arguments.end(), row.argument);
    for (const X32Number& own : x32_numbers)
        if (x86_64 != none && own.name == name)
            row.number[EBT_X32] = own.number;
    for (const PlanFlags& special : plan_flags)
        if (special.name == name)
            row.flags = special.flags;
    for (const NamedMove& own : moves)
        if (own.name == name)
            row.move = own.move;
    return row;
}

constexpr auto make_table() {
    using namespace words;
#define SYSCALL_FLAGS(...)
#define SYSCALL_MOVES(...)
#define SYSCALL(x86_64, i386, name, returns, ...)                                                            \
    make_row(#name, x86_64, i386, ReturnKind::returns, {__VA_ARGS__}),
    return std::to_array<SyscallRow>({
#include <ebpf_loader/abi/syscalls.def>
    });
#undef SYSCALL
#undef SYSCALL_MOVES
#undef SYSCALL_FLAGS
#undef X32
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
static_assert(links_are_sound(), "syscalls.def: an argument refers to one that is not there or does not fit");

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
                throw "syscalls.def: a number stands twice";
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

constexpr bool x32_is_sound(const X32Number& own) {
    bool number_fits =
        own.number == none || (own.number >= first_x32_number && own.number <= last_x32_number);
    return number_fits && find_name(own.name);
}
static_assert(std::all_of(std::begin(x32_numbers), std::end(x32_numbers), x32_is_sound),
              "syscalls.def: X32 with an unknown name or a number out of range");
static_assert(std::all_of(std::begin(plan_flags), std::end(plan_flags),
                          [](const PlanFlags& special) { return find_name(special.name) != nullptr; }),
              "syscalls.def: SYSCALL_FLAGS with an unknown name");

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

std::vector<SyscallNumber> numbers_of(const SyscallRow& call) {
    std::vector<SyscallNumber> numbers;
    auto add = [&](ebt_abi abi, int number) {
        SyscallNumber candidate{abi, number};
        if (find_syscall(abi, number) == &call &&
            std::find(numbers.begin(), numbers.end(), candidate) == numbers.end())
            numbers.push_back(candidate);
    };
    for (ebt_abi abi : {EBT_X86_64, EBT_I386, EBT_X32})
        for (int number : call.number)
            add(abi, number);
    return numbers;
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
