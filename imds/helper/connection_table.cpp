// SPDX-License-Identifier: MIT
#include "imds/conversation/connection_table.hpp"

#include <algorithm>

namespace telemetry::imds {
namespace {

/// Is it a new connection of the same socket? Those of io_uring are reported before they have a local port.
bool begins_anew(const Transfer& transfer, const Connection& before) {
    return transfer.is_io_uring || (transfer.direction == Direction::connected && !before.ends.local_port);
}

} // namespace

void ConnectionTable::take(const Transfer& transfer, const Connection& connection,
                           const SharedCaller& caller) {
    const auto entry = find(transfer, connection);
    entry->last_ns = std::max(entry->last_ns, transfer.time_ns);
    entry->conversation.take(transfer, caller);
    count(*entry);
    make_room();
}

/// A known socket with other addresses is a new one in the same memory: the end of the old one was missed.
ConnectionTable::List::iterator ConnectionTable::find(const Transfer& transfer,
                                                      const Connection& connection) {
    const auto found = by_socket_.find(transfer.socket);
    if (found != by_socket_.end()) {
        const auto entry = found->second;
        const Connection& before = entry->conversation.connection();
        const bool has_port = before.ends.local_port && connection.ends.local_port;
        const bool is_same = !begins_anew(transfer, before) && before.service == connection.service &&
                             (!has_port || before.ends.local_port == connection.ends.local_port);
        if (is_same) {
            entries_.splice(entries_.end(), entries_, entry);
            if (!before.ends.local_port)
                entry->conversation.set_local_port(connection.ends.local_port);
            return entry;
        }
        remove(entry, Exchange::End::closed);
    }
    entries_.emplace_back(connection, limits_.conversation, conversation_counters_, listener_);
    const auto entry = std::prev(entries_.end());
    by_socket_[transfer.socket] = entry;
    ++counters_.opened;
    return entry;
}

/// Ignores sockets that are unknown or evicted. It also ignores an end that names another local port: the
/// kernel may have reused the socket's memory for a new connection before this end arrived here.
void ConnectionTable::close(uint64_t socket, uint16_t local_port) {
    const auto found = by_socket_.find(socket);
    if (found == by_socket_.end())
        return;
    const uint16_t known = found->second->conversation.connection().ends.local_port;
    if (!local_port || !known || local_port == known)
        remove(found->second, Exchange::End::closed);
}

/// One list alone may miss an open connection, because the kernel's list changes while it is read.
std::vector<Connection> ConnectionTable::ended(const OpenConnections& open, uint64_t began_ns) {
    std::vector<Connection> ended;
    for (Entry& entry : entries_) {
        const Connection& connection = entry.conversation.connection();
        const uint16_t port = connection.ends.local_port;
        const bool is_missing =
            port && entry.last_ns < began_ns && !open.has(connection.service, port, connection.netns);
        if (is_missing && entry.was_missing)
            ended.push_back(connection);
        entry.was_missing = is_missing;
    }
    return ended;
}

void ConnectionTable::count(Entry& entry) {
    held_ -= entry.held;
    entry.held = sizeof(entry) + entry.conversation.held();
    held_ += entry.held;
}

void ConnectionTable::remove(List::iterator entry, Exchange::End end) {
    entry->conversation.finish(end);
    held_ -= entry->held;
    by_socket_.erase(entry->conversation.connection().socket);
    entries_.erase(entry);
}

void ConnectionTable::make_room() {
    while (entries_.size() > 1 && (entries_.size() > limits_.connections || held_ > limits_.held_bytes)) {
        ++counters_.evicted;
        remove(entries_.begin(), Exchange::End::evicted);
    }
}

void ConnectionTable::tick(uint64_t now_ns) {
    for (Entry& entry : entries_) {
        entry.conversation.tick(now_ns);
        count(entry);
    }
    while (!entries_.empty() && entries_.front().last_ns + limits_.idle_ns < now_ns)
        remove(entries_.begin(), Exchange::End::timed_out);
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        const auto next = std::next(entry);
        const bool has_port = entry->conversation.connection().ends.local_port != 0;
        if (!has_port && entry->last_ns + limits_.portless_idle_ns < now_ns)
            remove(entry, Exchange::End::timed_out);
        entry = next;
    }
}

void ConnectionTable::finish() {
    while (!entries_.empty())
        remove(entries_.begin(), Exchange::End::closed);
}

} // namespace telemetry::imds
