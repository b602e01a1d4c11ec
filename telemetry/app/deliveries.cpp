// SPDX-License-Identifier: MIT
#include "telemetry/app/deliveries.hpp"

#include <algorithm>

#include "telemetry/app/engine_setup.hpp"
#include "telemetry/base/log.hpp"

namespace telemetry {

namespace {

/// Execs, exits, forks and changes of credentials: the last to be given up, as in the kernel.
bool is_vital(const Event& event) {
    if (event.call)
        return event.call->flags & EBT_PLAN_VITAL;
    return event.kind == EBT_FORK || event.kind == EBT_EXEC || event.kind == EBT_EXIT;
}

} // namespace

Deliveries::Deliveries(const std::vector<OutputSettings>& settings) {
    for (const OutputSettings& output : settings) {
        auto group = std::ranges::find(groups_, output.format, &Group::format);
        if (group == groups_.end()) {
            groups_.push_back({output.format, nullptr, nullptr, {}, {}});
            group = groups_.end() - 1;
        }
        group->members.push_back({std::make_unique<DeliveryOutput>(output), output.name});
    }
}

std::vector<const Format*> Deliveries::formats() const {
    std::vector<const Format*> formats;
    for (const Group& group : groups_)
        formats.push_back(group.format);
    return formats;
}

void Deliveries::begin(const FormatContext& context) {
    for (Group& group : groups_)
        group.losses = group.format->make(context);
    renew(context);
}

void Deliveries::renew(const FormatContext& context) {
    for (Group& group : groups_)
        group.events = group.format->make(context);
}

void Deliveries::put(const Event& event, const Format& format, std::string_view formatted) {
    for (Group& group : groups_) {
        if (std::ranges::none_of(group.members,
                                 [&](const Member& member) { return member.output->wants(event.key); }))
            continue;
        std::string_view text = formatted;
        if (text.empty() || group.format != &format) {
            group.text.clear();
            group.events->format(event, group.text);
            text = group.text;
        }
        for (Member& member : group.members)
            if (member.output->wants(event.key))
                put_line(member, text, is_vital(event), true);
    }
}

void Deliveries::put(const LossEvent& loss) {
    put_state([&](Formatter& formatter, std::string& out) { formatter.format(loss, out); });
}

void Deliveries::put(const Heartbeat& heartbeat) {
    put_state([&](Formatter& formatter, std::string& out) { formatter.format_heartbeat(heartbeat, out); });
    put_checkpoints(heartbeat.time_ns, false);
}

void Deliveries::put_line(Member& member, std::string_view text, bool is_vital, bool is_event) {
    member.output->put(text, is_vital, is_event);
    ++member.lines;
}

void Deliveries::put_checkpoints(uint64_t time_ns, bool is_last) {
    for (Group& group : groups_)
        for (Member& member : group.members) {
            member.output->hand_over(); // so that what finds no room there is known
            group.text.clear();
            group.losses->format_checkpoint({.time_ns = time_ns,
                                             .output = member.name,
                                             .number = ++member.checkpoints,
                                             .lines = member.lines,
                                             .lost = member.output->report().lost,
                                             .is_last = is_last},
                                            group.text);
            if (!group.text.empty()) // else not in this format
                put_line(member, group.text, true, false);
        }
}

/// What is about this run itself, for every output.
void Deliveries::put_state(const std::function<void(Formatter&, std::string&)>& format) {
    for (Group& group : groups_) {
        group.text.clear();
        format(*group.losses, group.text);
        if (group.text.empty()) // not in this format
            continue;
        for (Member& member : group.members)
            put_line(member, group.text, true, false);
    }
}

void Deliveries::put_lines(size_t format, std::string_view extension, std::string_view lines) {
    while (!lines.empty()) {
        const size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
        for (Member& member : groups_[format].members)
            if (member.output->wants(extension))
                put_line(member, lines.substr(0, end), false, true);
        lines.remove_prefix(end);
    }
}

void Deliveries::hand_over() {
    for (Group& group : groups_)
        for (Member& member : group.members)
            member.output->hand_over();
}

void Deliveries::drain() {
    for (Group& group : groups_)
        for (Member& member : group.members)
            member.output->drain();
}

void Deliveries::close() {
    put_checkpoints(wall_clock_ns(), true);
    for (Group& group : groups_)
        for (Member& member : group.members)
            member.output->end();
    for (Group& group : groups_)
        for (Member& member : group.members) {
            member.output->close();
            const OutputReport report = member.output->report();
            if (report.delivery->offered == 0 || report.lost < report.delivery->offered || member.is_reported)
                continue;
            member.is_reported = true;
            log(LogLevel::error,
                member.output->name() + ": no event was written: " + std::string(report.error));
        }
}

bool Deliveries::reopen() {
    bool any = false;
    for (Group& group : groups_)
        for (Member& member : group.members)
            if (member.output->can_reopen()) {
                any = true;
                member.output->reopen();
            }
    return any;
}

bool Deliveries::usable() {
    bool any = false;
    for (Group& group : groups_)
        for (Member& member : group.members) {
            if (member.output->is_broken() && !member.is_reported) {
                member.is_reported = true;
                log(LogLevel::error, member.output->name() + ": failed, nothing more is written to it: " +
                                         std::string(member.output->report().error));
            }
            any |= !member.is_reported;
        }
    return any;
}

std::vector<OutputReport> Deliveries::reports() const {
    std::vector<OutputReport> reports;
    for (const Group& group : groups_)
        for (const Member& member : group.members)
            reports.push_back(member.output->report());
    return reports;
}

} // namespace telemetry
