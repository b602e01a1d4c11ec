// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "imds/model/caller.hpp"
#include "imds/model/transfer.hpp"

namespace telemetry::imds {

/// Puts transfers in order of time: those of different CPUs come as their buffers are read. Each
/// waits for as long as an earlier one may yet come. The queue is bounded, and owns what it holds.
class TransferQueue {
  public:
    using Handler = std::function<void(const Transfer&, const SharedCaller&)>;
    struct Limits {
        uint64_t wait_ns = 200'000'000; ///< 0: they come in order
        size_t transfers = 8192;
        size_t bytes = 8u << 20;
    };

    explicit TransferQueue(const Limits& limits) : limits_(limits) {}

    void put(const Transfer& transfer, SharedCaller caller, const Handler& handler);
    /// Passes on what has waited long enough.
    void tick(uint64_t now_ns, const Handler& handler);
    /// Passes on everything.
    void finish(const Handler& handler);

    size_t size() const { return queue_.size(); }
    /// Segments that came too late to be put in order.
    uint64_t late() const { return late_; }

  private:
    struct Waiting {
        TransferHead head; ///< nothing in it is borrowed
        std::vector<std::byte> bytes;
        SharedCaller caller;
    };

    void pass_on_first(const Handler& handler);

    const Limits limits_;
    std::multimap<uint64_t, Waiting> queue_; ///< by time; equal times as they came
    size_t bytes_ = 0;
    uint64_t newest_ns_ = 0;
    uint64_t passed_on_ns_ = 0;
    uint64_t late_ = 0;
};

} // namespace telemetry::imds
