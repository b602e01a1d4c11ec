// SPDX-License-Identifier: MIT
// The part of the decoder that reads what Unix sockets have: their names, and descriptors in control
// messages, which the caller may have filled with anything.
#include "telemetry/event/decoder.hpp"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>

namespace telemetry {

namespace {

template <typename Number> Number load(std::string_view bytes, size_t at) {
    Number number;
    std::memcpy(&number, bytes.data() + at, sizeof(number));
    return number;
}

/// Of several messages, what a reader should know about any of them.
int gravity(Status status) {
    return status == Status::fault ? 2 : status == Status::truncated ? 1 : 0;
}

} // namespace

void Decoder::read_unix_name(const RawField& field, Event& out) noexcept {
    if (!out.unix_name.empty())
        return note(Defect::repeated, out);
    if (field.is_known())
        out.unix_name = field.bytes;
}

/// struct cmsghdr: a length as wide as the ABI's pointers, level and type, then the content. The kernel
/// refuses lengths that are shorter than that or go beyond the end; here they end the list.
void Decoder::read_control(const RawField& field, Event& out) noexcept {
    const bool may_have_several = out.call && out.call->move.kind == EBT_MOVE_MESSAGES;
    if (out.passed && !may_have_several)
        return note(Defect::repeated, out);
    Text read;
    read_text(field, read, out);
    read.bytes = {};
    if (!out.passed) {
        begin_passed(out);
        passed_.control = read;
    } else if (gravity(read.status) > gravity(passed_.control.status)) {
        passed_.control = read;
    }
    const size_t word = ebpf_loader::is_64_bit(out.abi) ? sizeof(uint64_t) : sizeof(uint32_t);
    const size_t head = word + 2 * sizeof(int32_t);
    for (std::string_view rest = field.bytes; rest.size() >= head;) {
        const uint64_t length = word == sizeof(uint64_t) ? load<uint64_t>(rest, 0) : load<uint32_t>(rest, 0);
        const bool is_cut = length > rest.size() && read.status == Status::truncated;
        if (length < head || (length > rest.size() && !is_cut))
            return;
        const auto size = static_cast<size_t>(std::min<uint64_t>(length, rest.size()));
        if (load<int32_t>(rest, word) == SOL_SOCKET && load<int32_t>(rest, word + 4) == SCM_RIGHTS)
            add_passed(rest.substr(head, size - head));
        rest.remove_prefix(std::min((size + word - 1) & ~(word - 1), rest.size()));
    }
}

void Decoder::add_passed(std::string_view content) noexcept {
    for (size_t at = 0; at + sizeof(int32_t) <= content.size(); at += sizeof(int32_t)) {
        if (passed_.kept < passed_.fd.size())
            passed_.fd[passed_.kept++] = load<int32_t>(content, at);
        ++passed_.count;
    }
}

void Decoder::begin_passed(Event& out) noexcept {
    passed_.kept = 0;
    passed_.count = 0;
    passed_.control = Text{};
    out.passed = &passed_;
}

/// Unix sockets alone take descriptors: what is sent over others the kernel lets pass and ignores, and what
/// it writes for a receiver is true. What could not be read, or not all of it, may have had some.
void Decoder::settle_passed(Event& out) noexcept {
    const ebpf_loader::Move& move = out.call->move;
    const bool is_several = move.kind == EBT_MOVE_MESSAGES, is_sent = move.direction == EBT_SENT;
    const bool is_socket_known = out.socket_status == Status::ok && !(out.shared & EBT_SHARED_FILES);
    if (is_several && out.ret > EBT_ADDRESSES &&
        (out.socket_status != Status::ok || out.socket.family == AF_UNIX)) {
        if (!out.passed)
            begin_passed(out);
        if (gravity(passed_.control.status) == 0)
            passed_.control.status = Status::truncated; // the messages beyond were not captured
        passed_.control.length_is_minimum = true;
    }
    if (!out.passed)
        return;
    const bool is_other = is_sent && is_socket_known && out.socket.family != AF_UNIX;
    // No message went, or one without a byte, which a stream does not have.
    const bool is_none =
        out.ret == 0 && (is_several || (is_sent && is_socket_known && out.socket.type == SOCK_STREAM));
    if (is_other || is_none || (passed_.count == 0 && gravity(passed_.control.status) == 0))
        out.passed = nullptr;
}

} // namespace telemetry
