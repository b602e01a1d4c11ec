// SPDX-License-Identifier: MIT
#include "telemetry/top/feed.hpp"

#include <thread>

namespace telemetry::top {

/// With the mutex.
void Feed::hand_over() {
    const auto now = Clock::now();
    filling_->seconds = std::chrono::duration<double>(now - began_).count();
    began_ = now;
    ready_ = std::exchange(filling_, std::move(free_));
    is_wanted_ = false;
}

void Feed::offer() {
    if (!is_wanted_.load(std::memory_order_relaxed))
        return;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock && !ready_ && free_)
        hand_over();
}

void Feed::finish() {
    using namespace std::chrono_literals;
    for (bool is_done = false; !is_done && !is_closed_;) {
        {
            const std::lock_guard lock(mutex_);
            is_done = !ready_ && free_;
            if (is_done)
                hand_over();
        }
        if (!is_done)
            std::this_thread::sleep_for(10ms);
    }
    is_finished_ = true;
}

std::unique_ptr<Interval> Feed::take() {
    const std::lock_guard lock(mutex_);
    return std::move(ready_);
}

void Feed::give_back(std::unique_ptr<Interval> used) {
    used->activity.clear();
    used->first_time = used->last_time = 0;
    const std::lock_guard lock(mutex_);
    free_ = std::move(used);
}

void Feed::note(std::string line) {
    constexpr size_t most = 100;
    const std::lock_guard lock(mutex_);
    if (notes_.size() < most)
        notes_.push_back(std::move(line));
}

std::vector<std::string> Feed::take_notes() {
    const std::lock_guard lock(mutex_);
    return std::exchange(notes_, {});
}

} // namespace telemetry::top
