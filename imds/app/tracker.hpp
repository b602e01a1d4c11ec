// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "imds/conversation/connections.hpp"
#include "imds/conversation/open_connections.hpp"
#include "imds/conversation/segment_queue.hpp"
#include "imds/judge/imds_event.hpp"
#include "imds/model/endpoints.hpp"
#include "imds/model/segment.hpp"
#include "telemetry/process/lineage.hpp"
#include "telemetry/stack/stack_reader.hpp"

namespace telemetry::imds {

/// All of it: segments and process events go in, ImdsEvents come out. One thread.
class ImdsTracker {
  public:
    struct Options {
        Endpoints endpoints = Endpoints::built_in();
        std::string proc_root = "/proc";
        bool user_stacks = false; ///< tells names of the stacks that come with events
        bool scrubs = true;       ///< takes secrets out of command lines; false: for --unsafe
        Connections::Limits connections;
        Lineage::Limits lineage;
        SegmentQueue::Limits queue; ///< wait_ns = 0 where records come in order (a ring buffer)
    };
    struct Counters {
        uint64_t segments = 0;
        uint64_t foreign_segments = 0; ///< to no endpoint
        uint64_t late_segments = 0;
        uint64_t events = 0;
        Connections::Counters connections;
        ConversationCounters conversations;
        Lineage::Counters lineage;
    };
    using Handler = std::function<void(const ImdsEvent&)>;

    ImdsTracker(Options options, Handler handler);
    ~ImdsTracker();

    /// Reads which processes run, for their ancestors. Once process events are being seen.
    void remember_running();

    /// Every event with its image (ProcessCache::enrich): forks, execs, ends and calls tell who
    /// descends from whom.
    void take(const Event& event);
    /// What a call moved. False when its far end is no endpoint.
    bool take(const Segment& segment);
    /// What a look found that took from `began_ns` to `ended_ns`. A connection that two looks in a
    /// row did not find has ended.
    void take(const OpenConnections& open, uint64_t began_ns, uint64_t ended_ns);
    bool has_connections() const { return connections_.size() > 0; }
    /// From time to time, at least each 100 ms: the wall clock, ns since the epoch.
    void tick(uint64_t now_ns);
    /// The end: tells all that is left.
    void finish();

    Counters counters() const;
    const Endpoints& endpoints() const { return options_.endpoints; }

  private:
    class Teller;

    std::shared_ptr<const Caller> caller_of(const Segment& segment);
    void conduct(const Segment& segment, const std::shared_ptr<const Caller>& by);
    Link link_of(const Segment& segment, const Endpoint& endpoint) const;

    Options options_;
    std::unique_ptr<Teller> teller_;
    Lineage lineage_;
    Connections connections_;
    std::unique_ptr<StackReader> stacks_; ///< null: not asked for
    SegmentQueue queue_;
    SegmentQueue::Handler conduct_;
    std::map<uint32_t, std::shared_ptr<const Caller>> recent_; ///< by thread, a few
    Counters counters_;
};

} // namespace telemetry::imds
