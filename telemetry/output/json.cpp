// SPDX-License-Identifier: MIT
#include <array>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/formats.hpp"
#include "telemetry/output/json/calls.hpp"
#include "telemetry/output/json/container.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/fields/said.hpp"
#include "telemetry/output/json/head.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/output/json/linux.hpp"
#include "telemetry/output/json/process.hpp"
#include "telemetry/output/network/address.hpp"
#include "telemetry/output/remarks.hpp"

namespace telemetry {
namespace {

FieldSet with_thread_name(const FieldChoice& fields) {
    FieldSet set = fields.rest;
    if (fields.whole.has(Field::process_thread_name))
        set.add(Field::process_thread_name);
    set.add_objects();
    return set;
}

/// One object a line, in the shape of the Elastic Common Schema; what the schema has no
/// place for is under `linux`. docs/output.md describes every field.
class JsonFormatter final : public Formatter {
  public:
    explicit JsonFormatter(const FormatContext& context);

    void format(const Event& event, std::string& out) override;
    void format(const LossEvent& loss, std::string& out) override;
    void format(const Document& document, std::string& out) override { out += document.json(); }
    void format_heartbeat(const Heartbeat& heartbeat, std::string& out) override;
    void format_checkpoint(const Checkpoint& checkpoint, std::string& out) override;

  private:
    /// Of a line that says all that is chosen, or of one that leaves out what lines before have said.
    struct Parts {
        FieldSet fields;
        std::string head; ///< what follows the time in the line of an event
    };

    const Parts& parts_of(JsonSaid::Known known) const;
    void begin(uint64_t time_ns, std::string_view head);
    void put_event(const Event& event, const JsonCall* call);
    void put_id(const Event& event);
    void put_span(uint64_t first_ns, uint64_t last_ns);
    void put_class(const Event& event, const JsonCall* call);
    void put_unknown_call(const Event& event);
    void end(std::string& out);

    JsonLine line_;
    Timestamp time_;
    JsonProcess process_;
    JsonLinux linux_;
    CommunityId community_id_;
    CurrentContainers containers_;
    const ImageNamespaces first_;
    const Parts whole_, rest_, rest_and_name_;             ///< the last: of a thread that has another name
    std::unique_ptr<JsonSaid> said_;                       ///< null: each line says all
    std::string loss_head_;                                ///< what follows the time in the line of a loss
    std::string state_head_;                               ///< and of a heartbeat
    std::string id_;                                       ///< the start of every event.id
    std::array<std::string, 4> opened_;                    ///< what was done, by Opened
    std::array<std::string, EBT_EXIT + 1> process_events_; ///< with event.code
    uint64_t losses_ = 0;
};

JsonFormatter::JsonFormatter(const FormatContext& context)
    : process_(context), linux_(context), containers_(context.containers),
      first_(context.first), whole_{context.fields.whole, json_head(context, "events", context.fields.whole)},
      rest_{context.fields.rest, json_head(context, "events", context.fields.rest)},
      rest_and_name_{with_thread_name(context.fields), rest_.head},
      said_(context.fields.rest == context.fields.whole ? nullptr : std::make_unique<JsonSaid>()),
      loss_head_(json_head(context, "losses")), state_head_(json_head(context, "state")),
      id_(json_event_id(context)) {
    for (size_t i = 0; i < opened_.size(); ++i)
        opened_[i] = json_class(ecs_class(static_cast<Opened>(i)), {}, whole_.fields);
    for (const ebt_record_kind kind : {EBT_FORK, EBT_EXEC, EBT_EXIT})
        process_events_[kind] = json_code(process_event_name(kind), whole_.fields) +
                                json_class(ecs_class(kind), {}, whole_.fields);
}

const JsonFormatter::Parts& JsonFormatter::parts_of(JsonSaid::Known known) const {
    switch (known) {
    case JsonSaid::Known::all:
        return rest_;
    case JsonSaid::Known::all_but_thread_name:
        return rest_and_name_;
    default:
        return whole_;
    }
}

void JsonFormatter::format(const Event& event, std::string& out) {
    const JsonCall* call = event.call ? &linux_.call(*event.call) : nullptr;
    const Parts& parts = said_ ? parts_of(said_->look(event)) : whole_;
    line_.select(parts.fields);
    begin(event.time_ns, parts.head);
    line_.notes.set_foreign(is_elsewhere(event.image.namespaces.mnt, first_.mnt));
    put_event(event, call);
    process_.put(line_, event);
    if (line_.wants(Field::user) || line_.wants(Field::group))
        process_.put_user(line_, event);
    if (event.lineage) {
        const Container& container = event.lineage->facts.container;
        const ContainerNames* names = container.id.empty() ? nullptr : containers_.names(container.id);
        put_json_container(line_, container, names);
        put_json_pod(line_, container, names);
    }
    if (event.paths && line_.wants(Field::file))
        put_json_file(line_, event, process_);
    Ends ends;
    if (event.sockaddr.status != Status::absent || event.socket_status != Status::absent) {
        const SocketRole role = socket_role(event);
        ends = ends_of(event, role);
        put_json_network(line_, event, ends, role, &community_id_);
    }
    if (line_.wants(Field::linux))
        linux_.put(line_, event, call, ends, process_);
    if (!event.key.empty() && line_.wants(Field::tags)) {
        line_.put(",\"tags\":[\"");
        put_json_escaped(line_, event.key);
        line_.put("\"]");
    }
    end(out);
}

void JsonFormatter::format(const LossEvent& loss, std::string& out) {
    line_.select(FieldSet::all()); // a loss is reported whole, whatever is chosen
    begin(loss.time_ns, loss_head_);
    line_.put(id_);
    line_.put("loss-");
    line_.put_decimal(++losses_);
    line_.put(R"(","kind":"pipeline_error","action":"loss","type":["error"]})");
    linux_.put_loss(line_, loss);
    end(out);
}

void JsonFormatter::format_heartbeat(const Heartbeat& heartbeat, std::string& out) {
    line_.select(FieldSet::all());
    begin(heartbeat.time_ns, state_head_);
    line_.put(id_);
    line_.put("heartbeat-");
    line_.put_decimal(heartbeat.number);
    line_.put(R"(","kind":"state","action":"heartbeat","category":["host"],"type":["info"]})");
    linux_.put_heartbeat(line_, heartbeat);
    end(out);
}

