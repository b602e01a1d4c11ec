// SPDX-License-Identifier: MIT
#include "imds/conversation/segment_queue.hpp"

#include <algorithm>

namespace telemetry::imds {

void SegmentQueue::put(const Segment& segment, SharedCaller caller, const Handler& handler) {
    late_ += segment.time_ns < passed_on_ns_;
    if (limits_.wait_ns == 0) {
        passed_on_ns_ = std::max(passed_on_ns_, segment.time_ns);
        return handler(segment, caller);
    }
    Waiting waiting{segment, {segment.bytes.begin(), segment.bytes.end()}, std::move(caller)};
    bytes_ += waiting.bytes.size();
    newest_ns_ = std::max(newest_ns_, segment.time_ns);
    queue_.emplace(segment.time_ns, std::move(waiting));
    while (queue_.size() > limits_.segments || bytes_ > limits_.bytes)
        pass_on_first(handler);
    while (!queue_.empty() && queue_.begin()->first + limits_.wait_ns < newest_ns_)
        pass_on_first(handler);
}

void SegmentQueue::tick(uint64_t now_ns, const Handler& handler) {
    while (!queue_.empty() && queue_.begin()->first + limits_.wait_ns < now_ns)
        pass_on_first(handler);
}

void SegmentQueue::finish(const Handler& handler) {
    while (!queue_.empty())
        pass_on_first(handler);
}

void SegmentQueue::pass_on_first(const Handler& handler) {
    auto node = queue_.extract(queue_.begin());
    Waiting& first = node.mapped();
    bytes_ -= first.bytes.size();
    passed_on_ns_ = std::max(passed_on_ns_, node.key());
    handler({first.head, nullptr, first.bytes}, first.caller);
}

} // namespace telemetry::imds
