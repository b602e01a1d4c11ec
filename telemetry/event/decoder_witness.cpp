// SPDX-License-Identifier: MIT
// The part of the decoder that knows what the kernel acted on, where that was witnessed.
#include "telemetry/event/decoder.hpp"

#include <algorithm>
#include <span>

namespace telemetry {

namespace {

using ebpf_loader::ArgKind;

bool is_exec(const Event& event) {
    return event.kind == EBT_EXEC || (event.call && (event.call->flags & EBT_PLAN_EXEC));
}

/// The argument that names the call's n-th path; a descriptor where no path is given.
/// EBT_ARG_NONE: there is none.
uint8_t argument_of_witness(const Event& event, size_t n) {
    if (!event.call)
        return EBT_ARG_NONE;
    uint8_t descriptor = EBT_ARG_NONE;
    for (uint8_t argument = 0; argument < event.call->arguments; ++argument) {
        const ArgKind kind = event.call->argument[argument].kind;
        if (ebpf_loader::is_path(kind) && kind != ArgKind::path_text && n-- == 0)
            return argument;
        if (kind == ArgKind::fd && descriptor == EBT_ARG_NONE)
            descriptor = argument;
    }
    return descriptor;
}

/// Is the file behind the returned descriptor known? It says more than that it was created.
bool has_opened_file(const Event& event) {
    return event.call && event.call->returns == ebpf_loader::ReturnKind::file && event.success();
}

} // namespace

void Decoder::keep_witness(const RawField& field, Event& out) noexcept {
    if (field.head.status == EBT_UNAVAILABLE) {
        out.unwitnessed = true;
        return;
    }
    if (field.head.arg >= witnesses_.size())
        return note(Defect::field_arg, out);
    if (witnesses_[field.head.arg].is_there())
        return note(Defect::repeated, out);
    witnesses_[field.head.arg] = field;
    has_witness_ = true;
}

/// The kernel's copy of an address, or that the call gave none. Neither need be what stands in the
/// caller's memory at the end of the call.
void Decoder::read_address(const RawField& field, Event& out) noexcept {
    if (!has_witnessed_address_)
        witnessed_.addresses = 0;
    has_witness_ = has_witnessed_address_ = true;
    if (field.head.status != EBT_OK)
        return;
    if (witnessed_.addresses == witnessed_.address.size())
        return note(Defect::excess, out);
    Text& address = witnessed_.address[witnessed_.addresses];
    address = Text{};
    address.bytes = field.bytes.substr(0, field.head.original);
    address.status = Status::ok;
    address.original_length = static_cast<uint32_t>(address.bytes.size());
    if (witnessed_.addresses++ == 0)
        witnessed_.address_count = field.head.count;
    witnessed_.address_count = std::max<uint32_t>(witnessed_.address_count, witnessed_.addresses);
}

void Decoder::apply_witnesses(Event& out) noexcept {
    if (!has_witness_)
        return;
    out.witnessed = &witnessed_;
    witnessed_.called.fill(Text{});
    witnessed_.interpreter = PathField{};
    if (!has_witnessed_address_)
        witnessed_.addresses = 0;
    else
        out.sockaddr = witnessed_.addresses ? witnessed_.address[0] : Text{};
    if (is_exec(out)) {
        if (witnesses_[1].is_there())
            read_file(witnesses_[1], witnessed_.interpreter, out);
        // A program that is no script is the process's executable.
        if (out.kind == EBT_EXEC && !witnesses_[1].is_there())
            return;
        if (witnesses_[0].is_there())
            apply_witness(out.call ? argument_of_witness(out, 0) : uint8_t{EBT_ARG_NONE}, witnesses_[0], out);
        return;
    }
    if (has_opened_file(out))
        return note_creation(out);
    for (size_t n = 0; n < witnesses_.size(); ++n)
        if (witnesses_[n].is_there())
            apply_witness(argument_of_witness(out, n), witnesses_[n], out);
}

/// An open that was witnessed made a file, which the kernel marks from Linux 4.19 on. A file that overlayfs
/// made to copy another one is not the one that was opened.
void Decoder::note_creation(Event& out) noexcept {
    if (!witnesses_[0].is_there() || out.call->event_class != ebpf_loader::EventClass::file_open)
        return;
    PathField made;
    read_file(witnesses_[0], made, out);
    for (PathField& path : std::span(out.path).first(out.paths))
        path.created |= path.has_inode && path.bytes == made.bytes;
}

void Decoder::apply_witness(uint8_t argument, const RawField& field, Event& out) noexcept {
    PathField witnessed;
    read_file(field, witnessed, out);
    witnessed.argument = argument;
    witnessed.witnessed = true;
    witnessed.has_inode &= witnessed.inode.ino != 0;
    const auto end = out.path.begin() + out.paths;
    auto place =
        std::find_if(out.path.begin(), end, [&](const PathField& path) { return path.argument >= argument; });
    if (place == end || place->argument != argument) { // the arguments are gone, or were never there
        if (out.paths == out.path.size())
            return note(Defect::excess, out);
        std::move_backward(place, end, end + 1);
        ++out.paths;
        *place = witnessed;
        return;
    }
    const PathField asked = *place;
    *place = witnessed;
    // The same file as its descriptor has it after the call.
    if (asked.has_inode && asked.inode.ino == witnessed.inode.ino)
        place->inode = asked.inode;
    if (asked.source == Source::user_memory && asked.known() && asked.bytes != witnessed.bytes)
        witnessed_.called[static_cast<size_t>(place - out.path.begin())] = asked;
}

} // namespace telemetry
