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
    for (const OutputSettings& output : settings)
        group_of(*output.format)
            .members.push_back({.output = std::make_unique<DeliveryOutput>(output),
                                .name = output.name,
                                .text = output.text});
}

Deliveries::Group& Deliveries::group_of(const Format& format) {
    const auto group = std::ranges::find(groups_, &format, &Group::format);
    return group != groups_.end() ? *group : groups_.emplace_back(Group{.format = &format});
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

/// Where lines leave out what an earlier one said, an output that does not get them all has its own
/// formatter.
void Deliveries::give_formatters(Group& group, const FormatContext& context) {
    const bool leaves_out = context.fields.rest != context.fields.whole;
    for (Member& member : group.members)
        member.events = leaves_out && member.output->is_filtered() ? group.format->make(context) : nullptr;
}

NewOutputs Deliveries::prepare(const std::vector<OutputSettings>& settings) const {
    NewOutputs next{settings, {}};
    for (const OutputSettings& output : settings) {
        const auto has_it = [&](const Group& group) {
            return std::ranges::count(group.members, output.name, &Member::name) > 0;
        };
        if (std::ranges::none_of(groups_, has_it))
            next.opened[output.name] = std::make_unique<DeliveryOutput>(output);
    }
    return next;
}

/// Members stay when they are taken away, with what they have written and lost.
void Deliveries::change(NewOutputs next, const FormatContext& context) {
    std::vector<Member> members;
    std::vector<const Format*> before;
    for (Group& group : groups_) {
        for (Member& member : group.members) {
            const auto wanted = std::ranges::find(next.settings, member.name, &OutputSettings::name);
            if (wanted == next.settings.end() && !member.is_ended)
                retire(group, member);
            before.push_back(group.format);
            members.push_back(std::move(member));
        }
        group.members.clear();
    }
    for (size_t i = 0; i < members.size(); ++i) {
        Member& member = members[i];
        const auto wanted = std::ranges::find(next.settings, member.name, &OutputSettings::name);
        const bool stays = wanted != next.settings.end();
        if (stays && (member.is_ended || member.text != wanted->text)) {
            member.output->change(*wanted);
            member.text = wanted->text;
            member.is_ended = member.is_reported = false;
            log(LogLevel::info, member.output->name() + ": has other settings from now on");
        }
        group_of(stays ? *wanted->format : *before[i]).members.push_back(std::move(member));
    }
    for (OutputSettings& output : next.settings)
        if (const auto opened = next.opened.find(output.name); opened != next.opened.end()) {
            log(LogLevel::info, opened->second->name() + ": added");
            group_of(*output.format)
                .members.push_back(
                    {.output = std::move(opened->second), .name = output.name, .text = output.text});
        }
    for (Group& group : groups_)
        if (!group.losses) { // of a new format
            group.losses = group.format->make(context);
            group.events = group.format->make(context);
        }
    for (Group& group : groups_)
        give_formatters(group, context);
}

void Deliveries::retire(Group& group, Member& member) {
    constexpr std::chrono::seconds patience{5};
    put_checkpoint(group, member, wall_clock_ns(), true);
    member.output->end(patience);
    member.is_ended = true;
    log(LogLevel::info, member.output->name() + ": taken away");
}

void Deliveries::renew(const FormatContext& context) {
    for (Group& group : groups_) {
        group.events = group.format->make(context);
        give_formatters(group, context);
    }
}

uint64_t Deliveries::put(const Event& event, const Format& format, std::string_view formatted) {
    uint64_t bytes = 0;
    for (Group& group : groups_) {
        std::string_view shared = group.format == &format ? formatted : std::string_view();
        for (Member& member : group.members) {
            if (!member.wants(event.key))
                continue;
            std::string_view text = shared;
            if (member.events || shared.empty()) {
                std::string& own = member.events ? group.own_text : group.text;
                own.clear();
                (member.events ? member.events : group.events)->format(event, own);
                text = own;
            }
            if (!member.events)
                shared = text;
            put_line(member, text, is_vital(event), true);
            bytes += text.size();
        }
    }
    return bytes;
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
        for (Member& member : group.members)
            if (!member.is_ended)
                put_checkpoint(group, member, time_ns, is_last);
}

void Deliveries::put_checkpoint(Group& group, Member& member, uint64_t time_ns, bool is_last) {
    member.output->hand_over(); // so that what finds no room there is known
    const OutputReport report = member.output->report();
    group.text.clear();
    group.losses->format_checkpoint({.time_ns = time_ns,
                                     .output = member.name,
                                     .number = ++member.checkpoints,
                                     .lines = member.lines,
                                     .lost = report.delivery->lost_of_run + report.delivery->lost_reports,
                                     .is_last = is_last},
                                    group.text);
    if (!group.text.empty()) // else not in this format
        put_line(member, group.text, true, false);
}

/// What is about this run itself, for every output.
void Deliveries::put_state(const std::function<void(Formatter&, std::string&)>& format) {
    for (Group& group : groups_) {
        group.text.clear();
        format(*group.losses, group.text);
        if (group.text.empty()) // not in this format
            continue;
        for (Member& member : group.members)
            if (!member.is_ended)
                put_line(member, group.text, true, false);
    }
}

void Deliveries::put_lines(size_t format, std::string_view extension, std::string_view lines) {
    while (!lines.empty()) {
        const size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
        for (Member& member : groups_[format].members)
            if (member.wants(extension))
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
            if (!member.is_ended)
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
            any |= member.output->reopen();
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
            any |= !member.is_reported && !member.is_ended;
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
