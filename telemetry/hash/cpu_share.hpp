// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <cstdint>

namespace telemetry {

/// How much of one CPU a thread may use: what was not used is kept, up to `at_once`. Whoever has used more
/// waits.
class CpuShare {
  public:
    struct Limit {
        uint64_t percent = 10;
        uint64_t at_once_ns = 200'000'000;
    };

    CpuShare() : CpuShare(Limit()) {}
    explicit CpuShare(const Limit& limit) : limit_(limit), left_ns_(static_cast<int64_t>(limit.at_once_ns)) {}

    /// By the thread's CPU clock and a monotonic one, how long to wait before it goes on.
    uint64_t wait_ns(uint64_t used_ns, uint64_t now_ns) {
        if (last_ns_ != 0)
            left_ns_ += static_cast<int64_t>((now_ns - last_ns_) * limit_.percent / 100);
        left_ns_ = std::min(left_ns_, static_cast<int64_t>(limit_.at_once_ns));
        left_ns_ -= static_cast<int64_t>(used_ns - last_used_ns_);
        last_ns_ = now_ns;
        last_used_ns_ = used_ns;
        return left_ns_ >= 0 ? 0 : static_cast<uint64_t>(-left_ns_) * 100 / limit_.percent;
    }

  private:
    Limit limit_;
    int64_t left_ns_;
    uint64_t last_ns_ = 0, last_used_ns_ = 0;
};

} // namespace telemetry
