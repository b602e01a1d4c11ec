// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "imds/helper/messages.hpp"
#include "imds/helper/route.hpp"
#include "telemetry/helper/repeated_warning.hpp"

namespace telemetry::imds {

/// What is on its way to the helper for HTTP and not answered yet. It is bounded, nobody waits for it, and an
/// answer that does not come in time, or makes no sense, ends the helper.
class OrderQueue {
  public:
    class Listener {
      public:
        virtual ~Listener() = default;
        /// Takes a reading or a state off the bytes. False: it makes no sense.
        virtual bool take_answer(std::string_view& bytes) = 0;
        /// The same: something is missing that should have come before.
        virtual bool on_done(const http_messages::Done& done) = 0;
        /// Everything that was put is lost, but for what was done.
        virtual void on_failure() = 0;
    };

    struct Limits {
        size_t queued_bytes = 8u << 20;
        size_t batch_bytes = 32u << 10; ///< so many are not held back until the next turn
    };

    /// `pattern`: of all orders.
    OrderQueue(std::shared_ptr<Route> route, const Limits& limits, const http_messages::Order& pattern,
               Listener& listener)
        : route_(std::move(route)), limits_(limits), pattern_(pattern), listener_(listener) {}

    /// False: there is no room, or no helper any more. There is always room for the end of a connection.
    bool put(const http_messages::Moved& moved, std::string_view bytes);
    /// Of the order that has what was put last.
    uint64_t last_number() const { return last_number_; }
    /// Lets the helper look at the wall clock.
    void put_time(uint64_t now_ns);
    /// A turn, if there is a batch to send.
    void relieve();
    /// Sends what can be sent and takes the answers that are there, or come until then.
    void turn(Route::Clock::time_point until);
    /// Something was sent that is not answered, or has to be sent.
    bool is_waiting() const { return in_flight_ > 0 || !queue_.empty(); }
    /// Gives up what is still to be answered.
    void fail(std::string_view why);

  private:
    std::string& last_packet(size_t more);
    void send();
    bool take(std::string_view packet);

    const std::shared_ptr<Route> route_;
    const Limits limits_;
    const http_messages::Order pattern_;
    Listener& listener_;
    std::deque<std::string> queue_; ///< packets to send
    size_t queued_bytes_ = 0;
    uint64_t last_number_ = 0; ///< of the orders
    size_t in_flight_ = 0;
    size_t answer_bytes_ = 0;              ///< to the order that is at hand
    Route::Clock::time_point answer_by_{}; ///< that order has to be done
    RepeatedWarning warning_;
};

} // namespace telemetry::imds
