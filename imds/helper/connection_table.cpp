// SPDX-License-Identifier: MIT
#include "imds/helper/connection_table.hpp"

#include <algorithm>
#include <utility>

namespace telemetry::imds {
namespace {

using namespace http_messages;

constexpr size_t most_callers = 2048;       ///< of a connection, that are not reported yet
constexpr size_t longest_piece = 32u << 10; ///< more than the kernel side captures of a call

Order pattern_of(const ConnectionTable::Limits& limits, bool is_unsafe) {
    Order order;
    order.conversation = limits.conversation;
    order.held_bytes = limits.held_bytes;
    order.is_unsafe = is_unsafe;
    return order;
}

/// Is it a new connection of the same socket? Those of io_uring are reported before they have a local port.
bool begins_anew(const Transfer& transfer, const Connection& before) {
    return transfer.is_io_uring || (transfer.direction == Direction::connected && !before.ends.local_port);
}

} // namespace

ConnectionTable::ConnectionTable(const Limits& limits, bool is_unsafe, std::shared_ptr<Route> route,
                                 ReadingListener& listener)
    : limits_(limits), listener_(listener),
      queue_(std::move(route), limits.queue, pattern_of(limits, is_unsafe), *this) {}

void ConnectionTable::take(const Transfer& transfer, const Connection& connection,
                           const SharedCaller& caller) {
    const auto entry = find(transfer, connection);
    entry->last_ns = std::max(entry->last_ns, transfer.time_ns);
    if (!put(*entry, transfer, caller)) {
        give_up(*entry);
        put_end(*entry, Exchange::End::closed);
        renew(entry);
    }
    while (entries_.size() > 1 && entries_.size() > limits_.connections) {
        ++counters_.evicted;
        remove(entries_.begin(), Exchange::End::evicted);
    }
    queue_.relieve();
}

/// A known socket with other addresses is a new one in the same memory: the end of the old one was missed.
ConnectionTable::List::iterator ConnectionTable::find(const Transfer& transfer,
                                                      const Connection& connection) {
    const auto found = by_socket_.find(transfer.socket);
    if (found != by_socket_.end()) {
        const auto entry = found->second;
        Connection& before = entry->connection;
        const bool has_port = before.ends.local_port && connection.ends.local_port;
        const bool is_same = !begins_anew(transfer, before) && before.service == connection.service &&
                             (!has_port || before.ends.local_port == connection.ends.local_port);
        if (is_same) {
            entries_.splice(entries_.end(), entries_, entry);
            if (!before.ends.local_port)
                before.ends.local_port = connection.ends.local_port;
            return entry;
        }
        remove(entry, Exchange::End::closed);
    }
    Entry& entry = entries_.emplace_back();
    entry.number = ++last_number_;
    entry.connection = connection;
    ++counters_.opened;
    by_number_[entry.number] = std::prev(entries_.end());
    return by_socket_[transfer.socket] = std::prev(entries_.end());
}

/// False: the helper does not get it.
bool ConnectionTable::put(Entry& entry, const Transfer& transfer, const SharedCaller& caller) {
    if (transfer.direction == Direction::sent &&
        std::exchange(entry.last, transfer.direction) != Direction::sent)
        entry.is_reported = false;
    entry.last = transfer.direction;
    if (std::exchange(entry.is_settled, false)) {
        entry.unsettled_caller = caller;
        entry.unsettled_ns = transfer.time_ns;
    }
    if (entry.callers.empty() || entry.callers.back() != caller)
        entry.callers.push_back(caller);
    if (entry.callers.size() > most_callers) {
        entry.callers.pop_front();
        ++entry.first_number;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(transfer.bytes.data()),
                                 std::min(transfer.bytes.size(), longest_piece));
    const uint64_t length = std::max<uint64_t>(transfer.length, bytes.size());
    entry.earliest_ns = std::min(entry.earliest_ns, transfer.time_ns);
    entry.sent += transfer.direction == Direction::sent ? length : 0;
    entry.received += transfer.direction == Direction::received ? length : 0;
    const Connection& connection = entry.connection;
    Moved moved;
    moved.connection = entry.number;
    moved.sequence = ++entry.sequence;
    moved.time_ns = transfer.time_ns;
    moved.length = length;
    moved.caller = entry.first_number + entry.callers.size() - 1;
    moved.netns = connection.netns;
    moved.bytes = static_cast<uint32_t>(bytes.size());
    moved.service = connection.service;
    moved.providers = connection.providers;
    moved.known = proved_.find(connection.netns, connection.service);
    moved.direction = transfer.direction;
    moved.is_io_uring = transfer.is_io_uring;
    moved.is_resumed = entry.is_resumed;
    conversation_counters_.gap_bytes += length - bytes.size();
    return queue_.put(moved, bytes);
}

/// Reports that there is something that is not read.
void ConnectionTable::give_up(Entry& entry) {
    if (std::exchange(entry.is_reported, true))
        return;
    Reading reading;
    reading.kind = ImdsFacts::Kind::connection;
    reading.provider = entry.connection.providers.only();
    if (reading.provider == Provider::unknown)
        reading.provider = proved_.find(entry.connection.netns, entry.connection.service);
    reading.time_ns = entry.unsettled_ns;
    reading.connection_content = ConnectionReport::Content::unread;
    reading.sent = entry.sent;
    reading.received = entry.received;
    ++counters_.helper_failures;
    listener_.on_reading(entry.connection, std::move(reading), entry.unsettled_caller, nullptr);
}

/// False: there is no helper any more.
bool ConnectionTable::put_end(const Entry& entry, Exchange::End end) {
    Moved moved;
    moved.connection = entry.number;
    moved.sequence = entry.sequence + 1;
    moved.direction = Direction::closed;
    moved.end = end;
    return queue_.put(moved, {});
}

/// It goes on as another conversation, which begins in the middle.
void ConnectionTable::renew(List::iterator entry) {
    by_number_.erase(entry->number);
    entry->number = ++last_number_;
    by_number_[entry->number] = entry;
    entry->callers.clear();
    entry->first_number = 1;
    entry->sequence = entry->sent = entry->received = 0;
    entry->earliest_ns = UINT64_MAX;
    entry->is_settled = entry->is_resumed = true;
    entry->unsettled_caller = nullptr;
}

/// Ignores sockets that are unknown or evicted. It also ignores an end that names another local port: the
/// kernel may have reused the socket's memory for a new connection before this end arrived here.
void ConnectionTable::close(uint64_t socket, uint16_t local_port) {
    const auto found = by_socket_.find(socket);
    if (found == by_socket_.end())
        return;
    const uint16_t known = found->second->connection.ends.local_port;
    if (!local_port || !known || local_port == known)
        remove(found->second, Exchange::End::closed);
    queue_.relieve();
}

/// Once the helper has said what is left to say.
void ConnectionTable::remove(List::iterator entry, Exchange::End end) {
    by_socket_.erase(entry->connection.socket);
    entry->is_ended = true;
    if (put_end(*entry, end)) {
        entry->end_order = queue_.last_number();
        return ended_.splice(ended_.end(), entries_, entry);
    }
    if (!entry->is_settled)
        give_up(*entry);
    by_number_.erase(entry->number);
    entries_.erase(entry);
}

/// One list alone may miss an open connection, because the kernel's list changes while it is read.
std::vector<Connection> ConnectionTable::ended(const OpenConnections& open, uint64_t began_ns) {
    std::vector<Connection> ended;
    for (Entry& entry : entries_) {
        const Connection& connection = entry.connection;
        const uint16_t port = connection.ends.local_port;
        const bool is_missing =
            port && entry.last_ns < began_ns && !open.has(connection.service, port, connection.netns);
        if (is_missing && entry.was_missing)
            ended.push_back(connection);
        entry.was_missing = is_missing;
    }
    return ended;
}

void ConnectionTable::tick(uint64_t now_ns) {
    while (!entries_.empty() && entries_.front().last_ns + limits_.idle_ns < now_ns)
        remove(entries_.begin(), Exchange::End::timed_out);
    bool has_unsettled = false;
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        const auto next = std::next(entry);
        has_unsettled |= !entry->is_settled;
        if (!entry->connection.ends.local_port && entry->last_ns + limits_.portless_idle_ns < now_ns)
            remove(entry, Exchange::End::timed_out);
        entry = next;
    }
    if (has_unsettled && (now_ns < looked_ns_ || now_ns - looked_ns_ >= limits_.look_ns)) {
        looked_ns_ = now_ns;
        queue_.put_time(now_ns);
    }
    queue_.turn(Route::Clock::now());
}

