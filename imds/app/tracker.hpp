// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "imds/conversation/connection_table.hpp"
#include "imds/conversation/open_connections.hpp"
#include "imds/conversation/transfer_queue.hpp"
#include "imds/judge/event.hpp"
#include "imds/model/endpoints.hpp"
#include "imds/model/transfer.hpp"
#include "telemetry/process/lineage.hpp"
#include "telemetry/stack/symbolizer.hpp"

namespace telemetry::imds {

/// Segments and process events go in, ImdsEvents come out. To be used by one thread.
class ImdsTracker {
  public:
    struct Options {
        Endpoints endpoints = Endpoints::built_in();
        std::string proc_root = "/proc";
        bool user_stacks = false; ///< the stacks that come with events are symbolized
        bool scrubs = true;       ///< takes secrets out of command lines; false: for --unsafe
        ConnectionTable::Limits connections;
        Lineage::Limits lineage;
        TransferQueue::Limits queue; ///< wait_ns = 0 where records come in order (a ring buffer)
    };
    struct Counters {
        uint64_t transfers = 0;
        uint64_t foreign_transfers = 0; ///< to no endpoint
        uint64_t late_transfers = 0;
        uint64_t events = 0;
        ConnectionTable::Counters connections;
        ConversationCounters conversations;
        Lineage::Counters lineage;
        Symbolizer::Counters stacks;
    };
    using Handler = std::function<void(const ImdsEvent&)>;

    ImdsTracker(Options options, Handler handler);
    ~ImdsTracker();

    /// Reads which processes run, for their ancestors. To be called once process events are captured.
    void remember_running();

    /// Every event with its image (ProcessCache::enrich): forks, execs, ends and calls show
    /// who descends from whom.
    void take(const Event& event);
    /// What a call moved. False when its far end is no endpoint.
    bool take(const Transfer& transfer);
    /// The connections that were open from `began_ns` to `ended_ns`, while they were listed. One that
    /// is missing from two lists in a row has ended.
    void take(const OpenConnections& open, uint64_t began_ns, uint64_t ended_ns);
    bool has_connections() const { return connections_.size() > 0; }
    /// To be called at least each 100 ms. The wall clock, ns since the epoch.
    void tick(uint64_t now_ns);
    /// The end: reports all that is left.
    void finish();

    Counters counters() const;
    const Endpoints& endpoints() const { return options_.endpoints; }

  private:
    class EventProducer;

    SharedCaller caller_of(const Transfer& transfer);
    void forward(const Transfer& transfer, const SharedCaller& caller);
    Connection connection_of(const Transfer& transfer, const Endpoint& endpoint) const;

    Options options_;
    std::unique_ptr<EventProducer> producer_;
    Lineage lineage_;
    ConnectionTable connections_;
    std::unique_ptr<Symbolizer> symbolizer_; ///< null: stacks are not selected
    TransferQueue queue_;
    TransferQueue::Handler forward_;
    std::map<uint32_t, SharedCaller> recent_; ///< the last few, by thread
    Counters counters_;
};

} // namespace telemetry::imds
