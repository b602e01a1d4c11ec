// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "imds/conversation/conversation_limits.hpp"
#include "imds/conversation/open_connections.hpp"
#include "imds/helper/order_queue.hpp"
#include "imds/judge/proved_providers.hpp"
#include "imds/model/caller.hpp"

namespace telemetry::imds {

/// Receives what was read of the connections.
class ReadingListener {
  public:
    virtual ~ReadingListener() = default;
    /// The callers may be null.
    virtual void on_reading(const Connection& connection, Reading&& reading, SharedCaller caller,
                            SharedCaller reader) = 0;
};

/// The open connections, by socket, and who moved their bytes. What the bytes say is read by a helper, which
/// has the conversations: its answers come later, in order. Whatever it does, they are in bounds, and what it
/// should have read and did not is reported as a connection that was not read. When there are too many
/// connections, the one that was idle longest is reported as it is and evicted.
class ConnectionTable : private OrderQueue::Listener {
  public:
    struct Limits {
        size_t connections = 4096;
        size_t held_bytes = 16u << 20;
        uint64_t idle_ns = 3600'000'000'000;        ///< then the end of a connection was missed
        uint64_t portless_idle_ns = 60'000'000'000; ///< the same, where the local port is unknown
        uint64_t look_ns = 100'000'000;             ///< so often conversations look at the clock
        ConversationLimits conversation;
        OrderQueue::Limits queue;
    };
    struct Counters {
        uint64_t opened = 0;
        uint64_t evicted = 0;         ///< because of the limits
        uint64_t helper_failures = 0; ///< reports of what was not read
    };

    ConnectionTable(const Limits& limits, bool is_unsafe, std::shared_ptr<Route> route,
                    ReadingListener& listener);

    /// Transfers have to come in order of time. The caller makes `connection` from the transfer and its
    /// endpoint.
    void take(const Transfer& transfer, const Connection& connection, const SharedCaller& caller);
    /// `local_port` 0 means any port.
    void close(uint64_t socket, uint16_t local_port = 0);
    /// The connections that are in neither this list nor the one before, and that moved nothing since
    /// `began_ns`.
    std::vector<Connection> ended(const OpenConnections& open, uint64_t began_ns);
    void tick(uint64_t now_ns);
    /// Reports everything that is still pending; waits for it no longer than this.
    void finish(std::chrono::milliseconds patience);
    /// There are answers to come.
    bool is_waiting() const { return queue_.is_waiting(); }

    size_t size() const { return by_socket_.size(); }
    const Counters& counters() const { return counters_; }
    const ConversationCounters& conversation_counters() const { return conversation_counters_; }

  private:
    struct Entry {
        uint64_t number = 0;
        Connection connection;
        uint64_t last_ns = 0;
        bool was_missing = false; ///< the last list did not have it
        bool is_ended = false;
        uint64_t end_order = 0; ///< that tells the helper so

        // of the conversation with this number
        std::deque<SharedCaller> callers;
        CallerNumber first_number = 1; ///< of the first of these
        uint64_t sequence = 0;
        bool is_settled = true;
        bool is_resumed = false;
        uint64_t earliest_ns = UINT64_MAX;
        uint64_t sent = 0, received = 0;

        // since it was settled
        SharedCaller unsettled_caller;
        uint64_t unsettled_ns = 0;

        bool is_reported = false; ///< that it is not read, since the last request
        Direction last = Direction::connected;
    };
    using List = std::list<Entry>; ///< the one that was idle longest comes first

    bool take_answer(std::string_view& bytes) override;
    bool on_done(const http_messages::Done& done) override;
    void on_failure() override;

    bool take_state(const http_messages::State& state);
    bool take_reading(http_messages::ConnectionReading&& read);
    List::iterator find(const Transfer& transfer, const Connection& connection);
    bool put(Entry& entry, const Transfer& transfer, const SharedCaller& caller);
    bool put_end(const Entry& entry, Exchange::End end);
    void give_up(Entry& entry);
    void renew(List::iterator entry);
    void remove(List::iterator entry, Exchange::End end);

    const Limits limits_;
    ReadingListener& listener_;
    List entries_, ended_; ///< ended: the helper has not said so yet
    std::unordered_map<uint64_t, List::iterator> by_socket_, by_number_;
    ProvedProviders proved_;
    uint64_t last_number_ = 0;
    uint64_t looked_ns_ = 0;
    Counters counters_;
    ConversationCounters conversation_counters_;
    OrderQueue queue_;
};

} // namespace telemetry::imds
