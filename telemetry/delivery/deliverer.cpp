// SPDX-License-Identifier: MIT
#include "telemetry/delivery/deliverer.hpp"

#include <algorithm>
#include <utility>

#include <ebpf_loader/random.hpp>

#include "telemetry/delivery/line_fields.hpp"

namespace telemetry {

namespace {

using std::chrono::milliseconds;

/// So many are looked for at full speed; whoever refuses all is not asked thousands of times a second.
constexpr unsigned quick_refusals = 20;

uint64_t now_ns() {
    using namespace std::chrono;
    return static_cast<uint64_t>(nanoseconds(system_clock::now().time_since_epoch()).count());
}

/// Its own time where it is JSON.
uint64_t time_of_first(const Batch& batch, uint64_t otherwise) {
    const std::string_view line = batch.bytes;
    const uint64_t time = batch.empty() ? 0 : time_of(line.substr(0, batch.items.front().bytes));
    return time ? time : otherwise;
}

} // namespace

Deliverer::Deliverer(const DelivererOptions& options, Sender& sender, DeliveryAccount& account,
                     PutAside put_aside)
    : options_(options), sender_(sender), account_(account), put_aside_(std::move(put_aside)),
      pause_(options.first_pause) {}

Batch Deliverer::deliver(Batch batch, const Sender::Deadline& deadline, const Pause& pause) {
    const uint64_t begin = now_ns();
    std::deque<Batch> parts;
    parts.push_back(std::move(batch));
    while (!parts.empty()) {
        account_.set_oldest(time_of_first(parts.front(), begin));
        const Answer answer = sender_.send(parts.front(), deadline);
        account_.set_error(answer.error);
        settle(answer, parts);
        const bool has_to_wait =
            answer.result == Result::again || !answer.items.empty() || refusals_ > quick_refusals;
        if (!parts.empty() && has_to_wait && !pause(next_pause(answer)))
            break;
    }
    if (parts.empty())
        account_.set_oldest(0);
    Batch left;
    for (const Batch& part : parts)
        left.append(part);
    return left;
}

void Deliverer::settle(const Answer& answer, std::deque<Batch>& parts) {
    Batch& front = parts.front();
    if (answer.result == Result::again || std::ranges::count(answer.items, Result::again) > 0)
        account_.retried();
    if (answer.result == Result::again)
        return;
    if (answer.result == Result::taken) {
        refusals_ = 0;
        pause_ = options_.first_pause;
        if (!answer.items.empty())
            return settle_items(answer, parts);
        account_.delivered(front.events());
        parts.pop_front();
        return;
    }
    ++refusals_;
    if (front.items.size() == 1) {
        refuse(front);
        parts.pop_front();
        return;
    }
    Batch half = front.split(front.items.size() / 2);
    parts.push_front(std::move(half));
}

void Deliverer::settle_items(const Answer& answer, std::deque<Batch>& parts) {
    const Batch batch = std::move(parts.front());
    parts.pop_front();
    Batch taken, refused, again;
    std::string_view rest = batch.bytes;
    for (size_t i = 0; i < batch.items.size(); ++i) {
        const Batch::Item& item = batch.items[i];
        const Result result = i < answer.items.size() ? answer.items[i] : Result::again;
        Batch& to = result == Result::taken ? taken : result == Result::again ? again : refused;
        to.put(rest.substr(0, item.bytes), item.is_vital, item.is_event);
        rest.remove_prefix(item.bytes);
    }
    account_.delivered(taken.events());
    if (!refused.empty())
        refuse(refused);
    if (!again.empty())
        parts.push_front(std::move(again));
}

void Deliverer::refuse(const Batch& batch) {
    account_.lost_in_turn("refused", batch.events());
    account_.lost_reports(batch.items.size() - batch.events());
    put_aside_(batch.bytes);
}

/// Not all senders at once: between half of the pause and all of it.
milliseconds Deliverer::next_pause(const Answer& answer) {
    const auto span = static_cast<uint64_t>(pause_.count() / 2);
    const milliseconds jitter(ebpf_loader::random_bits() % (span + 1));
    const milliseconds own = pause_ / 2 + jitter;
    pause_ = std::min(2 * pause_, options_.longest_pause);
    if (answer.retry_after.count() <= 0)
        return own;
    const milliseconds asked = std::min(answer.retry_after, options_.longest_asked);
    return std::max(own, asked + milliseconds(ebpf_loader::random_bits() %
                                              (static_cast<uint64_t>(asked.count()) / 10 + 1)));
}

} // namespace telemetry
