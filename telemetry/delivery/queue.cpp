// SPDX-License-Identifier: MIT
#include "telemetry/delivery/queue.hpp"

#include <algorithm>
#include <utility>

namespace telemetry {

namespace {

/// How many of its first items fit.
size_t fitting(const Batch& batch, size_t bytes, size_t items) {
    size_t count = 0;
    for (size_t used = 0; count < batch.items.size() && count < items; ++count) {
        used += batch.items[count].bytes;
        if (used > bytes)
            break;
    }
    return count;
}

} // namespace

void EventQueue::store(Batch&& batch) {
    bytes_ += batch.bytes.size();
    items_ += batch.items.size();
    batches_.push_back(std::move(batch));
}

uint64_t EventQueue::put(Batch&& batch) {
    if (batch.empty())
        return 0;
    const std::lock_guard lock(mutex_);
    if (is_closed_) {
        lost_reports_ += batch.items.size() - batch.events();
        return batch.events();
    }
    if (bytes_ + batch.bytes.size() <= room(false)) {
        store(std::move(batch));
        changed_.notify_all();
        return 0;
    }
    uint64_t lost = 0;
    Batch kept = batch.kept([this](size_t bytes, bool is_vital) { return bytes_ + bytes <= room(is_vital); },
                            lost, lost_reports_);
    if (!kept.empty())
        store(std::move(kept));
    changed_.notify_all();
    return lost;
}

void EventQueue::give_back(Batch&& batch) {
    const std::lock_guard lock(mutex_);
    if (spare_.size() < most_spare && batch.bytes.capacity() <= most_spare_bytes)
        spare_.push_back(std::move(batch));
}

Batch EventQueue::spare() {
    Batch batch;
    {
        const std::lock_guard lock(mutex_);
        if (spare_.empty())
            return batch;
        batch = std::move(spare_.back());
        spare_.pop_back();
    }
    batch.bytes.clear();
    batch.items.clear();
    return batch;
}

Batch EventQueue::take(const Wanted& wanted) {
    std::vector<Batch> taken;
    size_t all_bytes = 0, all_items = 0;
    {
        std::unique_lock lock(mutex_);
        is_idle_ = true;
        changed_.notify_all();
        changed_.wait_for(lock, wanted.patience, [&] { return items_ > 0 || is_closed_ || is_woken_; });
        changed_.wait_for(lock, items_ > 0 ? wanted.linger : std::chrono::milliseconds(0), [&] {
            return is_closed_ || is_woken_ || bytes_ >= wanted.bytes || items_ >= wanted.items;
        });
        is_woken_ = false;
        is_idle_ = items_ == 0;
        while (!batches_.empty()) {
            Batch& front = batches_.front();
            const size_t count =
                std::max<size_t>(fitting(front, wanted.bytes - all_bytes, wanted.items - all_items), 1);
            const bool is_whole = count == front.items.size();
            if (!taken.empty() && (!is_whole || front.bytes.size() > wanted.bytes - all_bytes))
                break; // to take a part is to copy it and what is left
            if (is_whole) {
                taken.push_back(std::move(front));
                batches_.pop_front();
            } else {
                taken.push_back(front.split(count));
            }
            all_bytes += taken.back().bytes.size();
            all_items += taken.back().items.size();
            if (!is_whole || all_bytes >= wanted.bytes || all_items >= wanted.items)
                break;
        }
        bytes_ -= all_bytes;
        items_ -= all_items;
    }
    if (taken.empty())
        return {};
    Batch all = std::move(taken.front());
    all.bytes.reserve(all_bytes); // large memory is mapped and cleared anew each time that it grows
    all.items.reserve(all_items);
    for (size_t i = 1; i < taken.size(); ++i)
        all.append(taken[i]);
    return all;
}

bool EventQueue::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    const auto end = Clock::now() + time;
    changed_.wait_until(lock, end, [&] { return is_closed_; });
    if (is_closed_)
        changed_.wait_until(lock, std::min(end, deadline_), [] { return false; });
    return Clock::now() < deadline_;
}

void EventQueue::wait_until_closed(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [&] { return is_closed_; });
}

void EventQueue::wake() {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
    changed_.notify_all();
}

void EventQueue::close(Clock::time_point deadline) {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    deadline_ = std::min(deadline_, deadline);
    changed_.notify_all();
}

uint64_t EventQueue::lost_reports() const {
    const std::lock_guard lock(mutex_);
    return lost_reports_;
}

size_t EventQueue::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

bool EventQueue::is_closed() const {
    const std::lock_guard lock(mutex_);
    return is_closed_;
}

bool EventQueue::is_finished() const {
    const std::lock_guard lock(mutex_);
    return is_closed_ && items_ == 0;
}

EventQueue::Clock::time_point EventQueue::deadline() const {
    const std::lock_guard lock(mutex_);
    return deadline_;
}

bool EventQueue::wait_until_idle(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return items_ == 0 && is_idle_; });
}

} // namespace telemetry
