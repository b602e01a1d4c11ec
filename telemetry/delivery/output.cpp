// SPDX-License-Identifier: MIT
#include "telemetry/delivery/output.hpp"

#include <algorithm>
#include <exception>
#include <pthread.h>
#include <utility>

#include "telemetry/base/run_end.hpp"
#include "telemetry/delivery/carrier.hpp"
#include "telemetry/rights/aside_thread.hpp"

namespace telemetry {

namespace {

constexpr size_t batch_bytes = 64 * 1024;
constexpr std::chrono::milliseconds usual_drain{1000};

} // namespace

DeliveryOutput::DeliveryOutput(const OutputSettings& settings)
    : name_(std::string(settings.kind) + " " + settings.name), keys_(settings.keys), cause_(settings.cause),
      queue_(settings.queue_bytes), carrier_(settings.open()), limit_(settings.max_line) {
    thread_ = start_aside([this] { run(); }, carrier_->capabilities());
    constexpr size_t longest_name = 15;
    pthread_setname_np(thread_.native_handle(), ("out " + settings.name).substr(0, longest_name).c_str());
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
    if (batch_.bytes.size() >= batch_bytes)
        hand_over();
}

void DeliveryOutput::hand_over() {
    if (batch_.empty())
        return;
    account_.offered(std::exchange(batch_events_, 0));
    if (const uint64_t lost = queue_.put(std::exchange(batch_, {})); lost > 0)
        account_.lost("queue_full", lost);
}

void DeliveryOutput::reopen() {
    carrier_->reopen();
    queue_.wake();
}

void DeliveryOutput::drain() {
    hand_over();
    queue_.wait_until_idle(run_end::at_most(usual_drain));
}

void DeliveryOutput::end() {
    hand_over();
    if (!queue_.is_closed())
        queue_.close(EventQueue::Clock::now() + run_end::at_most(usual_drain));
}

void DeliveryOutput::close() {
    if (!thread_.joinable())
        return;
    end();
    thread_.join();
}

void DeliveryOutput::run() {
    try {
        carrier_->run(queue_, account_);
        return;
    } catch (const std::exception& error) {
        account_.set_broken(error.what());
    }
    while (!queue_.is_closed()) // the rest is taken, so that it is counted
        account_.lost("broken",
                      queue_.take({.bytes = SIZE_MAX, .patience = std::chrono::seconds(1)}).events());
    account_.lost("broken", queue_.take({.bytes = SIZE_MAX, .patience = {}}).events());
}

OutputReport DeliveryOutput::report() const {
    error_ = account_.error();
    return {.name = name_,
            .cause = cause_,
            .lost = account_.all_lost(),
            .error = error_,
            .delivery = account_.report()};
}

} // namespace telemetry
