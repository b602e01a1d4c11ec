// SPDX-License-Identifier: MIT
#include "telemetry/rules/fields.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "telemetry/rules/terms/addresses.hpp"
#include "telemetry/rules/terms/values.hpp"

namespace telemetry::rules {
namespace {

using ebpf_loader::ArgKind;
using ebpf_loader::SyscallRow;

constexpr uint8_t id(TextField field) {
    return static_cast<uint8_t>(field);
}

constexpr Field text_field(std::string_view name, TextField field, Needs needs, std::string_view meaning) {
    return {.name = name, .type = Type::text, .id = id(field), .needs = needs, .meaning = meaning};
}

/// User space knows these numbers as 32 bits wide.
constexpr Field number_field(std::string_view name, ebt_value value, std::string_view meaning,
                             uint64_t (*read)(const Event&)) {
    return {.name = name,
            .type = Type::number,
            .id = static_cast<uint8_t>(value),
            .is_32_bit = true,
            .meaning = meaning,
            .read = read};
}

constexpr Field program_number(std::string_view name, Values (*values)(const Event&),
                               std::string_view meaning) {
    return {.name = name, .type = Type::number, .is_32_bit = true, .meaning = meaning, .values = values};
}

constexpr Field program_text(std::string_view name, Truth (*compare)(const TextTest&, const Event&),
                             std::string_view meaning) {
    return {.name = name, .type = Type::text, .meaning = meaning, .compare = compare};
}

constexpr Field file_number(std::string_view name, Values (*values)(const Event&), std::string_view meaning) {
    Field field = program_number(name, values, meaning);
    field.needs = Needs::path;
    return field;
}

constexpr Field yielding(Field field) {
    field.yields = true;
    return field;
}

constexpr Field with_lineage(Field field) {
    field.needs_lineage = true;
    return field;
}

constexpr Field with_choices(Field field, std::string_view choices) {
    field.choices = choices;
    return field;
}

constexpr Field wide(Field field) {
    field.is_32_bit = false;
    return field;
}

constexpr Field with_address(Field field) {
    field.needs = Needs::address;
    return field;
}

constexpr Field user(Field field) {
    field.ids = Ids::users;
    return field;
}

constexpr Field group(Field field) {
    field.ids = Ids::groups;
    return field;
}

constexpr Field with_constants(Field field, std::string_view set) {
    field.constants = set;
    return field;
}

constexpr Field with_unset(Field field) {
    field.may_be_unset = true;
    return field;
}

constexpr Field FIELDS[] = {
    text_field(
        "path", TextField::path, Needs::path,
        "a path that the call names or the file behind its descriptor, or with kprobes the path that the "
        "kernel acted on, and of an exec of a script the script; with several, one that fits is "
        "enough, and for `!=` all must differ"),
    text_field("exe", TextField::exe, Needs::nothing, "path of the executable of the calling process"),
    text_field("comm", TextField::comm, Needs::nothing, "name of the calling thread, up to 15 bytes"),
    user(number_field("uid", EBT_VALUE_UID, "real user id",
                      [](const Event& event) -> uint64_t { return event.uid; })),
    user(number_field("euid", EBT_VALUE_EUID, "effective user id",
                      [](const Event& event) -> uint64_t { return event.euid; })),
    with_unset(
        user(number_field("auid", EBT_VALUE_AUID,
                          "login user id, which stays the same through su and sudo; `unset` (4294967295) for "
                          "what no login started",
                          [](const Event& event) -> uint64_t { return event.auid; }))),
    number_field("pid", EBT_VALUE_PID, "process id",
                 [](const Event& event) -> uint64_t { return event.pid; }),
    number_field("ppid", EBT_VALUE_PPID, "process id of the parent",
                 [](const Event& event) -> uint64_t { return event.ppid; }),
    {.name = "ret",
     .type = Type::number,
     .id = EBT_VALUE_RET,
     .is_signed = true,
     .needs = Needs::result,
     .constants = "errno",
     .meaning = "what the call returned, an error as its negative number: `ret = -ENOENT`; of "
                "`process_exit` the wait status",
     .read = [](const Event& event) { return static_cast<uint64_t>(event.ret); }},
    {.name = "success",
     .type = Type::truth,
     .id = EBT_VALUE_SUCCESS,
     .needs = Needs::result,
     .meaning =
         "`yes` (1) when the call did not return an error; of `process_exit` when the wait status is 0",
     .read = [](const Event& event) -> uint64_t {
         return event.kind == EBT_EXIT ? event.ret == 0 : event.success();
     }},
    group(yielding(program_number("gid", terms::gid, "real group id"))),
    group(yielding(program_number("egid", terms::egid, "effective group id"))),
    group(yielding(program_number("sgid", terms::sgid, "saved group id"))),
    group(yielding(program_number("fsgid", terms::fsgid, "group id that file systems see"))),
    user(yielding(program_number("suid", terms::suid, "saved user id"))),
    user(yielding(program_number("fsuid", terms::fsuid, "user id that file systems see"))),
    with_unset(program_number("ses", terms::ses, "login session; `unset` for what no login started")),
    with_choices(
        program_text(
            "arch", terms::arch,
            "how the call was made: on x86-64 `x86_64`, `i386` or `x32`, on arm64 `aarch64` or `arm`"),
        "x86_64 i386 x32 aarch64 arm"),
    program_text("cwd", terms::cwd, "the working directory"),
    program_text("tty", terms::tty,
                 "the controlling terminal, such as `pts0`; `\"\"` of a process without one"),
    yielding(program_text(
        "cmdline", terms::cmdline,
        "the arguments of the process, joined by blanks; of an exec those of the new image, of one "
        "that failed those asked for")),
    program_text("argv[n]", terms::argv,
                 "one of these arguments: `argv[0]` is the first; one that is not there equals nothing"),
    with_lineage(program_text("container", terms::container,
                              "id of the process's container; `\"\"` where it is in none")),
    with_lineage(program_text("parent.exe", terms::parent_exe,
                              "path of the executable of the process that forked this one")),
    with_lineage(
        program_text("ancestor.exe", terms::ancestor_exe,
                     "the same of any process of its line of descent, up to 64; for `!=` all must differ")),
    user(file_number("file.uid", terms::file_uid,
                     "owner of a file that the call is about; with several, as with `path`")),
    group(file_number("file.gid", terms::file_gid, "its group")),
    with_constants(file_number("file.mode", terms::file_mode, "its type and mode: `file.mode & S_ISUID`"),
                   "mode"),
    with_constants(file_number("file.type", terms::file_type, "its type: `file.type = S_IFSOCK`"), "mode"),
    wide(file_number("file.inode", terms::file_inode, "its inode number")),
    file_number("file.devmajor", terms::file_devmajor, "major number of its file system's device"),
    file_number("file.devminor", terms::file_devminor, "minor number of it"),
    {.name = "address",
     .type = Type::text,
     .needs = Needs::address,
     .meaning = "address that a socket call gives or gets, or of the far end of its socket: `10.0.0.0/8`, "
                "`2001:db8::1`, `/run/docker.sock`, `@abstract`; only with `=`, `!=` and `in`; with several, "
                "as with "
                "`path`",
     .compare = terms::address,
     .encode = terms::encode_address,
     .form = "an IPv4 or IPv6 address, a network such as 10.0.0.0/8, or the /PATH or @NAME of a Unix socket"},
    with_address(program_number("port", terms::port, "port of such an address")),
    with_constants(with_address(program_number(
                       "family", terms::family,
                       "family of the address that a socket call gives or gets: `family = AF_INET6`")),
                   "address_family"),
};
static_assert(std::size(FIELDS) <= UINT8_MAX - FIRST_PROGRAM_VALUE);

using Readers = std::array<uint64_t (*)(const Event&), EBT_VALUES_USED>;

/// The readers by ebt_value; the places of the arguments stay empty.
constexpr Readers make_readers() {
    Readers readers{};
    for (const Field& field : FIELDS)
        if (field.read)
            readers[field.id] = field.read;
    return readers;
}
constexpr Readers READERS = make_readers();
static_assert(EBT_VALUE_ARG0 == 0 && EBT_VALUES_USED <= EBT_VALUES);
static_assert(std::all_of(READERS.begin() + EBT_ARGS, READERS.end(),
                          [](auto read) { return read != nullptr; }),
              "plan.h has a value that no field reads");

constexpr Operator OPERATORS[] = {
    {"=", Op::eq, true, true, true, "is equal to"},
    {"!=", Op::ne, true, true, true, "is not equal to"},
    {"<", Op::lt, true, false, false, "is less than"},
    {">", Op::gt, true, false, false, "is greater than"},
    {"<=", Op::le, true, false, false, "is less than or equal to"},
    {">=", Op::ge, true, false, false, "is greater than or equal to"},
    {"&", Op::all_bits, true, false, false, "has all bits of the value set: `(field & value) == value`"},
    {"|", Op::any_bits, true, false, false, "has any bit of the value set: `(field & value) != 0`"},
    {"!|", Op::no_bits, true, false, false, "has no bit of the value set: `(field & value) == 0`"},
    {"in", Op::in, true, false, true, "is equal to one of a set: `uid in {0, 1000}`"},
    {"^", Op::prefix, false, false, true, "begins with"},
    {"$", Op::suffix, false, false, true, "ends with"},
    {"~", Op::contains, false, false, true, "contains"},
};
static_assert(static_cast<int>(Op::ne) == EBT_NE && static_cast<int>(Op::gt) == EBT_GT &&
              static_cast<int>(Op::all_bits) == EBT_ALL_BITS &&
              static_cast<int>(Op::any_bits) == EBT_ANY_BITS);

constexpr ProcessEvent PROCESS_EVENTS[] = {
    {"process_fork", EBT_ROW_FORK, "a process has started another; the fields describe the one that forked"},
    {"process_exec", EBT_ROW_EXEC, "a process runs a new program"},
    {"process_exit", EBT_ROW_EXIT, "the last thread of a process has ended"},
};

/// Returns 0..5 for a0..a5 and nullopt for any other word.
std::optional<uint8_t> argument_number(std::string_view word) {
    if (word.size() == 2 && word[0] == 'a' && word[1] >= '0' && word[1] < '0' + EBT_ARGS)
        return static_cast<uint8_t>(word[1] - '0');
    return std::nullopt;
}

std::optional<uint8_t> argument_by_name(const SyscallRow& row, std::string_view name) {
    for (uint8_t i = 0; i < row.arguments; ++i)
        if (row.argument[i].name == name)
            return i;
    return std::nullopt;
}

} // namespace

std::span<const Field> fields() {
    return FIELDS;
}

uint8_t value_id(const Field& field) {
    if (field.values || field.compare)
        return static_cast<uint8_t>(FIRST_PROGRAM_VALUE + (&field - FIELDS));
    return field.id;
}

const Field* program_field(uint8_t value) {
    const size_t index = static_cast<size_t>(value) - FIRST_PROGRAM_VALUE;
    if (value < FIRST_PROGRAM_VALUE || index >= std::size(FIELDS))
        return nullptr;
    return FIELDS[index].values || FIELDS[index].compare ? &FIELDS[index] : nullptr;
}

uint64_t value_of(uint8_t value, const Event& event) {
    if (value < event.args.size())
        return event.args[value];
    return value < READERS.size() ? READERS[value](event) : 0;
}

std::span<const Operator> operators() {
    return OPERATORS;
}
std::span<const ProcessEvent> process_events() {
    return PROCESS_EVENTS;
}

const Field* find_field(std::string_view name) {
    const auto* found = std::find_if(std::begin(FIELDS), std::end(FIELDS),
                                     [&](const Field& field) { return field.name == name; });
    return found == std::end(FIELDS) ? nullptr : found;
}

bool allows(const Operator& op, Type type) {
    return type == Type::number ? op.for_number : type == Type::truth ? op.for_truth : op.for_text;
}

std::string allowed_operators(Type type) {
    std::string result;
    for (const auto& op : OPERATORS)
        if (allows(op, type))
            result.append(result.empty() ? "" : " ").append(op.sign);
    return result;
}

Subject Subject::of(const SyscallRow& row) {
    return {.row = &row, .call = ebpf_loader::find_syscall(row.name)};
}

std::string Subject::name() const {
    if (call)
        return std::string(call->name);
    for (const auto& event : PROCESS_EVENTS)
        if (event.row == process)
            return std::string(event.name);
    return "system call " + std::to_string(number);
}

int Subject::arguments() const {
    if (process != EBT_ROW_NONE)
        return 0;
    return call ? call->arguments : EBT_ARGS;
}

bool Subject::names_paths() const {
    if (!row)
        return false;
    const auto steps = ebpf_loader::capture_steps(*row);
    return std::any_of(steps.begin(), steps.end(), [](const ebt_step& step) {
        return step.capture == EBT_CAPTURE_PATH || step.capture == EBT_CAPTURE_FILE;
    });
}

bool Subject::names_addresses() const {
    if (!row)
        return false;
    const auto steps = ebpf_loader::capture_steps(*row);
    return std::any_of(steps.begin(), steps.end(), [](const ebt_step& step) {
        return step.capture == EBT_CAPTURE_SOCKADDR || step.capture == EBT_CAPTURE_SOCKADDR_OUT ||
               step.capture == EBT_CAPTURE_MSGHDR || step.capture == EBT_CAPTURE_MESSAGES ||
               step.capture == EBT_CAPTURE_SOCKET;
    });
}

bool Subject::is_string(uint8_t argument) const {
    return call && argument < call->arguments && call->argument[argument].kind == ArgKind::string;
}

bool Subject::returns() const {
    return !call || (call->returns != ebpf_loader::ReturnKind::none && !(call->flags & EBT_PLAN_NO_RETURN));
}

std::string Subject::argument_list() const {
    std::string result;
    for (int i = 0; i < arguments(); ++i) {
        result.append(i ? ", a" : "a") += std::to_string(i);
        if (call)
            result.append(" (").append(call->argument[i].name) += ')';
    }
    return result;
}

std::optional<uint8_t> Subject::argument(std::string_view word) const {
    if (const Field* known = find_field(word); known && !known->yields)
        return std::nullopt;
    if (const auto index = argument_number(word))
        return *index < arguments() ? index : std::nullopt;
    return call ? argument_by_name(*call, word) : std::nullopt;
}

const Field* Subject::field(std::string_view word) const {
    const Field* known = find_field(word);
    return known && known->yields && argument(word) ? nullptr : known;
}

std::optional<uint8_t> Subject::index_in_row(uint8_t argument) const {
    return row == call ? argument : argument_by_name(*row, call->argument[argument].name);
}

bool is_argument(std::string_view word) {
    const auto rows = ebpf_loader::syscall_rows();
    return argument_number(word) || std::any_of(rows.begin(), rows.end(), [&](const SyscallRow& row) {
               return argument_by_name(row, word).has_value();
           });
}

bool is_string_argument(std::string_view word) {
    bool has_string = false;
    for (const SyscallRow& row : ebpf_loader::syscall_rows()) {
        const auto index = argument_by_name(row, word);
        const ArgKind kind = index ? row.argument[*index].kind : ArgKind::pointer;
        has_string = has_string || kind == ArgKind::string;
        if (kind != ArgKind::string && kind != ArgKind::pointer)
            return false;
    }
    return has_string;
}

} // namespace telemetry::rules
