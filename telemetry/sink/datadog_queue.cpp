// SPDX-License-Identifier: MIT
#include "telemetry/sink/datadog_queue.hpp"

namespace telemetry {

void DatadogQueue::put(std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (is_closed_ || bytes_ + line.size() > limits_.bytes || line.size() > limits_.batch_bytes) {
        ++overflow_;
        return;
    }
    bytes_ += line.size();
    events_.emplace_back(line);
    changed_.notify_all();
}

DatadogQueue::Batch DatadogQueue::take(std::chrono::milliseconds linger) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !events_.empty() || is_closed_; });
    changed_.wait_for(lock, linger, [&] {
        return is_closed_ || bytes_ >= limits_.batch_bytes || events_.size() >= limits_.batch_events;
    });
    Batch batch;
    while (!events_.empty() && batch.events.size() < limits_.batch_events &&
           batch.bytes + events_.front().size() <= limits_.batch_bytes) {
        batch.bytes += events_.front().size();
        batch.events.push_back(std::move(events_.front()));
        events_.pop_front();
    }
    bytes_ -= batch.bytes;
    return batch;
}

bool DatadogQueue::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    const auto end = Clock::now() + time;
    changed_.wait_until(lock, end, [&] { return is_closed_; });
    if (!is_closed_)
        return false;
    changed_.wait_until(lock, std::min(end, deadline_), [] { return false; });
    return Clock::now() >= deadline_;
}

void DatadogQueue::close(Clock::time_point deadline) {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    deadline_ = deadline;
    changed_.notify_all();
}

DatadogQueue::Clock::time_point DatadogQueue::deadline() const {
    const std::lock_guard lock(mutex_);
    return deadline_;
}

uint64_t DatadogQueue::overflow() const {
    const std::lock_guard lock(mutex_);
    return overflow_;
}

} // namespace telemetry
