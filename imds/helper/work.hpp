// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "imds/conversation/conversation.hpp"
#include "imds/helper/messages.hpp"
#include "imds/judge/proved_providers.hpp"

namespace telemetry::imds {

/// What the helper for HTTP does: it has the conversations, follows them as it is told what moved, and says
/// what it has read. Their memory is bounded: the one that moved nothing for longest is reported as it is and
/// forgotten.
class HttpWork final : public ConversationListener {
  public:
    /// Takes bytes of an answer. False: nobody listens any more.
    using Sink = std::function<bool(std::string_view)>;

    explicit HttpWork(Sink sink) : sink_(std::move(sink)) {}

    /// One packet. False: it makes no sense, or the sink said so.
    bool take(std::string_view packet);

    void on_exchange(const Connection& connection, Exchange&& exchange) override;
    void on_connection(const Connection& connection, const ConnectionReport& report) override;

  private:
    struct Entry {
        Entry(const Connection& connection, const ConversationLimits& limits, ConversationCounters& counters,
              ConversationListener& listener)
            : conversation(connection, limits, counters, listener) {}
        Conversation conversation;
        Provider known = Provider::unknown;
        uint64_t sequence = 0;
        size_t held = 0;                ///< its part of held_
        http_messages::State last_sent; ///< to the program
    };
    using List = std::list<Entry>; ///< the one that moved nothing for longest comes first

    void take(const http_messages::Moved& moved, std::string_view bytes);
    List::iterator find(const http_messages::Moved& moved);
    Provider known(const Connection& connection) const;
    void tick(uint64_t now_ns);
    void count(Entry& entry);
    void tell(Entry& entry);
    void forget(List::iterator entry, Exchange::End end);
    void make_room();
    void say(uint64_t connection, Reading&& reading);
    void put(std::string_view bytes);
    void hand_over();
    http_messages::Done done();

    Sink sink_;
    http_messages::Order order_; ///< at hand
    List entries_;
    std::unordered_map<uint64_t, List::iterator> by_number_;
    ProvedProviders proved_;
    ConversationCounters counters_, told_;
    size_t held_ = 0;
    uint32_t evicted_ = 0; ///< by the order at hand
    std::string out_;
    bool is_heard_ = true;
};

} // namespace telemetry::imds
