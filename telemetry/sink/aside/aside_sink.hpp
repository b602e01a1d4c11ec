// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "telemetry/sink/sink.hpp"
#include "telemetry/sink/stream.hpp"

namespace telemetry {

/// Lines on their way to a reader who may be slow: a terminal, a pipe, a socket. A thread writes them, and
/// who calls waits for nothing but, in finish(), for the reader to take the last ones.
class AsideSink final : public Sink {
  public:
    struct Options {
        size_t most_bytes = usual_bytes; ///< what may wait; what finds no room is lost, and counted
        /// How long the end waits for a reader that takes nothing.
        std::chrono::milliseconds patience{1000};
    };
    static constexpr size_t usual_bytes = size_t{4} << 20;

    /// `to` is for this sink alone, which has it wait for nothing.
    explicit AsideSink(std::unique_ptr<StreamSink> to) : AsideSink(std::move(to), Options()) {}
    AsideSink(std::unique_ptr<StreamSink> to, const Options& options);
    ~AsideSink() override { finish(); }
    AsideSink(const AsideSink&) = delete;
    AsideSink& operator=(const AsideSink&) = delete;

    void write(std::string_view lines, uint64_t events) override;
    void flush() override {} // the thread writes what it gets at once
    void finish() override;
    bool can_reopen() const override { return to_->can_reopen(); }
    std::string_view path() const override { return to_->path(); }
    bool reopen() override;
    uint64_t lost() const override { return refused_ + lost_behind_; }
    uint64_t queued_bytes() const override { return waiting_bytes_; }
    bool broken() const override { return is_broken_; }
    /// Valid until the next call.
    std::string_view error() const override;

  private:
    using Clock = std::chrono::steady_clock;
    struct Batch {
        std::string lines;
        uint64_t events = 0;
    };

    void put(std::string_view lines, uint64_t events);
    std::string take_spare();
    void write_directly(std::string_view lines, uint64_t events);
    void start();
    void stop();
    void run();
    void carry(const Batch& batch);
    /// Returns false when the reader has to be waited for: `descriptor`, or nothing but time if that is -1.
    bool push(int& descriptor);
    void wait_for_room(int descriptor);
    bool is_late() const;
    void note_state();

    const Options options_;
    uint64_t refused_ = 0; ///< events that found no room
    bool is_ended_ = false;
    mutable std::string shown_error_; ///< which error() returned a view of

    std::mutex writing_; ///< `to_` is in use
    const std::unique_ptr<StreamSink> to_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Batch> batches_;
    std::vector<std::string>
        spare_; ///< memory of batches that were written: new memory costs as much as lines
    std::string error_;
    bool is_ending_ = false;
    Clock::time_point deadline_ = Clock::time_point::max();

    std::atomic<size_t> waiting_bytes_ = 0; ///< of the batches, and of the one that is being written
    std::atomic<uint64_t> lost_behind_ = 0; ///< events that `to_` lost
    std::atomic<bool> is_broken_ = false;
    std::thread thread_; ///< from the first line on
};

/// Has a thread write where somebody reads; what goes to a file or a device needs none.
std::unique_ptr<Sink> without_waiting(std::unique_ptr<StreamSink> stream);

} // namespace telemetry