void ConnectionTable::finish(std::chrono::milliseconds patience) {
    while (!entries_.empty())
        remove(entries_.begin(), Exchange::End::closed);
    queue_.turn(Route::Clock::now() + patience);
    if (queue_.is_waiting())
        queue_.fail("it has not answered at the end");
}

bool ConnectionTable::take_answer(std::string_view& bytes) {
    switch (static_cast<Kind>(bytes.front())) {
    case Kind::state: {
        const auto state = packets::take<State>(bytes);
        return state && take_state(*state);
    }
    case Kind::reading: {
        auto read = http_messages::take_reading(bytes);
        return read && take_reading(std::move(*read));
    }
    case Kind::done:
        break;
    }
    return false;
}

/// Those of conversations that were given up are of no interest.
bool ConnectionTable::take_state(const State& state) {
    const auto found = by_number_.find(state.connection);
    if (found == by_number_.end())
        return state.connection <= last_number_;
    Entry& entry = *found->second;
    if (state.sequence > entry.sequence + (entry.is_ended ? 1 : 0) ||
        state.oldest > entry.first_number + entry.callers.size())
        return false;
    if (state.is_gone && state.sequence > entry.sequence) {
        ended_.erase(found->second);
        by_number_.erase(found);
        return true;
    }
    entry.is_settled = state.is_settled && state.sequence == entry.sequence;
    for (; entry.callers.size() > 1 && entry.first_number < state.oldest; ++entry.first_number)
        entry.callers.pop_front();
    return true;
}

