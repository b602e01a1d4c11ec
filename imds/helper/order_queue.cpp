// SPDX-License-Identifier: MIT
#include "imds/helper/order_queue.hpp"

#include <algorithm>
#include <cstring>

#include "telemetry/base/log.hpp"

namespace telemetry::imds {
namespace {

using namespace http_messages;

constexpr size_t packet_bytes = 48 * 1024;
constexpr size_t most_in_flight = 4; ///< the socket holds hardly more
constexpr size_t most_answers = 64;  ///< packets that are taken in a turn
constexpr size_t most_counted = 1 << 20;

/// An order may end all conversations. Each text of them is sent once, and a secret of them a few times.
size_t most_answer_bytes(const Order& order) {
    return 4 * order.held_bytes + (16u << 20);
}

bool is_possible(const Done& done) {
    return std::max({done.lost_positions, done.cut_heads, done.cut_bodies, done.reported_early,
                     done.evicted}) <= most_counted;
}

} // namespace

/// With room for so many bytes.
std::string& OrderQueue::last_packet(size_t more) {
    if (queue_.empty() || queue_.back().size() + more > packet_bytes) {
        Order order = pattern_;
        order.number = ++last_number_;
        queued_bytes_ += sizeof(order);
        queue_.emplace_back(bytes_of(order));
    }
    return queue_.back();
}

bool OrderQueue::put(const Moved& moved, std::string_view bytes) {
    const size_t size = sizeof(moved) + bytes.size();
    const bool is_full = queued_bytes_ + size > limits_.queued_bytes && moved.direction != Direction::closed;
    if (is_full || route_->is_gone())
        return false;
    last_packet(size).append(bytes_of(moved)).append(bytes);
    queued_bytes_ += size;
    return true;
}

void OrderQueue::put_time(uint64_t now_ns) {
    if (!route_->is_gone())
        memcpy(last_packet(0).data() + offsetof(Order, now_ns), &now_ns, sizeof(now_ns));
}

void OrderQueue::relieve() {
    if (queued_bytes_ > limits_.batch_bytes)
        turn(Route::Clock::now());
}

void OrderQueue::send() {
    while (!queue_.empty() && in_flight_ < most_in_flight && route_->send(queue_.front())) {
        queued_bytes_ -= queue_.front().size();
        queue_.pop_front();
        if (in_flight_++ == 0)
            answer_by_ = Route::Clock::now() + route_->patience();
    }
}

void OrderQueue::turn(Route::Clock::time_point until) {
    Packet packet;
    for (size_t taken = 0; taken < most_answers || until > Route::Clock::now();) {
        send();
        if (!is_waiting())
            return;
        switch (route_->receive(packet, in_flight_ ? std::min(until, answer_by_) : until)) {
        case Route::Outcome::packet:
            ++taken;
            if (!take(packet.bytes))
                fail("its answer makes no sense");
            break;
        case Route::Outcome::late:
            if (const auto now = Route::Clock::now(); in_flight_ && now >= answer_by_)
                fail("it did not answer in time");
            else if (now >= until)
                return;
            break;
        case Route::Outcome::ended:
            fail("it ended");
            break;
        case Route::Outcome::too_long:
            fail("its answer is too long");
            break;
        }
    }
}

bool OrderQueue::take(std::string_view packet) {
    answer_bytes_ += packet.size();
    while (!packet.empty()) {
        if (in_flight_ == 0 || answer_bytes_ > most_answer_bytes(pattern_))
            return false;
        if (static_cast<Kind>(packet.front()) != Kind::done) {
            if (!listener_.take_answer(packet))
                return false;
            continue;
        }
        const auto done = packets::take<Done>(packet);
        const uint64_t expected = last_number_ - queue_.size() - in_flight_ + 1;
        if (!done || done->number != expected || !is_possible(*done))
            return false;
        --in_flight_;
        answer_bytes_ = packet.size();
        answer_by_ = Route::Clock::now() + route_->patience();
        if (!listener_.on_done(*done))
            return false;
    }
    return true;
}

void OrderQueue::fail(std::string_view why) {
    route_->replace();
    const std::string line = "the helper for HTTP failed: " + std::string(why);
    if (route_->is_gone())
        log(LogLevel::error, line + "; requests are not read any more");
    else
        warning_.tell(line);
    queue_.clear();
    queued_bytes_ = in_flight_ = answer_bytes_ = 0;
    listener_.on_failure();
}

} // namespace telemetry::imds
