// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/helper/helper.hpp"
#include "telemetry/helper/repeated_warning.hpp"
#include "telemetry/names/address.hpp"
#include "telemetry/names/messages.hpp"

namespace telemetry {

/// Resolves names of hosts in a helper process, one at a time and each in a new one, so that it knows what
/// /etc/resolv.conf says now, and what an answer did to it ends with it. For use by any threads.
class Names {
  public:
    using Clock = Channel::Clock;
    /// May become earlier while it is waited for.
    using Deadline = std::function<Clock::time_point()>;

    /// A server that does not answer is given up within two seconds, of which there may be three.
    static constexpr Helper::Limits usual = {std::chrono::seconds(7), 64u << 20, "ebt-names",
                                             Reach::name_servers, true};

    /// Starts the keeper of the helper. Throws std::system_error.
    Names();
    /// With a helper that does something else, as in tests.
    Names(const Helper::Work& work, const Helper::Limits& limits);

    /// Of a numeric address without asking anybody. None: `error` says why. Waits for others that ask.
    std::vector<SocketAddress> resolve(const std::string& host, uint16_t port, const Deadline& deadline,
                                       std::string& error);
    /// Questions that the helper did not answer, or not with what makes sense.
    uint64_t failures() const { return failures_; }

  private:
    std::vector<SocketAddress> ask(const std::string& host, uint16_t port, const Deadline& deadline,
                                   std::string& error);
    std::string exchange(const std::string& host, Clock::time_point end, const Deadline& deadline,
                         std::string& bytes);
    void fail(const std::string& why);

    std::timed_mutex mutex_;
    Helper helper_;
    const std::chrono::milliseconds patience_;
    RepeatedWarning warning_;
    std::atomic<uint64_t> failures_ = 0;
};

/// Whom resolve() asks from now on; null: nobody. To be set before keys of outputs are read: the helper
/// begins as a copy of this process, and reaches servers.
void use_names(std::shared_ptr<Names> names);
/// False in static programs without c-ares: no helper would know what to do.
bool can_resolve();
/// Absent: nobody is asked.
std::optional<uint64_t> name_failures();

/// Addresses of a host, or of an address in text. None: `error` says why. Only the helper
/// parses answers of name servers; without a helper, only numeric addresses are resolved.
std::vector<SocketAddress> resolve(const std::string& host, uint16_t port, const Names::Deadline& deadline,
                                   std::string& error);

} // namespace telemetry