bool ConnectionTable::take_reading(ConnectionReading&& read) {
    const auto found = by_number_.find(read.connection);
    if (found == by_number_.end())
        return read.connection <= last_number_;
    const Entry& entry = *found->second;
    Reading& reading = read.reading;
    const CallerNumber behind = entry.first_number + entry.callers.size();
    const bool is_connection = reading.kind == ImdsFacts::Kind::connection;
    const bool is_possible =
        entry.earliest_ns <= reading.time_ns && reading.time_ns <= entry.last_ns &&
        reading.latency_ns.value_or(0) <= entry.last_ns - entry.earliest_ns &&
        reading.request_body_bytes <= entry.sent && reading.response_body_bytes <= entry.received &&
        reading.response_body_missing <= reading.response_body_bytes && reading.sent <= entry.sent &&
        reading.received <= entry.received && reading.caller < behind && reading.reader < behind &&
        is_connection != (reading.has_request || reading.has_response) &&
        (reading.provider == Provider::unknown || entry.connection.providers.has(reading.provider));
    if (!is_possible)
        return false;
    const auto caller = [&](CallerNumber number) {
        return number < entry.first_number ? nullptr : entry.callers[number - entry.first_number];
    };
    if (reading.is_proved)
        proved_.note(entry.connection.netns, entry.connection.service, reading.provider);
    ++(is_connection ? conversation_counters_.without_exchange : conversation_counters_.exchanges);
    const SharedCaller asked = caller(reading.caller), answered = caller(reading.reader);
    listener_.on_reading(entry.connection, std::move(reading), asked, answered);
    return true;
}

bool ConnectionTable::on_done(const Done& done) {
    conversation_counters_.lost_positions += done.lost_positions;
    conversation_counters_.cut_heads += done.cut_heads;
    conversation_counters_.cut_bodies += done.cut_bodies;
    conversation_counters_.reported_early += done.reported_early;
    counters_.evicted += done.evicted;
    return ended_.empty() || ended_.front().end_order > done.number;
}

/// All that was not reported is lost with the helper.
void ConnectionTable::on_failure() {
    for (List* list : {&entries_, &ended_})
        for (Entry& entry : *list)
            if (!entry.is_settled)
                give_up(entry);
    for (const Entry& entry : ended_)
        by_number_.erase(entry.number);
    ended_.clear();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry)
        if (entry->sequence > 0)
            renew(entry);
}

} // namespace telemetry::imds
