// SPDX-License-Identifier: MIT
#include "imds/conversation/transfer_queue.hpp"

#include <algorithm>

namespace telemetry::imds {

void TransferQueue::put(const Transfer& transfer, SharedCaller caller, const Handler& handler) {
    late_ += transfer.time_ns < passed_on_ns_;
    if (limits_.wait_ns == 0) {
        passed_on_ns_ = std::max(passed_on_ns_, transfer.time_ns);
        return handler(transfer, caller);
    }
    Waiting waiting{transfer, {transfer.bytes.begin(), transfer.bytes.end()}, std::move(caller)};
    bytes_ += waiting.bytes.size();
    newest_ns_ = std::max(newest_ns_, transfer.time_ns);
    queue_.emplace(transfer.time_ns, std::move(waiting));
    while (queue_.size() > limits_.transfers || bytes_ > limits_.bytes)
        pass_on_first(handler);
    while (!queue_.empty() && queue_.begin()->first + limits_.wait_ns < newest_ns_)
        pass_on_first(handler);
}

void TransferQueue::tick(uint64_t now_ns, const Handler& handler) {
    while (!queue_.empty() && queue_.begin()->first + limits_.wait_ns < now_ns)
        pass_on_first(handler);
}

void TransferQueue::finish(const Handler& handler) {
    while (!queue_.empty())
        pass_on_first(handler);
}

void TransferQueue::pass_on_first(const Handler& handler) {
    auto node = queue_.extract(queue_.begin());
    Waiting& first = node.mapped();
    bytes_ -= first.bytes.size();
    passed_on_ns_ = std::max(passed_on_ns_, node.key());
    handler({first.head, nullptr, first.bytes}, first.caller);
}

} // namespace telemetry::imds
