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

/// Puts transfers in order of time, since those of different CPUs arrive as their buffers are read. Each
/// waits as long as an earlier one may still arrive. The queue is bounded, and owns its content.
class TransferQueue {
  public:
    using Handler = std::function<void(const Transfer&, const SharedCaller&)>;
    struct Limits {
        uint64_t wait_ns = 200'000'000; ///< 0: they arrive in order
        size_t transfers = 8192;
        size_t bytes = 8u << 20;
    };

    explicit TransferQueue(const Limits& limits) : limits_(limits) {}

    void put(const Transfer& transfer, SharedCaller caller, const Handler& handler);
    /// Hands over the transfers that have waited long enough.
    void tick(uint64_t now_ns, const Handler& handler);
    /// Hands over all transfers.
    void finish(const Handler& handler);

    size_t size() const { return queue_.size(); }
    /// The number of transfers that arrived too late to be put in order.
    uint64_t late() const { return late_; }

  private:
    struct Waiting {
        TransferHead head; ///< refers to no memory of the event
        std::vector<std::byte> bytes;
        SharedCaller caller;
    };

    void pass_on_first(const Handler& handler);

    const Limits limits_;
    std::multimap<uint64_t, Waiting> queue_; ///< by time; equal times in order of arrival
    size_t bytes_ = 0;
    uint64_t newest_ns_ = 0;
    uint64_t passed_on_ns_ = 0;
    uint64_t late_ = 0;
};

} // namespace telemetry::imds
