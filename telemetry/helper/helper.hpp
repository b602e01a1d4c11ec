// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

#include "telemetry/helper/channel.hpp"

namespace telemetry {

/// A process beside this one that works on what others have written: it has a socket to this one and the
/// files that come by it, no capabilities, and few system calls (docs/security.md). It can be ended and
/// started anew at any time: once its rights are gone this process can do neither, so a third one, the
/// keeper, does that for it. The keeper never reads what others have written.
class Helper {
  public:
    using Work = std::function<void(Channel&)>;
    struct Limits {
        std::chrono::milliseconds answer{1000}; ///< for all that one question takes
        size_t memory = 64u << 20;              ///< bytes that it may map, besides those it begins with
    };

    /// `work` is what the helper does; it ends with it. To be made early, since both processes begin as
    /// copies of this one. Throws std::system_error.
    Helper(const Work& work, const Limits& limits);
    ~Helper();
    Helper(const Helper&) = delete;
    Helper& operator=(const Helper&) = delete;

    /// To the helper. Null: it has ended, and the keeper starts no other.
    Channel* channel() { return channel_ ? &*channel_ : nullptr; }
    /// By when a question that is asked now has to be answered.
    Channel::Clock::time_point deadline() const { return Channel::Clock::now() + limits_.answer; }
    /// Ends it, if it has not ended, and starts another. Says how it ended, for the log.
    std::string replace() { return replace(deadline()); }

  private:
    std::string replace(Channel::Clock::time_point deadline);

    Limits limits_;
    std::optional<Channel> keeper_;
    pid_t keeper_pid_ = -1;
    std::optional<Channel> channel_;
};

} // namespace telemetry
