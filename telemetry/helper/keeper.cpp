// SPDX-License-Identifier: MIT
#include "telemetry/helper/keeper.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "telemetry/helper/confinement.hpp"

using ebpf_loader::UniqueFd;

namespace telemetry {
namespace {

enum Exit { exit_at_end = 0, exit_not_confined = 3, exit_by_exception = 4 };

/// With its parent it ends too, whatever ended that.
void follow(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent)
        _exit(exit_at_end);
}

[[noreturn]] void help(UniqueFd socket, const Helper::Work& work, const Helper::Limits& limits,
                       uint64_t mapped, pid_t keeper) {
    follow(keeper);
    close_others(socket.get());
    if (!confine_helper(mapped + limits.memory, limits.reach))
        _exit(exit_not_confined);
    Channel channel(std::move(socket)); // open until the process has ended
    try {
        work(channel);
    } catch (const std::exception&) { // there was no memory left for it, or the work is faulty
        _exit(exit_by_exception);
    }
    _exit(exit_at_end);
}

/// A process that waits for a disk may take a while to end: the next one does not wait for it.
KeeperAnswer end(pid_t helper) {
    constexpr int patience_ms = 100;
    KeeperAnswer answer;
    if (helper <= 0)
        return answer;
    kill(helper, SIGKILL);
    for (int waited = 0; waited < patience_ms && !answer.had_ended; ++waited) {
        answer.had_ended = waitpid(helper, &answer.status, WNOHANG) == helper;
        if (!answer.had_ended)
            usleep(1000);
    }
    while (waitpid(-1, nullptr, WNOHANG) > 0) { // those that had not ended before
    }
    return answer;
}

} // namespace

void keep_helpers(Channel& asked, const Helper::Work& work, const Helper::Limits& limits, pid_t parent) {
    sigset_t all;
    sigfillset(&all); // Ctrl-C is for the program, which ends this process by the end of its socket
    sigprocmask(SIG_SETMASK, &all, nullptr);
    prctl(PR_SET_NAME, limits.name, 0, 0, 0);
    close_others(asked.socket());
    const uint64_t mapped = mapped_bytes();
    if (!mapped || !confine_keeper(limits.reach))
        _exit(exit_not_confined);
    follow(parent); // which a change of users would end
    const pid_t own = getpid();
    pid_t helper = -1;
    Packet packet;
    while (asked.receive(packet, Channel::Clock::time_point::max()) == Channel::Outcome::packet) {
        const KeeperAnswer answer = end(helper);
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
            break;
        const UniqueFd ours(ends[0]);
        UniqueFd theirs(ends[1]);
        helper = fork();
        if (helper == 0)
            help(std::move(theirs), work, limits, mapped, own);
        if (helper < 0 || !asked.send({reinterpret_cast<const char*>(&answer), sizeof(answer)}, ours.get()))
            break;
    }
    end(helper);
    _exit(exit_at_end);
}

} // namespace telemetry
