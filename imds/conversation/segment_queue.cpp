// SPDX-License-Identifier: MIT
#include "imds/conversation/segment_queue.hpp"

#include <algorithm>

namespace telemetry::imds {

void SegmentQueue::put(const Segment& segment, By by, const Handler& handler) {
    late_ += segment.time_ns < handed_on_ns_;
    if (limits_.wait_ns == 0) {
        handed_on_ns_ = std::max(handed_on_ns_, segment.time_ns);
        return handler(segment, by);
    }
    Waiting waiting{segment, {}, std::move(by)};
    waiting.bytes.assign(reinterpret_cast<const char*>(segment.bytes.data()), segment.bytes.size());
    waiting.segment.process = nullptr; // `by` has what is to be kept
    waiting.segment.facts = nullptr;
    bytes_ += waiting.bytes.size();
    newest_ns_ = std::max(newest_ns_, segment.time_ns);
    queue_.emplace(segment.time_ns, std::move(waiting));
    while (queue_.size() > limits_.segments || bytes_ > limits_.bytes)
        hand_on_first(handler);
    while (!queue_.empty() && queue_.begin()->first + limits_.wait_ns < newest_ns_)
        hand_on_first(handler);
}

void SegmentQueue::tick(uint64_t now_ns, const Handler& handler) {
    while (!queue_.empty() && queue_.begin()->first + limits_.wait_ns < now_ns)
        hand_on_first(handler);
}

void SegmentQueue::finish(const Handler& handler) {
    while (!queue_.empty())
        hand_on_first(handler);
}

void SegmentQueue::hand_on_first(const Handler& handler) {
    auto node = queue_.extract(queue_.begin());
    Waiting& first = node.mapped();
    bytes_ -= first.bytes.size();
    handed_on_ns_ = std::max(handed_on_ns_, node.key());
    first.segment.bytes = std::as_bytes(std::span(first.bytes));
    handler(first.segment, first.by);
}

} // namespace telemetry::imds
