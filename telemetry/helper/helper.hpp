// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

#include "telemetry/helper/channel.hpp"

namespace telemetry {

/// What a helper has besides its socket to the program.
enum class Reach : uint8_t { nothing, name_servers };

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
        const char* name = "ebt-helper";        ///< of both processes, for ps(1)
        Reach reach = Reach::nothing;
        bool starts_late = false; ///< with the first replace(), not before
    };

    /// `work` is what the helper does; it ends with it. To be made early, since both processes begin as
    /// copies of this one. Throws std::system_error.
    Helper(const Work& work, const Limits& limits);
    ~Helper();
    Helper(const Helper&) = delete;
    Helper& operator=(const Helper&) = delete;

    /// To the helper. Null: there is none yet, or never again.
    Channel* channel() { return channel(Channel::Clock::now()); }
    /// Waits for the next one, if that was asked for.
    Channel* channel(Channel::Clock::time_point deadline);
    /// The keeper has ended: there will be no other helper.
    bool is_gone() const { return !keeper_; }
    /// By when a question that is asked now has to be answered.
    Channel::Clock::time_point deadline() const { return Channel::Clock::now() + limits_.answer; }
    /// Ends it, if it has not ended, and has another started. Says how it ended, for the log.
    std::string replace() { return replace(deadline()); }
    /// Waits no longer than this for the next one, which channel() has then, or later.
    std::string replace(Channel::Clock::time_point deadline);

  private:
    std::string take_next(Channel::Clock::time_point deadline);

    Limits limits_;
    std::optional<Channel> keeper_;
    pid_t keeper_pid_ = -1;
    bool is_asked_ = false; ///< the keeper, for the next helper
    std::optional<Channel> channel_;
};

} // namespace telemetry
