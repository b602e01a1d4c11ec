// SPDX-License-Identifier: MIT
#include "imds/app/tracker.hpp"

#include "imds/judge/event_maker.hpp"
#include "telemetry/process/procfs.hpp"

namespace telemetry::imds {
namespace {

constexpr size_t recent_callers = 64;

/// Of process 1. 0: not known.
uint32_t machine_netns(const std::string& proc_root) {
    return Procfs(proc_root).namespace_of(1, "net");
}

} // namespace

/// Makes ImdsEvents of what was read of connections.
class ImdsTracker::EventProducer final : public ReadingListener {
  public:
    EventProducer(Handler handler, bool scrubs, uint32_t machine_netns)
        : handler_(std::move(handler)), maker_(scrubs, machine_netns) {}

    void on_reading(const Connection& connection, Reading&& reading, SharedCaller caller,
                    SharedCaller reader) override {
        if (reading.connection_content == ConnectionReport::Content::unread)
            maker_.missed(connection.netns, reading.time_ns);
        ++events_;
        handler_(maker_.event_of(connection, std::move(reading), std::move(caller), std::move(reader)));
    }
    uint64_t events() const { return events_; }

  private:
    Handler handler_;
    EventMaker maker_;
    uint64_t events_ = 0;
};

ImdsTracker::ImdsTracker(Options options, Handler handler)
    : options_(std::move(options)), endpoints_(std::exchange(options_.endpoints, {})),
      producer_(std::make_unique<EventProducer>(std::move(handler), options_.scrubs,
                                                machine_netns(options_.proc_root))),
      lineage_(options_.proc_root, options_.lineage),
      connections_(options_.connections, !options_.scrubs, std::move(options_.route), *producer_),
      queue_(options_.queue),
      forward_([this](const Transfer& transfer, const SharedCaller& caller) { forward(transfer, caller); }) {}

ImdsTracker::~ImdsTracker() = default;

void ImdsTracker::remember_running() {
    lineage_.remember_running();
}

void ImdsTracker::take(const Event& event) {
    lineage_.note(event);
}

bool ImdsTracker::take(const Transfer& transfer) {
    ++counters_.transfers;
    if (transfer.direction == Direction::closed) { // its remote address may be unknown by now
        queue_.put(transfer, nullptr, forward_);
        return true;
    }
    if (!endpoints_.find(remote_address(transfer.ends), transfer.time_ns)) {
        ++counters_.foreign_transfers;
        return false;
    }
    queue_.put(transfer, caller_of(transfer), forward_);
    return true;
}

/// The ends of connections go through the queue too, so that they come after the last transfers.
void ImdsTracker::take(const OpenConnections& open, uint64_t began_ns, uint64_t ended_ns) {
    for (const Connection& connection : connections_.ended(open, began_ns)) {
        Transfer transfer;
        transfer.direction = Direction::closed;
        transfer.time_ns = ended_ns;
        transfer.socket = connection.socket;
        transfer.netns = connection.netns;
        transfer.ends = connection.ends;
        take(transfer);
    }
}

void ImdsTracker::tick(uint64_t now_ns) {
    queue_.tick(now_ns, forward_);
    connections_.tick(now_ns);
}

void ImdsTracker::finish(std::chrono::milliseconds patience) {
    queue_.finish(forward_);
    connections_.finish(patience);
}

void ImdsTracker::forward(const Transfer& transfer, const SharedCaller& caller) {
    if (transfer.direction == Direction::closed)
        return connections_.close(transfer.socket, transfer.ends.local_port);
    if (const Endpoint* endpoint = endpoints_.find(remote_address(transfer.ends), transfer.time_ns))
        connections_.take(transfer, connection_of(transfer, *endpoint), caller);
}

Connection ImdsTracker::connection_of(const Transfer& transfer, const Endpoint& endpoint) const {
    return {transfer.socket, transfer.netns, transfer.ends, endpoint.address, endpoint.providers};
}

/// Copies what is known of the caller now. Consecutive calls of one thread share the copy.
SharedCaller ImdsTracker::caller_of(const Transfer& transfer) {
    Event ids;
    ids.pid = transfer.pid;
    ids.tid = transfer.tid;
    ids.start_time_ns = transfer.start_time_ns;
    ids.missing = EBT_MISSING_PPID | EBT_MISSING_CREDENTIALS | EBT_MISSING_AUDIT | EBT_MISSING_EXEC_ID;
    const Event& event = transfer.process ? *transfer.process : ids;
    const auto recent = recent_.find(transfer.tid);
    const bool has_stack = options_.symbolizer && event.user_stack_status == Status::ok;
    if (recent != recent_.end() && !has_stack && recent->second->user_stack.frames.empty() &&
        is_same_process(recent->second->process.event(), event))
        return recent->second;
    auto caller = std::make_shared<Caller>(event);
    caller->is_known = transfer.process != nullptr;
    if (has_stack)
        caller->user_stack = options_.symbolizer->symbolize(event);
    if (transfer.process)
        caller->lineage = lineage_.find(event);
    if (caller->lineage)
        caller->facts = caller->lineage->facts;
    if (recent_.size() >= recent_callers)
        recent_.clear();
    recent_[transfer.tid] = caller;
    return caller;
}

ImdsTracker::Counters ImdsTracker::counters() const {
    Counters counters = counters_;
    counters.late_transfers = queue_.late();
    counters.events = producer_->events();
    counters.connections = connections_.counters();
    counters.conversations = connections_.conversation_counters();
    counters.lineage = lineage_.counters();
    if (options_.symbolizer)
        counters.stacks = options_.symbolizer->counters();
    return counters;
}

} // namespace telemetry::imds
