// SPDX-License-Identifier: MIT
#include "telemetry/event/decoder.hpp"

#include "telemetry/event/components.hpp"
#include "telemetry/event/facts.hpp"

#include <algorithm>
#include <cstring>
#include <sys/stat.h>
#include <type_traits>

namespace telemetry {

namespace {

/// All paths of the largest record: what its components hold, and a base before each
/// of the arguments; and each as it was written besides.
constexpr size_t arena_bytes = 2 * (EBT_ARGS + 2) * (EBT_RECORD_MAX + 512);

/// As `out = Event{}`. Compilers make of that an instruction (rep stos, rep movs) whose start takes longer
/// than the C library's copy of so many bytes, unless they do not know how many there are.
void reset(Event& out) {
    static_assert(std::is_trivially_copyable_v<Event>);
    static const Event empty;
    size_t size = sizeof(out);
    asm("" : "+r"(size));
    std::memcpy(static_cast<void*>(&out), &empty, size);
}

void read_process(const ebt_header& header, Event& out) {
    out.pid = header.tgid;
    out.start_time_ns = header.start_time;
#define COPY(type, name) out.name = header.name;
    EBT_PROCESS_NUMBERS(COPY);
#undef COPY
}

void read_call(const ebt_header& header, Event& out) {
    out.kind = static_cast<ebt_record_kind>(header.kind);
    out.abi = static_cast<ebt_abi>(header.abi);
    out.row = header.row;
    out.call = header.kind == EBT_SYSCALL || header.kind == EBT_TRANSFER
                   ? ebpf_loader::syscall_of_row(header.row)
                   : nullptr;
    out.nr = header.nr;
    out.returns = !(header.flags & EBT_NO_RETURN);
    out.ret = header.ret;
    std::copy(std::begin(header.args), std::end(header.args), out.args.begin());
    out.missing = header.missing;
    out.shared = header.shared;
    out.execution = header.execution;
    out.sequence = header.sequence;
    out.cpu = header.cpu;
    out.slot = header.slot;
    out.carries_image = header.flags & EBT_IMAGE;
    out.lost_fields = header.flags & EBT_LOST_FIELDS;
    out.interrupted = header.flags & EBT_INTERRUPTED;
    out.executed = !(header.flags & EBT_CHECKED);
    out.via_io_uring = header.flags & EBT_VIA_IO_URING;
}

} // namespace

Status status_of(uint8_t status) {
    switch (status) {
    case EBT_OK:
        return Status::ok;
    case EBT_TRUNCATED:
        return Status::truncated;
    case EBT_FAULT:
        return Status::fault;
    }
    return Status::unavailable;
}

Decoder::Decoder() : arena_(arena_bytes) {}

uint64_t Decoder::refused() const {
    return defects(Defect::size) + defects(Defect::version) + defects(Defect::kind);
}

void Decoder::note(Defect defect, Event& out) noexcept {
    ++defects_[static_cast<size_t>(defect)];
    out.lost_fields = true;
}

bool Decoder::decode(std::span<const std::byte> record, Event& out) noexcept {
    reset(out);
    arena_.clear();
    ebt_header header;
    if (auto defect = read_header(record, header)) {
        note(*defect, out);
        return false;
    }
    read_call(header, out);
    read_process(header, out);
    const int64_t offset = header.time < stepped_at_ ? offset_before_step_ : wall_clock_offset_;
    out.time_ns = header.time + static_cast<uint64_t>(offset);
    auto comm = reinterpret_cast<const char*>(record.data()) + offsetof(ebt_header, comm);
    out.comm = {comm, strnlen(comm, EBT_COMM_LEN)};
    read_fields(record.subspan(sizeof(header), header.size - sizeof(header)), header.fields, out);
    resolve_arguments(out);
    find_script(out);
    apply_witnesses(out);
    rewrite_paths(out);
    add_messages(out);
    if (out.call && out.call->move.direction == EBT_SENT)
        settle_families(out);
    if (out.call && (out.passed || out.call->move.kind == EBT_MOVE_MESSAGES))
        settle_passed(out);
    if (out.shared)
        mark_shared(out);
    if (out.carries_image) {
        keep_script(out);
        adopt_exec_path(out);
        if (!has_new_image(out)) // the process has had the time to write over them
            out.image.argv.source = out.image.environment.source = Source::user_memory;
    }
    return true;
}

void Decoder::read_fields(std::span<const std::byte> fields, uint16_t count, Event& out) noexcept {
    for (ByArgument* fields_of : {&files_, &strings_, &directories_})
        for (RawField& field : *fields_of)
            field.head.kind = 0;
    for (RawField& field : witnesses_)
        field.head.kind = 0;
    exec_name_.head.kind = 0;
    has_witness_ = has_witnessed_address_ = false;
    message_count_ = 0;
    FieldWalker walker(fields, count);
    RawField field;
    while (walker.next(field))
        read_field(field, out);
    if (auto defect = walker.defect())
        note(*defect, out);
}

void Decoder::read_field(const RawField& field, Event& out) noexcept {
    if (field.head.status < EBT_OK || field.head.status > EBT_UNAVAILABLE)
        note(Defect::field_status, out);
    faults_ += field.head.status == EBT_FAULT;
    switch (field.head.kind) {
    case EBT_FIELD_EXE:
        return read_file(field, out.image.exe, out);
    case EBT_FIELD_IMAGE_ARGV:
        return read_list(field, out.image.argv, out);
    case EBT_FIELD_TTY:
        return read_text(field, out.image.tty, out);
    case EBT_FIELD_CWD:
        return read_directory(field, nullptr, out.cwd, out);
    case EBT_FIELD_ROOT:
        return read_directory(field, nullptr, out.root, out);
    case EBT_FIELD_FILE:
        return keep(files_, field, out);
    case EBT_FIELD_STRING:
        return keep(strings_, field, out);
    case EBT_FIELD_DIR:
        return keep(directories_, field, out);
    case EBT_FIELD_SOCKADDR:
        return read_sockaddr(field, out);
    case EBT_FIELD_UNIX_NAME:
        return read_unix_name(field, out);
    case EBT_FIELD_CONTROL:
        return read_control(field, out);
    case EBT_FIELD_SOCKET:
        return read_socket(field, out);
    case EBT_FIELD_ARGV:
        return read_list(field, out.exec_argv, out);
    case EBT_FIELD_CHILD:
        return read_child(field, out);
    case EBT_FIELD_TRANSFER:
        return read_transfer(field, out);
    case EBT_FIELD_USER_STACK:
        return read_user_stack(field, out);
    case EBT_FIELD_NAMESPACES:
        return read_namespaces(field, out);
    case EBT_FIELD_CAPABILITIES:
        return read_capabilities(field, out);
    case EBT_FIELD_ENVIRONMENT:
        return read_environment(field, out);
    case EBT_FIELD_CGROUP:
        return read_cgroup(field, out);
    case EBT_FIELD_EXE_VERSION:
        return read_exe_version(field, out);
    case EBT_FIELD_EXEC_NAME:
        exec_name_ = field;
        return;
    case EBT_FIELD_WITNESS:
        return keep_witness(field, out);
    case EBT_FIELD_WITNESS_ADDRESS:
        return read_address(field, out);
    }
    note(Defect::field_kind, out);
}

void Decoder::keep(ByArgument& fields, const RawField& field, Event& out) noexcept {
    if (field.head.arg >= fields.size())
        return note(Defect::field_arg, out);
    if (fields[field.head.arg].is_there())
        return note(Defect::repeated, out);
    fields[field.head.arg] = field;
}

/// What all texts have in common. The first of its kind stands.
void Decoder::read_text(const RawField& field, Text& out, Event& event) noexcept {
    if (out.status != Status::absent)
        return note(Defect::repeated, event);
    out.bytes = field.bytes;
    out.status = status_of(field.head.status);
    out.source = field.head.flags & EBT_USER_MEMORY ? Source::user_memory : Source::kernel;
    out.original_length = std::max(field.head.original, field.head.length);
    out.length_is_minimum = field.head.flags & EBT_AT_LEAST;
    out.detached = field.head.flags & EBT_DETACHED;
    out.foreign = field.head.flags & EBT_FOREIGN;
    out.deleted = field.head.flags & EBT_DELETED;
}

void Decoder::read_list(const RawField& field, StringList& out, Event& event) noexcept {
    if (out.status != Status::absent)
        return note(Defect::repeated, event);
    read_text(field, out, event);
    out.count = count_strings(field.bytes);
}

/// A path as the kernel has it: its components. Without an inode it is a directory's: the current
/// one, a root, or the one that a relative path starts from.
void Decoder::read_directory(const RawField& field, const InodeInfo* inode, Text& out,
                             Event& event) noexcept {
    if (out.status != Status::absent)
        return note(Defect::repeated, event);
    read_text(field, out, event);
    if (!out.known())
        return;
    size_t mark = arena_.mark();
    if (out.detached) // what hangs nowhere has no name that could be removed
        out.deleted = append_detached(arena_, field.bytes, inode ? *inode : InodeInfo{},
                                      !inode || S_ISDIR(inode->mode));
    else
        append_path(arena_, whole_components(field.bytes));
    out.bytes = arena_.since(mark);
    if (field.head.flags & EBT_BELOW_CWD)
        put_below_cwd(event.cwd, !field.bytes.empty(), out);
    // What was cut is the beginning: no "/" pretends to be the root.
    if (out.status == Status::truncated && out.bytes.starts_with('/'))
        out.bytes.remove_prefix(1);
    if (out.original_length == 0)
        out.original_length = 1; // "/" has no components
}

/// The record has the cwd once; the path of what lies below it goes on from there.
void Decoder::put_below_cwd(const Text& cwd, bool is_below, Text& path) noexcept {
    if (!cwd.known()) {
        path.status = Status::truncated;
        path.length_is_minimum = true;
        return;
    }
    const std::string_view rest = is_below ? path.bytes : std::string_view();
    size_t mark = arena_.mark();
    if (cwd.bytes != "/" || rest.empty())
        arena_.append(cwd.bytes);
    arena_.append(rest);
    path.bytes = arena_.since(mark);
    path.original_length += cwd.original_length;
    path.length_is_minimum |= cwd.length_is_minimum;
    path.detached = cwd.detached;
    path.foreign = cwd.foreign;
    if (cwd.status == Status::truncated)
        path.status = Status::truncated;
}

void Decoder::read_file(const RawField& field, PathField& out, Event& event) noexcept {
    if (out.status != Status::absent)
        return note(Defect::repeated, event);
    out.argument = field.head.arg;
    RawField path = field;
    out.has_inode = take_inode(path, out.inode, event);
    read_directory(path, &out.inode, out, event);
    out.relative = out.status == Status::truncated;
}

/// The inode that stands before a path's components.
bool Decoder::take_inode(RawField& field, InodeInfo& out, Event& event) noexcept {
    ebt_inode inode;
    if (field.bytes.size() < sizeof(inode)) {
        if (field.is_known()) {
            note(Defect::field_payload, event);
            field.head.status = EBT_UNAVAILABLE;
        }
        return false;
    }
    std::memcpy(&inode, field.bytes.data(), sizeof(inode));
    out = {inode.ino, inode.magic, inode.mode, inode.uid, inode.gid, inode.device};
    field.bytes.remove_prefix(sizeof(inode));
    field.head.length -= sizeof(inode);
    field.head.original -= std::min<uint32_t>(field.head.original, sizeof(inode));
    return true;
}

/// What a path argument starts from; of an empty path, the file itself.
void Decoder::read_base(uint8_t argument, Text& out, Event& event) noexcept {
    RawField field = directories_[argument];
    InodeInfo inode;
    const bool is_file = (field.head.flags & EBT_WITH_INODE) && take_inode(field, inode, event);
    read_directory(field, is_file ? &inode : nullptr, out, event);
}

void Decoder::read_sockaddr(const RawField& field, Event& out) noexcept {
    const bool is_message = out.call && out.call->move.kind == EBT_MOVE_MESSAGES;
    if (is_message && message_count_ < messages_.size()) {
        Text& message = messages_[message_count_++] = Text{};
        read_text(field, message, out);
        if (message_count_ > 1)
            return;
    }
    if (out.sockaddr.status != Status::absent)
        return note(Defect::repeated, out);
    read_text(field, out.sockaddr, out);
    out.sockaddr_argument = field.head.arg;
}

/// The addresses of several messages, where nothing has witnessed them. Each counts once until
/// another one comes.
void Decoder::add_messages(Event& out) noexcept {
    if (message_count_ < 2 || has_witnessed_address_)
        return;
    if (!out.witnessed)
        witnessed_ = Witnessed{};
    out.witnessed = &witnessed_;
    witnessed_.addresses = 0;
    for (const Text& message : std::span(messages_).first(message_count_)) {
        const bool is_same =
            witnessed_.addresses && witnessed_.address[witnessed_.addresses - 1u].bytes == message.bytes;
        if (message.known() && !is_same)
            witnessed_.address[witnessed_.addresses++] = message;
    }
    const bool all = out.ret <= static_cast<int64_t>(EBT_ADDRESSES);
    witnessed_.address_count = all ? witnessed_.addresses : static_cast<uint32_t>(out.ret);
}

void Decoder::read_socket(const RawField& field, Event& out) noexcept {
    if (out.socket_status != Status::absent)
        return note(Defect::repeated, out);
    out.socket_status = status_of(field.head.status);
    if (!field.is_known())
        return;
    ebt_socket socket;
    if (field.bytes.size() < sizeof(socket)) {
        out.socket_status = Status::unavailable;
        return note(Defect::field_payload, out);
    }
    std::memcpy(&socket, field.bytes.data(), sizeof(socket));
    out.socket.family = socket.family;
    out.socket.type = socket.type;
    out.socket.protocol = socket.protocol;
    out.socket.local_port = socket.local_port;
    out.socket.remote_port = socket.remote_port;
    std::copy(std::begin(socket.local), std::end(socket.local), out.socket.local.begin());
    std::copy(std::begin(socket.remote), std::end(socket.remote), out.socket.remote.begin());
}

/// Content that could not be read leaves what is known of it: the gap counts as not captured.
void Decoder::read_transfer(const RawField& field, Event& out) noexcept {
    if (out.transfer_status != Status::absent)
        return note(Defect::repeated, out);
    out.transfer_status = status_of(field.head.status);
    ebt_transfer transfer;
    if (field.bytes.size() < sizeof(transfer) || out.transfer_status == Status::unavailable) {
        out.transfer_status = Status::unavailable;
        return note(Defect::field_payload, out);
    }
    std::memcpy(&transfer, field.bytes.data(), sizeof(transfer));
    if (transfer.direction > EBT_CONNECTED_ASYNC) {
        out.transfer_status = Status::unavailable;
        return note(Defect::field_payload, out);
    }
    const std::string_view bytes = field.bytes.substr(sizeof(transfer));
    out.transfer.socket = transfer.socket;
    out.transfer.length = std::max<uint64_t>(transfer.total, bytes.size());
    out.transfer.netns = transfer.netns;
    out.transfer.direction = static_cast<ebt_direction>(transfer.direction);
    out.transfer.bytes = bytes;
}

void Decoder::read_user_stack(const RawField& field, Event& out) noexcept {
    if (out.user_stack_status != Status::absent)
        return note(Defect::repeated, out);
    out.user_stack_status = status_of(field.head.status);
    if (!field.is_known())
        return;
    ebt_registers& registers = out.user_stack.registers;
    if (field.bytes.size() < sizeof(registers)) {
        out.user_stack_status = Status::unavailable;
        return note(Defect::field_payload, out);
    }
    std::memcpy(&registers, field.bytes.data(), sizeof(registers));
    out.user_stack.memory = field.bytes.substr(sizeof(registers));
}

} // namespace telemetry
