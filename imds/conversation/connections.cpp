// SPDX-License-Identifier: MIT
#include "imds/conversation/connections.hpp"

#include <algorithm>

namespace telemetry::imds {
namespace {

/// io_uring's connections are reported before they have a port.
bool begins_anew(const Segment& segment, const Link& before) {
    return segment.is_aside || (segment.direction == Direction::connected && !before.ends.local_port);
}

} // namespace

void Connections::take(const Segment& segment, const Link& link, const SharedCaller& caller) {
    const auto entry = find(segment, link);
    entry->last_ns = std::max(entry->last_ns, segment.time_ns);
    entry->conversation.take(segment, caller);
    count(*entry);
    make_room();
}

/// A cookie that comes with other ends belongs to another socket: the close was missed.
Connections::List::iterator Connections::find(const Segment& segment, const Link& link) {
    const auto found = by_socket_.find(segment.socket);
    if (found != by_socket_.end()) {
        const auto entry = found->second;
        const Link& before = entry->conversation.link();
        const bool has_port = before.ends.local_port && link.ends.local_port;
        const bool is_same = !begins_anew(segment, before) && before.service == link.service &&
                             (!has_port || before.ends.local_port == link.ends.local_port);
        if (is_same) {
            entries_.splice(entries_.end(), entries_, entry);
            if (!before.ends.local_port)
                entry->conversation.set_local_port(link.ends.local_port);
            return entry;
        }
        remove(entry, Exchange::End::closed);
    }
    entries_.emplace_back(link, limits_.conversation, conversation_counters_, listener_);
    const auto entry = std::prev(entries_.end());
    by_socket_[segment.socket] = entry;
    ++counters_.opened;
    return entry;
}

/// A connection that was never seen, or was evicted, has no end either. Nor has its successor: the
/// kernel may use a socket's memory again while the end of the one before is on its way here.
void Connections::close(uint64_t socket, uint16_t local_port) {
    const auto found = by_socket_.find(socket);
    if (found == by_socket_.end())
        return;
    const uint16_t known = found->second->conversation.link().ends.local_port;
    if (!local_port || !known || local_port == known)
        remove(found->second, Exchange::End::closed);
}

/// One list alone may miss a connection: the kernel's list changes while it is read.
std::vector<Link> Connections::ended(const OpenConnections& open, uint64_t began_ns) {
    std::vector<Link> ended;
    for (Entry& entry : entries_) {
        const Link& link = entry.conversation.link();
        const uint16_t port = link.ends.local_port;
        const bool is_missing = port && entry.last_ns < began_ns && !open.has(link.service, port, link.netns);
        if (is_missing && entry.was_missing)
            ended.push_back(link);
        entry.was_missing = is_missing;
    }
    return ended;
}

void Connections::count(Entry& entry) {
    held_ -= entry.held;
    entry.held = sizeof(entry) + entry.conversation.held();
    held_ += entry.held;
}

void Connections::remove(List::iterator entry, Exchange::End end) {
    entry->conversation.finish(end);
    held_ -= entry->held;
    by_socket_.erase(entry->conversation.link().socket);
    entries_.erase(entry);
}

void Connections::make_room() {
    while (entries_.size() > 1 && (entries_.size() > limits_.connections || held_ > limits_.held_bytes)) {
        ++counters_.evicted;
        remove(entries_.begin(), Exchange::End::evicted);
    }
}

void Connections::tick(uint64_t now_ns) {
    for (Entry& entry : entries_) {
        entry.conversation.tick(now_ns);
        count(entry);
    }
    while (!entries_.empty() && entries_.front().last_ns + limits_.idle_ns < now_ns)
        remove(entries_.begin(), Exchange::End::timed_out);
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        const auto next = std::next(entry);
        const bool has_port = entry->conversation.link().ends.local_port != 0;
        if (!has_port && entry->last_ns + limits_.portless_idle_ns < now_ns)
            remove(entry, Exchange::End::timed_out);
        entry = next;
    }
}

void Connections::finish() {
    while (!entries_.empty())
        remove(entries_.begin(), Exchange::End::closed);
}

} // namespace telemetry::imds
