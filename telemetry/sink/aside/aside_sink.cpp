// SPDX-License-Identifier: MIT
#include "telemetry/sink/aside/aside_sink.hpp"

#include <algorithm>
#include <poll.h>
#include <system_error>
#include <utility>

#include "telemetry/base/run_end.hpp"
#include "telemetry/rights/aside_thread.hpp"

namespace telemetry {

namespace {

using namespace std::chrono_literals;

/// Small batches become one of this size while they wait: fewer writes for a reader that is behind.
constexpr size_t batch_bytes = 64 << 10;
constexpr size_t most_spare = 4;
/// How long the thread sleeps at most before it looks whether the end has come.
constexpr auto longest_sleep = 50ms;

} // namespace

AsideSink::AsideSink(std::unique_ptr<StreamSink> to, const Options& options)
    : options_(options), to_(std::move(to)) {
    to_->set_patience({});
    to_->write_at_once();
}

void AsideSink::write(std::string_view lines, uint64_t events) {
    if (lines.empty())
        return;
    if (is_ended_)
        return write_directly(lines, events);
    const size_t waiting = waiting_bytes_;
    if (is_broken_ || (waiting > 0 && waiting + lines.size() > options_.most_bytes)) {
        refused_ += events;
        return;
    }
    put(lines, events);
    if (!thread_.joinable())
        start();
    changed_.notify_one();
}

/// What waits is refused in stop() when there is no thread.
void AsideSink::start() {
    try {
        thread_ = start_aside([this] { run(); });
    } catch (const std::system_error& error) {
        const std::lock_guard lock(mutex_);
        error_ = std::string("cannot start a thread: ") + error.code().message();
        is_broken_ = true;
    }
}

void AsideSink::put(std::string_view lines, uint64_t events) {
    const std::lock_guard lock(mutex_);
    waiting_bytes_ += lines.size();
    if (batches_.empty() || batches_.back().lines.size() + lines.size() > batch_bytes)
        batches_.push_back({take_spare(), 0});
    batches_.back().lines.append(lines);
    batches_.back().events += events;
}

/// With the mutex.
std::string AsideSink::take_spare() {
    if (spare_.empty())
        return {};
    std::string memory = std::move(spare_.back());
    spare_.pop_back();
    return memory;
}

/// Of the very end: what the ends of other outputs have to say. finish() comes once more.
void AsideSink::write_directly(std::string_view lines, uint64_t events) {
    const std::lock_guard lock(writing_);
    to_->set_patience(run_end::at_most(options_.patience));
    to_->write(lines, events);
    note_state();
}

void AsideSink::finish() {
    stop();
    const std::lock_guard lock(writing_);
    to_->set_patience(run_end::at_most(options_.patience));
    to_->finish();
    to_->set_patience({});
    note_state();
}

/// The thread writes what waits, if that does not take too long. What is left then is lost.
void AsideSink::stop() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
        deadline_ = Clock::now() + run_end::at_most(options_.patience);
    }
    changed_.notify_one();
    if (thread_.joinable())
        thread_.join();
    is_ended_ = true;
    for (const Batch& batch : batches_)
        refused_ += batch.events;
    batches_.clear();
    waiting_bytes_ = 0;
}

bool AsideSink::reopen() {
    const std::lock_guard lock(writing_);
    const bool is_open = to_->reopen();
    note_state();
    return is_open;
}

std::string_view AsideSink::error() const {
    if (lost() == 0 && !is_broken_)
        return {}; // it was waited for, and came
    const std::lock_guard lock(mutex_);
    shown_error_ = error_;
    return shown_error_;
}

void AsideSink::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return !batches_.empty() || is_ending_; });
        if (batches_.empty() || (is_ending_ && Clock::now() >= deadline_))
            return;
        Batch batch = std::move(batches_.front());
        batches_.pop_front();
        lock.unlock();
        carry(batch);
        lock.lock();
        waiting_bytes_ -= batch.lines.size();
        batch.lines.clear();
        if (spare_.size() < most_spare && batch.lines.capacity() <= 4 * batch_bytes)
            spare_.push_back(std::move(batch.lines));
    }
}

/// What `to_` could not write by the end stays in its queue, which its own end counts.
void AsideSink::carry(const Batch& batch) {
    {
        const std::lock_guard lock(writing_);
        to_->write(batch.lines, batch.events);
    }
    int descriptor = -1;
    while (!push(descriptor) && !is_late())
        wait_for_room(descriptor);
}

bool AsideSink::push(int& descriptor) {
    const std::lock_guard lock(writing_);
    to_->flush();
    note_state();
    descriptor = to_->has_reader() ? to_->descriptor() : -1;
    return to_->is_empty() || to_->broken();
}

/// Without a lock: a descriptor that is closed meanwhile ends the wait, or makes it one of nothing but time.
void AsideSink::wait_for_room(int descriptor) {
    pollfd reader = {descriptor, POLLOUT, 0};
    poll(&reader, 1, static_cast<int>(longest_sleep.count()));
}

bool AsideSink::is_late() const {
    const std::lock_guard lock(mutex_);
    return is_ending_ && Clock::now() >= deadline_;
}

/// With `writing_`.
void AsideSink::note_state() {
    lost_behind_ = to_->lost();
    is_broken_ = to_->broken();
    if (to_->error().empty())
        return;
    const std::lock_guard lock(mutex_);
    error_ = to_->error();
}

std::unique_ptr<Sink> without_waiting(std::unique_ptr<StreamSink> stream) {
    if (!stream->has_reader())
        return stream;
    return std::make_unique<AsideSink>(std::move(stream));
}

} // namespace telemetry
