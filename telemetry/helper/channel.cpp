// SPDX-License-Identifier: MIT
#include "telemetry/helper/channel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>

using ebpf_loader::UniqueFd;

namespace telemetry {
namespace {

using Control = std::byte[CMSG_SPACE(sizeof(int))];

/// Milliseconds for poll(2), rounded up: a wait of 0 would be none.
int patience(Channel::Clock::time_point deadline) {
    if (deadline == Channel::Clock::time_point::max())
        return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Channel::Clock::now());
    return static_cast<int>(std::clamp<int64_t>(left.count(), 0, INT32_MAX));
}

UniqueFd file_of(msghdr& message) {
    const cmsghdr* const part = CMSG_FIRSTHDR(&message);
    if (!part || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
        return UniqueFd();
    int file = -1;
    memcpy(&file, CMSG_DATA(part), sizeof(file));
    return UniqueFd(file);
}

} // namespace

bool Channel::send(std::string_view bytes, int file) {
    iovec part = {const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) Control control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (file >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(file));
        memcpy(CMSG_DATA(header), &file, sizeof(file));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == static_cast<ssize_t>(bytes.size());
}

bool Channel::send_waiting(std::string_view bytes) {
    while (!send(bytes)) {
        if (errno != EAGAIN)
            return false;
        pollfd event = {socket_.get(), POLLOUT, 0};
        poll(&event, 1, -1);
    }
    return true;
}

Channel::Outcome Channel::receive(Packet& packet, Clock::time_point deadline) {
    buffer_.resize(longest);
    for (;;) {
        pollfd event = {socket_.get(), POLLIN, 0};
        const int ready = poll(&event, 1, patience(deadline));
        if (ready == 0)
            return Outcome::late;
        if (ready < 0 && errno == EINTR) {
            if (Clock::now() >= deadline)
                return Outcome::late;
            continue;
        }
        iovec part = {buffer_.data(), buffer_.size()};
        alignas(cmsghdr) Control control{};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        const ssize_t size = recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (size < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        packet.file = size > 0 ? file_of(message) : UniqueFd();
        if (size <= 0)
            return Outcome::ended;
        if (message.msg_flags & MSG_TRUNC)
            return Outcome::too_long;
        packet.bytes.assign(buffer_, 0, static_cast<size_t>(size));
        return Outcome::packet;
    }
}

} // namespace telemetry
