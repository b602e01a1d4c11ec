// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "imds/app/endpoints_in_force.hpp"
#include "imds/conversation/open_connections.hpp"
#include "imds/conversation/transfer_queue.hpp"
#include "imds/helper/connection_table.hpp"
#include "imds/judge/event.hpp"
#include "imds/model/endpoints.hpp"
#include "imds/model/transfer.hpp"
#include "telemetry/process/lineage.hpp"
#include "telemetry/stack/symbolizer.hpp"

namespace telemetry::imds {

/// Makes ImdsEvents out of transfers and process events. For use by one thread.
class ImdsTracker {
  public:
    struct Options {
        Endpoints endpoints = Endpoints::built_in();
        std::string proc_root = "/proc";
        std::shared_ptr<Symbolizer>
            symbolizer;               ///< of the stacks that events carry; null: they are not selected
        std::shared_ptr<Route> route; ///< to who reads HTTP
        bool scrubs = true;           ///< remove secrets from command lines; false with --unsafe
        ConnectionTable::Limits connections;
        Lineage::Limits lineage;
        TransferQueue::Limits queue; ///< wait_ns is 0 where records arrive in order
    };
    struct Counters {
        uint64_t transfers = 0;
        uint64_t foreign_transfers = 0; ///< their remote address is not an endpoint
        uint64_t late_transfers = 0;    ///< they arrived too late to be put in order
        uint64_t events = 0;
        ConnectionTable::Counters connections;
        ConversationCounters conversations;
        Lineage::Counters lineage;
        Symbolizer::Counters stacks;
    };
    using Handler = std::function<void(const ImdsEvent&)>;
    static constexpr std::chrono::milliseconds usual_patience{2000};

    ImdsTracker(Options options, Handler handler);
    ~ImdsTracker();

    /// Reads from /proc which processes run, so that their ancestors are known. To be called once capture of
    /// process events has begun.
    void remember_running();

    /// To be called with every event, its image included (ProcessCache::enrich): the lineage of processes is
    /// built from them.
    void take(const Event& event);
    /// Returns false when the remote address of the transfer is not an endpoint.
    bool take(const Transfer& transfer);
    /// `open` was listed between `began_ns` and `ended_ns`. A connection that is missing from two lists in
    /// a row has ended.
    void take(const OpenConnections& open, uint64_t began_ns, uint64_t ended_ns);
    bool has_connections() const { return connections_.size() > 0; }
    /// To be called at least every 100 ms with the wall clock in ns since the epoch.
    void tick(uint64_t now_ns);
    /// Reports everything that is still pending; waits for what the helper has read of it no longer than
    /// this.
    void finish(std::chrono::milliseconds patience = usual_patience);
    /// The helper has not answered everything.
    bool is_waiting() const { return connections_.is_waiting(); }

    Counters counters() const;
    const Endpoints& endpoints() const { return endpoints_.now(); }
    /// Transfers from `from_ns` on, of the wall clock in ns since the epoch, are judged by these.
    void change_endpoints(Endpoints next, uint64_t from_ns) { endpoints_.change(std::move(next), from_ns); }

  private:
    class EventProducer;

    SharedCaller caller_of(const Transfer& transfer);
    void forward(const Transfer& transfer, const SharedCaller& caller);
    Connection connection_of(const Transfer& transfer, const Endpoint& endpoint) const;

    Options options_;
    EndpointsInForce endpoints_;
    std::unique_ptr<EventProducer> producer_;
    Lineage lineage_;
    ConnectionTable connections_;
    TransferQueue queue_;
    TransferQueue::Handler forward_;
    std::map<uint32_t, SharedCaller> recent_; ///< the most recent callers, by thread id
    Counters counters_;
};

} // namespace telemetry::imds
