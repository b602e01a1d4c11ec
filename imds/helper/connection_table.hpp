// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "imds/conversation/conversation.hpp"
#include "imds/conversation/open_connections.hpp"

namespace telemetry::imds {

/// The open connections with their conversations, by socket. When there are too many, or they use too much
/// memory, the one that was idle longest is reported as it is and evicted.
class ConnectionTable {
  public:
    struct Limits {
        size_t connections = 4096;
        size_t held_bytes = 16u << 20;
        uint64_t idle_ns = 3600'000'000'000;        ///< then the end of a connection was missed
        uint64_t portless_idle_ns = 60'000'000'000; ///< the same, where the local port is unknown
        ConversationLimits conversation;
    };
    struct Counters {
        uint64_t opened = 0;
        uint64_t evicted = 0; ///< because of the limits
    };

    ConnectionTable(const Limits& limits, ConversationListener& listener)
        : limits_(limits), listener_(listener) {}

    /// Transfers have to come in order of time. The caller makes `connection` from the transfer and its
    /// endpoint.
    void take(const Transfer& transfer, const Connection& connection, const SharedCaller& caller);
    /// `local_port` 0 means any port.
    void close(uint64_t socket, uint16_t local_port = 0);
    /// The connections that are in neither this list nor the one before, and that moved nothing since
    /// `began_ns`.
    std::vector<Connection> ended(const OpenConnections& open, uint64_t began_ns);
    void tick(uint64_t now_ns);
    /// Reports everything that is still pending.
    void finish();

    size_t size() const { return by_socket_.size(); }
    size_t held() const { return held_; }
    const Counters& counters() const { return counters_; }
    const ConversationCounters& conversation_counters() const { return conversation_counters_; }

  private:
    struct Entry {
        Entry(const Connection& connection, const ConversationLimits& limits, ConversationCounters& counters,
              ConversationListener& listener)
            : conversation(connection, limits, counters, listener) {}
        Conversation conversation;
        uint64_t last_ns = 0;
        size_t held = 0;          ///< its part of held_
        bool was_missing = false; ///< the last list did not have it
    };
    using List = std::list<Entry>; ///< the one that was idle longest comes first

    List::iterator find(const Transfer& transfer, const Connection& connection);
    void count(Entry& entry);
    void remove(List::iterator entry, Exchange::End end);
    void make_room();

    const Limits limits_;
    ConversationListener& listener_;
    List entries_;
    std::unordered_map<uint64_t, List::iterator> by_socket_;
    size_t held_ = 0;
    Counters counters_;
    ConversationCounters conversation_counters_;
};

} // namespace telemetry::imds
