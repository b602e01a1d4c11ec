// SPDX-License-Identifier: MIT
#include "telemetry/helper/helper.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "telemetry/helper/confinement.hpp"
#include "telemetry/helper/keeper.hpp"

using ebpf_loader::UniqueFd;

namespace telemetry {
namespace {

constexpr std::chrono::seconds start_patience(10); ///< a machine that boots is slow

[[noreturn]] void refuse(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

std::string text_of(const KeeperAnswer& answer) {
    if (!answer.had_ended)
        return "it has not ended yet";
    if (WIFSIGNALED(answer.status))
        return "signal " + std::to_string(WTERMSIG(answer.status));
    return "exit status " + std::to_string(WEXITSTATUS(answer.status));
}

} // namespace

Helper::Helper(const Work& work, const Limits& limits) : limits_(limits) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        refuse("socketpair");
    UniqueFd ours(ends[0]);
    Channel theirs{UniqueFd(ends[1])};
    const pid_t parent = getpid();
    keeper_pid_ = fork();
    if (keeper_pid_ < 0)
        refuse("fork");
    if (keeper_pid_ == 0)
        keep_helpers(theirs, work, limits, parent);
    keeper_.emplace(std::move(ours));
    if (limits.starts_late)
        return;
    replace(Channel::Clock::now() + start_patience);
    if (!channel_) {
        if (!mapped_bytes())
            refuse("a process that helps needs /proc/self/statm");
        errno = EPROTO;
        refuse("the process that keeps helpers ended at its start");
    }
}

/// The keeper ends with its socket, and the helper with it.
Helper::~Helper() {
    keeper_.reset();
    channel_.reset();
    for (int waited_ms = 0; waited_ms < 200 && waitpid(keeper_pid_, nullptr, WNOHANG) == 0; ++waited_ms)
        usleep(1000);
}

std::string Helper::replace(Channel::Clock::time_point deadline) {
    channel_.reset();
    if (keeper_ && !is_asked_) {
        is_asked_ = keeper_->send("n");
        if (!is_asked_)
            keeper_.reset();
    }
    return take_next(deadline);
}

Channel* Helper::channel(Channel::Clock::time_point deadline) {
    if (!channel_ && is_asked_)
        take_next(deadline);
    return channel_ ? &*channel_ : nullptr;
}

/// On a machine that is very busy it may come late.
std::string Helper::take_next(Channel::Clock::time_point deadline) {
    Packet packet;
    const Channel::Outcome outcome = keeper_ ? keeper_->receive(packet, deadline) : Channel::Outcome::ended;
    if (outcome == Channel::Outcome::late)
        return "the next one has not started yet";
    is_asked_ = false;
    KeeperAnswer answer;
    if (outcome != Channel::Outcome::packet || packet.bytes.size() != sizeof(answer) || !packet.file) {
        keeper_.reset();
        return "the process that starts helpers has ended";
    }
    memcpy(&answer, packet.bytes.data(), sizeof(answer));
    channel_.emplace(std::move(packet.file));
    return text_of(answer);
}

} // namespace telemetry
