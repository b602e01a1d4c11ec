// SPDX-License-Identifier: MIT
#include "telemetry/delivery/output.hpp"

#include <algorithm>
#include <exception>
#include <pthread.h>
#include <utility>

#include "telemetry/base/log.hpp"
#include "telemetry/base/run_end.hpp"
#include "telemetry/delivery/carrier.hpp"
#include "telemetry/rights/aside_thread.hpp"
#include "telemetry/sink/write_size.hpp"

namespace telemetry {

namespace {

constexpr size_t batches = 8; ///< a queue has room for, at least
/// For what was put before a change of settings.
constexpr std::chrono::milliseconds change_patience{5000};

std::string name_of(const OutputSettings& settings) {
    return std::string(settings.kind) + " " + settings.name;
}

} // namespace

DeliveryOutput::DeliveryOutput(const OutputSettings& settings)
    : name_(name_of(settings)), keys_(settings.keys), cause_(settings.cause), limit_(settings.max_line),
      queue_(std::make_shared<EventQueue>(settings.queue_bytes)), settings_(settings),
      carrier_(settings.open()), is_running_(true) {
    thread_ = start_aside([this, queue = queue_] { run(queue); }, carrier_->capabilities());
}

DeliveryOutput::~DeliveryOutput() {
    close();
}

bool DeliveryOutput::wants(std::string_view key) const {
    return keys_.empty() || std::ranges::count(keys_, key) > 0;
}

void DeliveryOutput::put(std::string_view text, bool is_vital, bool is_event) {
    batch_.put(limit_.fit(text), is_vital, is_event);
    batch_events_ += is_event;
    if (batch_.bytes.size() >= std::min(worth_a_write, queue_->capacity() / batches))
        hand_over();
}

void DeliveryOutput::hand_over() {
    if (batch_.empty())
        return;
    account_.offered(std::exchange(batch_events_, 0));
    if (const uint64_t lost = queue_->put(std::exchange(batch_, queue_->spare())); lost > 0)
        account_.lost("queue_full", lost);
}

bool DeliveryOutput::reopen() {
    const std::lock_guard lock(mutex_);
    if (!carrier_ || !carrier_->can_reopen())
        return false;
    carrier_->reopen();
    queue_->wake();
    return true;
}

void DeliveryOutput::change(const OutputSettings& next) {
    hand_over();
    account_.set_mended(); // they get their chance
    name_ = name_of(next);
    keys_ = next.keys;
    limit_ = LineLimit(next.max_line);
    const std::lock_guard lock(mutex_);
    if (!next_.empty() && !queue_->is_closed()) { // not begun yet
        next_.back().settings = next;
        return;
    }
    if (!queue_->is_closed())
        queue_->close(EventQueue::Clock::now() + change_patience);
    earlier_lost_reports_ += queue_->lost_reports(); // no more is put there
    earlier_.push_back(std::exchange(queue_, std::make_shared<EventQueue>(next.queue_bytes)));
    std::erase_if(earlier_, [](const auto& queue) { return queue.expired(); });
    next_.push_back({queue_, next, account_.report().offered});
    if (is_running_)
        return;
    thread_.join(); // it has come to its end
    is_running_ = true;
    thread_ = start_aside([this] { run(nullptr); });
}

void DeliveryOutput::drain() {
    hand_over();
    queue_->wait_until_idle(run_end::at_most(usual_drain));
}

void DeliveryOutput::end(std::chrono::milliseconds patience) {
    end_by(EventQueue::Clock::now() + run_end::at_most(patience));
}

void DeliveryOutput::end_by(EventQueue::Clock::time_point deadline) {
    hand_over();
    queue_->close(deadline);
    for (const auto& queue : earlier_)
        if (const auto still_there = queue.lock())
            still_there->close(deadline);
}

void DeliveryOutput::close() {
    if (!thread_.joinable())
        return;
    end();
    thread_.join();
}

void DeliveryOutput::close_within(std::chrono::milliseconds patience) {
    if (!thread_.joinable())
        return;
    end_by(EventQueue::Clock::now() + patience);
    thread_.join();
}

void DeliveryOutput::run(std::shared_ptr<EventQueue> queue) {
    constexpr size_t longest_name = 15;
    pthread_setname_np(pthread_self(), ("out " + settings_.name).substr(0, longest_name).c_str());
    if (!queue)
        queue = next_turn();
    for (; queue; queue = next_turn())
        carry(*queue);
}

void DeliveryOutput::carry(EventQueue& queue) {
    try {
        if (carrier_) { // no other thread replaces it
            carrier_->run(queue, account_);
            return;
        }
    } catch (const std::exception& error) {
        account_.set_broken(error.what());
    }
    while (!queue.is_closed()) // the rest is taken, so that it is counted
        account_.lost("broken", queue.take({.bytes = SIZE_MAX, .patience = std::chrono::seconds(1)}));
    account_.lost("broken", queue.take({.bytes = SIZE_MAX, .patience = {}}));
}

/// The queue that the carrier is for from now on; null: there is none.
std::shared_ptr<EventQueue> DeliveryOutput::next_turn() {
    close_carrier();
    Turn next;
    {
        const std::lock_guard lock(mutex_);
        is_running_ = !next_.empty();
        if (!is_running_)
            return nullptr;
        next = std::move(next_.front());
        next_.pop_front();
    }
    account_.begin_anew(next.offered);
    std::unique_ptr<Carrier> opened = open_next(next.settings);
    const std::lock_guard lock(mutex_);
    carrier_ = std::move(opened);
    return next.queue;
}

/// It may hold what the next one wants, a spool or a file, and take its time.
void DeliveryOutput::close_carrier() {
    std::unique_ptr<Carrier> before; // ends after the lock does
    const std::lock_guard lock(mutex_);
    before.swap(carrier_);
}

std::unique_ptr<Carrier> DeliveryOutput::open_next(const OutputSettings& next) {
    try {
        auto opened = next.open();
        settings_ = next;
        return opened;
    } catch (const std::exception& error) {
        log(LogLevel::error,
            name_of(next) + ": the new settings cannot be used, those before go on: " + error.what());
    }
    try {
        return settings_.open();
    } catch (const std::exception& error) {
        account_.set_broken(error.what());
        return nullptr;
    }
}

OutputReport DeliveryOutput::report() const {
    error_ = account_.error();
    DeliveryReport delivery = account_.report();
    delivery.queue_limit = queue_->capacity();
    delivery.lost_of_run = account_.lost_of_run();
    delivery.lost_reports += queue_->lost_reports() + earlier_lost_reports_;
    return {.name = name_,
            .cause = cause_,
            .lost = account_.all_lost(),
            .error = error_,
            .queued_bytes = batch_.bytes.size() + queue_->bytes(),
            .delivery = std::move(delivery)};
}

} // namespace telemetry
