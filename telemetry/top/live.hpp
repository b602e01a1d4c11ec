// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/top/feed.hpp"
#include "telemetry/top/model.hpp"
#include "telemetry/top/show.hpp"

namespace telemetry::top {

/// The screen of a run, drawn by a thread of its own. The log goes there meanwhile.
class Live {
  public:
    /// What it takes at most, in bytes: besides the model's tables the two that the feed has, and what
    /// ncurses, the thread and the lines of the log do.
    static constexpr size_t most_bytes = Model::most_bytes + 2 * Activity::most_bytes + (2 << 20);

    /// Throws ebpf_loader::Error.
    explicit Live(ShowOptions options);
    ~Live() { close(); }

    /// By the thread that counts, which never waits for the screen.
    Activity& activity() { return feed_->filling().activity; }
    void offer() { feed_->offer(); }
    /// The user has ended it.
    bool is_ended() const { return is_ended_; }
    /// A line of the log.
    void note(std::string line);

    /// Gives the terminal back; returns the lines of the log, oldest first.
    std::vector<std::string> close();

  private:
    const ShowOptions options_;
    std::unique_ptr<Screen> screen_;
    std::unique_ptr<Feed> feed_ = std::make_unique<Feed>();
    std::mutex mutex_;
    std::vector<std::string> lines_; ///< the first ones of the log
    size_t line_bytes_ = 0;
    std::atomic<bool> is_over_ = false, is_ended_ = false;
    std::thread thread_;
};

} // namespace telemetry::top
