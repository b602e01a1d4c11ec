// SPDX-License-Identifier: MIT
#include "telemetry/fold/connection_folds.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "telemetry/output/network/address.hpp"

namespace telemetry {

namespace {

bool is_accept(const Event& event) {
    return event.call->name == "accept" || event.call->name == "accept4";
}

/// Puts values side by side, so that keys are equal when all values are.
class Key {
  public:
    template <class T> void add(const T& value) {
        static_assert(std::has_unique_object_representations_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    void add(std::string_view text) {
        add(text.size());
        bytes_.append(text);
    }
    void add(const Address& address, bool with_port) {
        add(address.form);
        add(address.family);
        add(with_port ? address.port : uint16_t{0});
        add(address.scope);
        add(address.ip);
        add(address.name);
    }
    std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

std::string key_of(const Event& event) {
    Key key;
    key.add(event.pid);
    key.add(event.start_time_ns);
    key.add(event.row);
    key.add(std::min<int64_t>(event.ret, 0)); // a descriptor is another each time
    key.add(event.execution);
    key.add(event.shared);
    key.add(event.missing);
    key.add(static_cast<uint8_t>(event.interrupted | event.via_io_uring << 1 | event.unwitnessed << 2));
    ProcessNumbers numbers = event;
    numbers.tid = 0; // whichever thread
    key.add(numbers);
    const Ends ends = ends_of(event, socket_role(event));
    const bool accepts = is_accept(event);
    key.add(ends.named, !accepts);
    key.add(ends.local, accepts);
    key.add(event.socket.type);
    key.add(event.socket.protocol);
    return key.take();
}

} // namespace

bool ConnectionFolds::concerns(const Event& event) {
    return event.kind == EBT_SYSCALL && event.call && (event.call->name == "connect" || is_accept(event));
}

ConnectionFolds::Outcome ConnectionFolds::take(const Event& event, std::span<const std::byte> record,
                                               Clock::time_point now) {
    std::string key = key_of(event);
    const auto found = by_key_.find(key);
    if (found != by_key_.end() && found->second->end > now) {
        Interval& interval = *found->second;
        const bool replaces = !interval.record.empty();
        if (!replaces)
            interval.fold.first_ns = event.time_ns;
        ++interval.fold.count;
        bytes_ = bytes_ - interval.record.size() + record.size();
        interval.record.assign(record.begin(), record.end());
        make_room();
        return replaces ? Outcome::replaces : Outcome::kept;
    }
    if (found != by_key_.end())
        end(found->second, overflow_);
    begin(std::move(key), event, now);
    return Outcome::reported;
}

void ConnectionFolds::begin(std::string key, const Event& event, Clock::time_point now) {
    intervals_.push_back({std::move(key), event.pid, now + interval_, {}, {}});
    ++of_process_[event.pid];
    by_key_.emplace(intervals_.back().key, std::prev(intervals_.end()));
    make_room();
}

void ConnectionFolds::make_room() {
    while (intervals_.size() > most || bytes_ > most_bytes)
        end(intervals_.begin(), overflow_);
}

void ConnectionFolds::end(Intervals::iterator interval, std::vector<Due>& due) {
    bytes_ -= interval->record.size();
    by_key_.erase(interval->key);
    if (const auto intervals = of_process_.find(interval->pid); --intervals->second == 0)
        of_process_.erase(intervals);
    if (!interval->record.empty())
        due.push_back({std::move(interval->record), interval->fold});
    intervals_.erase(interval);
}

std::vector<ConnectionFolds::Due> ConnectionFolds::of_process(uint32_t pid) {
    std::vector<Due> due;
    if (!of_process_.contains(pid))
        return due;
    for (auto interval = intervals_.begin(); interval != intervals_.end();) {
        const auto here = interval++;
        if (here->pid == pid)
            end(here, due);
    }
    return due;
}

std::vector<ConnectionFolds::Due> ConnectionFolds::due(Clock::time_point now) {
    std::vector<Due> due = std::exchange(overflow_, {});
    while (!intervals_.empty() && intervals_.front().end <= now)
        end(intervals_.begin(), due);
    return due;
}

} // namespace telemetry
