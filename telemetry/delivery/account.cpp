// SPDX-License-Identifier: MIT
#include "telemetry/delivery/account.hpp"

#include <algorithm>
#include <utility>

namespace telemetry {

void DeliveryAccount::offered(uint64_t events) {
    const std::lock_guard lock(mutex_);
    report_.offered += events;
}

void DeliveryAccount::resumed(uint64_t events) {
    const std::lock_guard lock(mutex_);
    const uint64_t known = std::min(events, left_waiting_);
    left_waiting_ -= known;
    report_.resumed += events - known;
    resumed_waiting_ += events - known;
}

/// With the mutex. Of so many events in turn, those of earlier runs.
uint64_t DeliveryAccount::take_resumed(uint64_t events) {
    const uint64_t taken = std::min(events, resumed_waiting_);
    resumed_waiting_ -= taken;
    return taken;
}

void DeliveryAccount::delivered(uint64_t events) {
    const std::lock_guard lock(mutex_);
    report_.delivered += events;
    take_resumed(events);
}

void DeliveryAccount::lost(std::string_view cause, uint64_t events) {
    if (events == 0)
        return;
    const std::lock_guard lock(mutex_);
    lost_[cause] += events;
}

void DeliveryAccount::lost_in_turn(std::string_view cause, uint64_t events) {
    lost(cause, events);
    const std::lock_guard lock(mutex_);
    lost_of_earlier_runs_ += take_resumed(events);
}

void DeliveryAccount::lost(std::string_view cause, const Batch& batch) {
    lost(cause, batch.events());
    lost_reports(batch.items.size() - batch.events());
}

void DeliveryAccount::lost_reports(uint64_t lines) {
    const std::lock_guard lock(mutex_);
    report_.lost_reports += lines;
}

void DeliveryAccount::retried() {
    const std::lock_guard lock(mutex_);
    ++report_.retries;
}

void DeliveryAccount::set_oldest(uint64_t time_ns) {
    const std::lock_guard lock(mutex_);
    report_.oldest_ns = time_ns;
}

void DeliveryAccount::set_spool(uint64_t bytes, uint64_t limit) {
    const std::lock_guard lock(mutex_);
    report_.spool = DeliveryReport::Spool{bytes, limit};
}

void DeliveryAccount::set_error(std::string error) {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
}

void DeliveryAccount::set_broken(std::string error) {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
    is_broken_ = true;
}

void DeliveryAccount::set_mended() {
    const std::lock_guard lock(mutex_);
    is_broken_ = false;
}

void DeliveryAccount::begin_anew(uint64_t offered) {
    const std::lock_guard lock(mutex_);
    uint64_t settled = report_.delivered;
    for (const auto& [cause, count] : lost_)
        settled += count;
    const uint64_t all = offered + report_.resumed;
    left_waiting_ = all > settled ? all - settled : 0;
    is_broken_ = false;
    report_.oldest_ns = 0;
    report_.spool.reset();
}

DeliveryReport DeliveryAccount::report() const {
    const std::lock_guard lock(mutex_);
    DeliveryReport report = report_;
    uint64_t settled = report.delivered;
    for (const auto& [cause, count] : lost_) {
        report.lost.emplace_back(cause, count);
        settled += count;
    }
    const uint64_t all = report.offered + report.resumed;
    report.waiting = all > settled ? all - settled : 0;
    return report;
}

uint64_t DeliveryAccount::all_lost() const {
    const std::lock_guard lock(mutex_);
    uint64_t all = 0;
    for (const auto& [cause, count] : lost_)
        all += count;
    return all;
}

uint64_t DeliveryAccount::lost_of_run() const {
    const uint64_t all = all_lost();
    const std::lock_guard lock(mutex_);
    return all - std::min(all, lost_of_earlier_runs_);
}

std::string DeliveryAccount::error() const {
    const std::lock_guard lock(mutex_);
    return error_;
}

bool DeliveryAccount::is_broken() const {
    const std::lock_guard lock(mutex_);
    return is_broken_;
}

} // namespace telemetry
