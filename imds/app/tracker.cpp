// SPDX-License-Identifier: MIT
#include "imds/app/tracker.hpp"

#include "imds/judge/redactor.hpp"

namespace telemetry::imds {
namespace {

constexpr size_t recent_callers = 64;
constexpr size_t most_proved = 4096;

} // namespace

/// Makes events of what conversations report, and remembers what endpoints proved to be.
class ImdsTracker::EventProducer final : public ConversationListener {
  public:
    EventProducer(Handler handler, bool scrubs) : handler_(std::move(handler)), redactor_(scrubs) {}

    void on_exchange(const Link& link, Exchange&& exchange) override {
        bool is_proved = false;
        const ImdsEvent event = redactor_.event_of(link, std::move(exchange), known(link), is_proved);
        if (is_proved && proved_.size() < most_proved)
            proved_[{link.netns, link.service}] = event.provider;
        report(event);
    }
    void on_contact(const Link& link, Contact&& contact) override {
        report(redactor_.event_of(link, std::move(contact), known(link)));
    }
    uint64_t events() const { return events_; }

  private:
    Provider known(const Link& link) const {
        const auto found = proved_.find({link.netns, link.service});
        return found == proved_.end() ? Provider::unknown : found->second;
    }
    void report(const ImdsEvent& event) {
        ++events_;
        handler_(event);
    }

    Handler handler_;
    Redactor redactor_;
    std::map<std::pair<uint32_t, ServiceAddress>, Provider> proved_;
    uint64_t events_ = 0;
};

ImdsTracker::ImdsTracker(Options options, Handler handler)
    : options_(std::move(options)),
      producer_(std::make_unique<EventProducer>(std::move(handler), options_.scrubs)),
      lineage_(options_.proc_root, options_.lineage), connections_(options_.connections, *producer_),
      symbolizer_(options_.user_stacks ? std::make_unique<Symbolizer>(options_.proc_root) : nullptr),
      queue_(options_.queue),
      forward_([this](const Segment& segment, const SharedCaller& caller) { forward(segment, caller); }) {}

ImdsTracker::~ImdsTracker() = default;

void ImdsTracker::remember_running() {
    lineage_.remember_running();
}

void ImdsTracker::take(const Event& event) {
    lineage_.note(event);
}

bool ImdsTracker::take(const Segment& segment) {
    ++counters_.segments;
    if (segment.direction == Direction::closed) { // its remote address may not be known any more
        queue_.put(segment, nullptr, forward_);
        return true;
    }
    if (!options_.endpoints.find(remote_address(segment.ends))) {
        ++counters_.foreign_segments;
        return false;
    }
    queue_.put(segment, caller_of(segment), forward_);
    return true;
}

/// Ended connections go through the queue, behind the segments that they moved last.
void ImdsTracker::take(const OpenConnections& open, uint64_t began_ns, uint64_t ended_ns) {
    for (const Link& link : connections_.ended(open, began_ns)) {
        Segment segment;
        segment.direction = Direction::closed;
        segment.time_ns = ended_ns;
        segment.socket = link.socket;
        segment.netns = link.netns;
        segment.ends = link.ends;
        take(segment);
    }
}

void ImdsTracker::tick(uint64_t now_ns) {
    queue_.tick(now_ns, forward_);
    connections_.tick(now_ns);
}

void ImdsTracker::finish() {
    queue_.finish(forward_);
    connections_.finish();
}

void ImdsTracker::forward(const Segment& segment, const SharedCaller& caller) {
    if (segment.direction == Direction::closed)
        return connections_.close(segment.socket, segment.ends.local_port);
    if (const Endpoint* endpoint = options_.endpoints.find(remote_address(segment.ends)))
        connections_.take(segment, link_of(segment, *endpoint), caller);
}

Link ImdsTracker::link_of(const Segment& segment, const Endpoint& endpoint) const {
    return {segment.socket, segment.netns, segment.ends, endpoint.address, endpoint.providers};
}

/// A copy of what is known of the caller now. Calls of a thread that follow one another share it.
SharedCaller ImdsTracker::caller_of(const Segment& segment) {
    Event ids;
    ids.pid = segment.pid;
    ids.tid = segment.tid;
    ids.start_time_ns = segment.start_time_ns;
    ids.missing = EBT_MISSING_PPID | EBT_MISSING_CREDENTIALS | EBT_MISSING_AUDIT | EBT_MISSING_EXEC_ID;
    const Event& event = segment.process ? *segment.process : ids;
    const auto recent = recent_.find(segment.tid);
    const bool has_stack = symbolizer_ && event.user_stack_status == Status::ok;
    if (recent != recent_.end() && !has_stack && recent->second->user_stack.frames.empty() &&
        is_same_process(recent->second->process.event(), event))
        return recent->second;
    auto caller = std::make_shared<Caller>(event);
    caller->is_known = segment.process != nullptr;
    if (has_stack)
        caller->user_stack = symbolizer_->symbolize(event);
    if (segment.process)
        caller->lineage = lineage_.find(event);
    if (caller->lineage)
        caller->facts = caller->lineage->facts;
    if (recent_.size() >= recent_callers)
        recent_.clear();
    recent_[segment.tid] = caller;
    return caller;
}

ImdsTracker::Counters ImdsTracker::counters() const {
    Counters counters = counters_;
    counters.late_segments = queue_.late();
    counters.events = producer_->events();
    counters.connections = connections_.counters();
    counters.conversations = connections_.conversation_counters();
    counters.lineage = lineage_.counters();
    if (symbolizer_)
        counters.stacks = symbolizer_->counters();
    return counters;
}

} // namespace telemetry::imds
