// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <deque>
#include <functional>
#include <string_view>

#include "telemetry/delivery/account.hpp"
#include "telemetry/delivery/sender.hpp"

namespace telemetry {

struct DelivererOptions {
    std::chrono::milliseconds first_pause{500}; ///< before the second attempt; then twice as long each time
    std::chrono::milliseconds longest_pause{60'000};
    std::chrono::milliseconds longest_asked{300'000}; ///< that the far end may ask for
};

/// Sends a batch until the far end has taken or refused all of it: with pauses, in halves when it is too
/// large, and in smaller and smaller parts until what is refused stands alone.
class Deliverer {
  public:
    /// Waits; false when the run ends.
    using Pause = std::function<bool(std::chrono::milliseconds)>;
    /// Gets the lines that are refused.
    using PutAside = std::function<void(std::string_view)>;

    Deliverer(const DelivererOptions& options, Sender& sender, DeliveryAccount& account, PutAside put_aside);

    /// Returns what is left when the run ends.
    Batch deliver(Batch batch, const Sender::Deadline& deadline, const Pause& pause);

  private:
    using Result = Answer::Result;

    void settle(const Answer& answer, std::deque<Batch>& parts);
    void settle_items(const Answer& answer, std::deque<Batch>& parts);
    void refuse(const Batch& batch);
    std::chrono::milliseconds next_pause(const Answer& answer);

    const DelivererOptions options_;
    Sender& sender_;
    DeliveryAccount& account_;
    const PutAside put_aside_;
    std::chrono::milliseconds pause_;
    unsigned refusals_ = 0; ///< in a row
};

} // namespace telemetry
