// SPDX-License-Identifier: MIT
#include "imds/helper/work.hpp"

#include <algorithm>

#include "imds/helper/serve.hpp"
#include "imds/judge/redactor.hpp"

namespace telemetry::imds {
namespace {

using namespace http_messages;

constexpr size_t answer_bytes = 64 * 1024; ///< so many are sent together

} // namespace

bool HttpWork::take(std::string_view packet) {
    const auto order = packets::take<Order>(packet);
    if (!order)
        return false;
    order_ = *order;
    evicted_ = 0;
    while (!packet.empty()) {
        const auto moved = packets::take<Moved>(packet);
        if (!moved || moved->bytes > packet.size())
            return false;
        take(*moved, packet.substr(0, moved->bytes));
        packet.remove_prefix(moved->bytes);
    }
    if (order_.now_ns)
        tick(order_.now_ns);
    put(bytes_of(done()));
    hand_over();
    return is_heard_;
}

void HttpWork::take(const Moved& moved, std::string_view bytes) {
    const auto entry = find(moved);
    entry->sequence = moved.sequence;
    entry->known = moved.known;
    if (moved.direction == Direction::closed)
        return forget(entry, moved.end);
    Transfer transfer;
    transfer.time_ns = moved.time_ns;
    transfer.direction = moved.direction;
    transfer.is_io_uring = moved.is_io_uring;
    transfer.length = moved.length;
    transfer.bytes = std::as_bytes(std::span(bytes.data(), bytes.size()));
    entry->conversation.take(transfer, moved.caller);
    count(*entry);
    tell(*entry);
    make_room();
}

HttpWork::List::iterator HttpWork::find(const Moved& moved) {
    if (const auto found = by_number_.find(moved.connection); found != by_number_.end()) {
        entries_.splice(entries_.end(), entries_, found->second);
        return found->second;
    }
    Connection connection;
    connection.socket = moved.connection; // all that is needed of it is that it differs
    connection.netns = moved.netns;
    connection.service = moved.service;
    connection.providers = moved.providers;
    entries_.emplace_back(connection, order_.conversation, counters_, *this);
    const auto entry = std::prev(entries_.end());
    entry->last_sent.connection = moved.connection;
    if (moved.is_resumed)
        entry->conversation.begin_in_the_middle();
    by_number_[moved.connection] = entry;
    return entry;
}

void HttpWork::count(Entry& entry) {
    held_ -= entry.held;
    entry.held = sizeof(entry) + entry.conversation.held();
    held_ += entry.held;
}

/// What has changed.
void HttpWork::tell(Entry& entry) {
    State state;
    state.connection = entry.last_sent.connection;
    state.sequence = entry.sequence;
    state.is_settled = entry.conversation.is_settled();
    state.oldest = entry.conversation.oldest_caller();
    const State& last = entry.last_sent;
    if (state.sequence == last.sequence && state.is_settled == last.is_settled && state.oldest == last.oldest)
        return;
    entry.last_sent = state;
    put(bytes_of(state));
}

void HttpWork::forget(List::iterator entry, Exchange::End end) {
    entry->conversation.finish(end);
    State state = entry->last_sent;
    state.sequence = entry->sequence;
    state.is_settled = state.is_gone = 1;
    state.oldest = 0;
    put(bytes_of(state));
    held_ -= entry->held;
    by_number_.erase(state.connection);
    entries_.erase(entry);
}

void HttpWork::make_room() {
    while (entries_.size() > 1 && held_ > order_.held_bytes) {
        ++evicted_;
        forget(entries_.begin(), Exchange::End::evicted);
    }
}

void HttpWork::tick(uint64_t now_ns) {
    for (Entry& entry : entries_) {
        entry.conversation.tick(now_ns);
        count(entry);
        tell(entry);
    }
}

Provider HttpWork::known(const Connection& connection) const {
    const Provider found = proved_.find(connection.netns, connection.service);
    return found != Provider::unknown ? found : by_number_.at(connection.socket)->known;
}

void HttpWork::on_exchange(const Connection& connection, Exchange&& exchange) {
    Reading reading =
        Redactor(order_.is_unsafe).read(connection.providers, std::move(exchange), known(connection));
    if (reading.is_proved)
        proved_.note(connection.netns, connection.service, reading.provider);
    say(connection.socket, std::move(reading));
}

void HttpWork::on_connection(const Connection& connection, const ConnectionReport& report) {
    say(connection.socket, Redactor::read(connection.providers, report, known(connection)));
}

void HttpWork::say(uint64_t connection, Reading&& reading) {
    put(packed(connection, reading));
}

void HttpWork::put(std::string_view bytes) {
    if (out_.size() + bytes.size() > answer_bytes)
        hand_over();
    out_.append(bytes);
}

void HttpWork::hand_over() {
    if (!out_.empty())
        is_heard_ = is_heard_ && sink_(out_);
    out_.clear();
}

/// What was counted since this was told.
Done HttpWork::done() {
    const ConversationCounters before = std::exchange(told_, counters_);
    const auto since = [](uint64_t now, uint64_t then) { return static_cast<uint32_t>(now - then); };
    return {.number = order_.number,
            .lost_positions = since(counters_.lost_positions, before.lost_positions),
            .cut_heads = since(counters_.cut_heads, before.cut_heads),
            .cut_bodies = since(counters_.cut_bodies, before.cut_bodies),
            .reported_early = since(counters_.reported_early, before.reported_early),
            .evicted = evicted_};
}

void serve_http(Channel& channel) {
    HttpWork work([&channel](std::string_view bytes) { return channel.send_waiting(bytes); });
    for (Packet packet;
         channel.receive(packet, Channel::Clock::time_point::max()) == Channel::Outcome::packet;)
        if (!work.take(packet.bytes))
            return;
}

} // namespace telemetry::imds