/// Each output has its own, so its name is part of the id.
void JsonFormatter::format_checkpoint(const Checkpoint& checkpoint, std::string& out) {
    line_.select(FieldSet::all());
    begin(checkpoint.time_ns, state_head_);
    line_.put(id_);
    line_.put("checkpoint-");
    line_.put(checkpoint.output);
    line_.put('-');
    line_.put_decimal(checkpoint.number);
    line_.put(R"(","kind":"state","action":"checkpoint","category":["host"],"type":["info"]})");
    linux_.put_checkpoint(line_, checkpoint);
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
    put_class(event, call);
    if (event.fold)
        put_span(event.fold->first_ns, event.time_ns);
    static constexpr std::string_view outcomes[] = {R"(,"outcome":"success"})", R"(,"outcome":"failure"})",
                                                    R"(,"outcome":"unknown"})"};
    line_.put(outcomes[static_cast<size_t>(outcome_of(event))]);
    if (!line_.wants(Field::error))
        return;
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

/// Of identical events that one stands for.
void JsonFormatter::put_span(uint64_t first_ns, uint64_t last_ns) {
    const auto put = [this](Field field, std::string_view before, uint64_t time_ns) {
        if (!line_.wants(field))
            return;
        line_.put(before);
        time_.put(line_, time_ns);
        line_.put('"');
    };
    put(Field::event_start, ",\"start\":\"", first_ns);
    put(Field::event_end, ",\"end\":\"", last_ns);
}

/// What was done, as the schema files it.
void JsonFormatter::put_class(const Event& event, const JsonCall* call) {
    if (call) {
        line_.put(std::string_view(call->code));
        const bool has_failed = event.returns && (event.ret < 0 || !event.executed) && !is_pending(event.ret);
        if (call->is_open && event.success())
            line_.put(std::string_view(opened_[static_cast<size_t>(what_open_did(event, call->open_flags))]));
        else
            line_.put(std::string_view(has_failed ? call->failed : call->done));
        return;
    }
    if (event.kind == EBT_SYSCALL || event.kind == EBT_TRANSFER)
        put_unknown_call(event);
    else
        line_.put(std::string_view(process_events_[event.kind]));
}

void JsonFormatter::put_unknown_call(const Event& event) {
    const std::string name = "syscall_" + std::to_string(event.nr);
    line_.put(json_code(name, whole_.fields));
    line_.put(json_class(ecs_class(event.kind), name, whole_.fields));
}

} // namespace

const Format json_format = {
    .name = "json",
    .shows_lineage = true,
    .make = [](const FormatContext& context) -> std::unique_ptr<Formatter> {
        return std::make_unique<JsonFormatter>(context);
    },
};

} // namespace telemetry
