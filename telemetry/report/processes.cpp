// SPDX-License-Identifier: MIT
#include "telemetry/report/processes.hpp"

#include <cstdlib>

#include "telemetry/base/text/time.hpp"
#include "telemetry/recorded/fields.hpp"

namespace telemetry::report {

using nlohmann::json;

namespace {

std::string name_or_id(const json& of, const std::string& user) {
    const std::string name = text_at(of, user + ".name");
    return name.empty() ? text_at(of, user + ".id") : name;
}

} // namespace

std::string user_of(const json& process) {
    const std::string real = name_or_id(process, "real_user"), effective = name_or_id(process, "user");
    return real.empty() || real == effective ? effective : real + ">" + effective;
}

/// The latest process of that host and pid, if it can be the one: one that began at another time is another
/// one, and so is one of another entity.
int32_t Processes::known_as(const std::string& place, bool has_entity, std::optional<int64_t> start) const {
    constexpr int64_t coarse = 20'000'000; // of /proc, which counts in hundredths of a second
    const auto at = latest_.find(place);
    if (at == latest_.end())
        return no_process;
    const Process& known = all_[static_cast<size_t>(at->second)];
    if (has_entity && known.entity != 0)
        return no_process;
    return !start || !known.start || std::abs(*start - *known.start) <= coarse ? at->second : no_process;
}

int32_t Processes::named(const json& process, const std::string& host) {
    const auto pid = number_at(process, "pid");
    if (!pid || *pid < 0 || *pid > UINT32_MAX)
        return no_process;
    const std::string entity = text_at(process, "entity_id");
    const std::string place = host + " " + std::to_string(*pid);
    const auto start = nanoseconds_of(text_at(process, "start"));
    if (const auto at = by_id_.find(entity); !entity.empty() && at != by_id_.end())
        return latest_[place] = at->second;
    int32_t here = known_as(place, !entity.empty(), start);
    if (here == no_process) {
        here = static_cast<int32_t>(all_.size());
        Process& made = all_.emplace_back();
        made.pid = static_cast<uint32_t>(*pid);
        made.host = texts_.number_of(host);
        made.start = start;
    }
    if (!entity.empty()) {
        by_id_[entity] = here;
        all_[static_cast<size_t>(here)].entity = texts_.number_of(entity);
    }
    return latest_[place] = here;
}

void Processes::describe(Process& process, const json& of) {
    const auto take = [&](uint32_t& into, const std::string& text) {
        if (!text.empty())
            into = texts_.number_of(text);
    };
    take(process.name, text_at(of, "name"));
    take(process.executable, text_at(of, "executable"));
    take(process.directory, text_at(of, "working_directory"));
    take(process.user, user_of(of));
    take(process.command, text_at(of, "command_line"));
    if (!process.start)
        process.start = nanoseconds_of(text_at(of, "start"));
}

void Processes::note_child(const json& event, int32_t parent, int64_t time, const std::string& host) {
    const json* child = field_at(event, "linux.process.child");
    const int32_t made = child && child->is_object() ? named(*child, host) : no_process;
    if (made == no_process || made == parent)
        return;
    const Process& from = all_[static_cast<size_t>(parent)];
    Process& to = all_[static_cast<size_t>(made)];
    to.parent = parent;
    if (!to.start)
        to.start = time;
    if (to.name == 0) { // until it executes something else it is what its parent is
        to.name = from.name;
        to.executable = from.executable;
        to.command = from.command;
        to.user = from.user;
        to.container = from.container;
        to.runtime = from.runtime;
        to.directory = from.directory;
    }
}

int32_t Processes::take(const json& event, int64_t time) {
    const json* process = field_at(event, "process");
    if (!process || !process->is_object())
        return no_process;
    const std::string host = text_at(event, "host.name");
    // The parent first: events are in order, and of two processes with one pid it is the earlier one.
    const json* parent = field_at(*process, "parent");
    const int32_t above = parent && parent->is_object() ? named(*parent, host) : no_process;
    const int32_t here = named(*process, host);
    if (here == no_process)
        return no_process;
    if (above != no_process && above != here) {
        all_[static_cast<size_t>(here)].parent = above;
        if (all_[static_cast<size_t>(above)].name == 0) // what it says of itself is better
            describe(all_[static_cast<size_t>(above)], *parent);
    }
    Process& told = all_[static_cast<size_t>(here)];
    describe(told, *process);
    if (const std::string id = text_at(event, "container.id"); !id.empty()) {
        told.container = texts_.number_of(id);
        told.runtime = texts_.number_of(text_at(event, "container.runtime"));
    }
    if (text_at(event, "event.action") == "end") {
        told.end = time;
        const std::string signal = text_at(event, "linux.process.signal");
        const std::string code = text_at(event, "process.exit_code");
        told.outcome = texts_.number_of(!signal.empty() ? "killed by signal " + signal
                                        : code.empty()  ? "ended"
                                                        : "exit " + code);
    }
    note_child(event, here, time, host);
    return here;
}

void Processes::untangle() {
    std::vector<int32_t> seen_from(all_.size(), no_process); // the process whose ancestors are being followed
    for (int32_t first = 0; first < static_cast<int32_t>(all_.size()); ++first)
        for (int32_t at = first; at != no_process && seen_from[static_cast<size_t>(at)] == no_process;) {
            seen_from[static_cast<size_t>(at)] = first;
            int32_t& parent = all_[static_cast<size_t>(at)].parent;
            if (parent != no_process && seen_from[static_cast<size_t>(parent)] == first)
                parent = no_process;
            at = parent;
        }
}

} // namespace telemetry::report
