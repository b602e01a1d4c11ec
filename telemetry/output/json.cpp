// SPDX-License-Identifier: MIT
#include "telemetry/event/facts.hpp"
#include "telemetry/output/address.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/formats.hpp"
#include "telemetry/output/json/calls.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/head.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/output/json/linux.hpp"

namespace telemetry {
namespace {

/// One object a line, in the shape of the Elastic Common Schema; what the schema has no
/// place for is under `linux`. docs/output.md describes every field.
class JsonFormatter final : public Formatter {
  public:
    explicit JsonFormatter(const FormatContext& context);

    void format(const Event& event, std::string& out) override;
    void format(const LossEvent& loss, std::string& out) override;
    void format(const Document& document, std::string& out) override { out += document.json(); }

  private:
    void begin(uint64_t time_ns, std::string_view head);
    void put_event(const Event& event, const JsonCall* call);
    void put_id(const Event& event);
    void put_action_and_type(const Event& event, const JsonCall* call);
    void end(std::string& out);

    JsonLine line_;
    Timestamp time_;
    JsonEcs ecs_;
    JsonLinux linux_;
    std::string head_;      ///< what follows the time in the line of an event
    std::string loss_head_; ///< and of a loss
    std::string id_;        ///< the start of every event.id
    uint64_t losses_ = 0;
};

JsonFormatter::JsonFormatter(const FormatContext& context)
    : ecs_(context), linux_(context), head_(json_head(context, "events")),
      loss_head_(json_head(context, "losses")), id_(json_event_id(context)) {}

void JsonFormatter::format(const Event& event, std::string& out) {
    const JsonCall* call = event.call ? &linux_.call(*event.call) : nullptr;
    begin(event.time_ns, head_);
    put_event(event, call);
    ecs_.put_process(line_, event);
    ecs_.put_user(line_, event);
    if (event.paths)
        ecs_.put_file(line_, event);
    Ends ends;
    if (event.sockaddr.status != Status::absent || event.socket_status != Status::absent) {
        const SocketRole role = socket_role(event);
        ends = ends_of(event, role);
        ecs_.put_network(line_, event, ends, role);
    }
    linux_.put(line_, event, call, ends, ecs_);
    end(out);
}

void JsonFormatter::format(const LossEvent& loss, std::string& out) {
    begin(loss.time_ns, loss_head_);
    line_.put(id_);
    line_.put("loss-");
    line_.put_decimal(++losses_);
    line_.put(R"(","kind":"pipeline_error","action":"loss","type":["error"]})");
    linux_.put_loss(line_, loss);
    end(out);
}

void JsonFormatter::begin(uint64_t time_ns, std::string_view head) {
    line_.clear();
    line_.put("{\"@timestamp\":\"");
    time_.put(line_, time_ns);
    line_.put(head);
}

void JsonFormatter::end(std::string& out) {
    line_.put("}\n");
    out.append(line_.view());
}

void JsonFormatter::put_event(const Event& event, const JsonCall* call) {
    put_id(event);
    line_.put(",\"kind\":\"event\",");
    put_action_and_type(event, call);
    if (event.kind == EBT_EXIT) // the end of a process neither succeeds nor fails
        line_.put("]}");
    else if (event.kind == EBT_SYSCALL && (!event.returns || event.interrupted || is_pending(event.ret)))
        line_.put(R"(],"outcome":"unknown"})");
    else if (event.kind == EBT_SYSCALL && !event.success())
        line_.put(R"(],"outcome":"failure"})");
    else
        line_.put(R"(],"outcome":"success"})");
    const bool failed = event.kind == EBT_SYSCALL && event.returns && event.ret < 0;
    const std::string_view error = failed ? error_name(event.ret) : std::string_view();
    if (error.empty())
        return;
    line_.put(",\"error\":{\"code\":");
    line_.put_quoted(error);
    line_.put('}');
}

/// Unique for all time, and the same wherever and however often the event is delivered.
void JsonFormatter::put_id(const Event& event) {
    line_.put(id_);
    line_.put_decimal(event.cpu);
    line_.put('-');
    line_.put_decimal(event.slot);
    line_.put('-');
    line_.put_decimal(event.sequence);
    line_.put('"');
}

/// Up to the inside of the array event.type.
void JsonFormatter::put_action_and_type(const Event& event, const JsonCall* call) {
    if (call) {
        line_.put(call->event);
        if (call->open_flags >= 0 && !(event.missing & EBT_MISSING_ARGS))
            line_.put(ecs_open_type(event.args[static_cast<size_t>(call->open_flags)], event.success()));
        else
            line_.put(call->type);
        return;
    }
    const EcsClass is = ecs_class(event.kind);
    line_.put("\"action\":\"");
    line_.put(process_event_name(event.kind));
    if (event.kind == EBT_SYSCALL) {
        line_.put("syscall_");
        line_.put_signed(event.nr);
    }
    line_.put("\",\"category\":[");
    line_.put(is.category);
    line_.put("],\"type\":[");
    line_.put(is.type);
}

} // namespace

const Format json_format = {
    .name = "json",
    .make = [](const FormatContext& context) -> std::unique_ptr<Formatter> {
        return std::make_unique<JsonFormatter>(context);
    },
};

} // namespace telemetry
