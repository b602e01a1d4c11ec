// SPDX-License-Identifier: MIT
#include "telemetry/top/live.hpp"

#include "telemetry/rights/aside_thread.hpp"

namespace telemetry::top {

Live::Live(ShowOptions options) : options_(std::move(options)), screen_(std::make_unique<Screen>()) {
    thread_ = start_aside([this] {
        if (show(*screen_, *feed_, options_, is_over_))
            is_ended_ = true;
    });
}

void Live::note(std::string line) {
    constexpr size_t most_bytes_kept = 512 << 10;
    feed_->note(line);
    const std::lock_guard lock(mutex_);
    line_bytes_ += line.size() + sizeof(std::string);
    if (line_bytes_ <= most_bytes_kept)
        lines_.push_back(std::move(line));
}

std::vector<std::string> Live::close() {
    is_over_ = true;
    if (thread_.joinable())
        thread_.join();
    screen_.reset();
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
}

} // namespace telemetry::top
