// SPDX-License-Identifier: MIT
#include "telemetry/verify/verify.hpp"

#include <algorithm>
#include <functional>

#include "telemetry/base/escape.hpp"
#include "telemetry/recorded/fields.hpp"
#include "telemetry/recorded/file.hpp"

namespace telemetry {

namespace {

using nlohmann::json;

constexpr size_t uuid_length = 36;
constexpr size_t most_gaps_shown = 20;

uint64_t count_at(const json& event, std::string_view name) {
    const auto number = number_at(event, name);
    return number && *number > 0 ? static_cast<uint64_t>(*number) : 0;
}

bool flag_at(const json& event, std::string_view name) {
    const json* flag = field_at(event, name);
    return flag && flag->is_boolean() && flag->get<bool>();
}

} // namespace

void StreamVerifier::take(std::string_view line) {
    ++lines_;
    const json event = json::parse(line, nullptr, false);
    const std::string id = event.is_object() ? text_at(event, "event.id") : "";
    if (id.size() <= uuid_length || id[uuid_length] != '-') { // cut, or not ours
        if (unreadable_++ == 0)
            first_unreadable_ = lines_;
        return;
    }
    Run& run = runs_[id.substr(0, uuid_length)];
    if (!run.ids.insert(std::hash<std::string>()(id)).second) {
        ++run.copies;
        return;
    }
    if (run.host.empty())
        run.host = text_at(event, "host.name");
    if (text_at(event, "event.action") != "checkpoint" || text_at(event, "event.kind") != "state")
        return;
    const std::string output = text_at(event, "linux.telemetry.output.name");
    run.has_other_output |= !run.output.empty() && run.output != output;
    run.output = output;
    take_checkpoint(run, count_at(event, "linux.telemetry.output.lines"),
                    count_at(event, "linux.telemetry.output.lost"),
                    flag_at(event, "linux.telemetry.output.last"), text_at(event, "@timestamp"));
}

void StreamVerifier::take_checkpoint(Run& run, uint64_t lines, uint64_t lost, bool is_last,
                                     const std::string& time) {
    const uint64_t there = run.ids.size(); // this one is among them
    const uint64_t missing = lines + 1 > there ? lines + 1 - there : 0;
    if (missing > run.missing)
        run.gaps.push_back({run.checkpoint, time, missing - run.missing});
    run.given = lines + 1;
    run.before = there;
    run.lost = lost;
    run.missing = missing; // less than before: some came late
    run.checkpoint = time;
    run.is_over = is_last;
}

bool StreamVerifier::report(const std::string& id, const Run& run, std::ostream& out) {
    out << "host " << quoted(run.host) << " run " << id;
    if (run.has_other_output) {
        out << ": lines of several outputs; each can only be verified by itself\n";
        return false;
    }
    const uint64_t there = run.ids.size();
    out << ": " << there << " lines";
    if (run.copies > 0)
        out << ", " << run.copies << " came again";
    if (run.checkpoint.empty()) {
        out << ", no checkpoint: nothing is known of what was given\n";
        return false;
    }
    // Nothing follows the last checkpoint of a run, so what is stored behind it came late.
    const uint64_t missing = run.is_over ? run.given - std::min(run.given, there) : run.missing;
    if (missing == 0)
        out << ", complete to " << (run.is_over ? "its end at " : "the checkpoint at ") << run.checkpoint;
    else
        out << ", " << missing << " missing, of which " << std::min(missing, run.lost)
            << " are reported as lost";
    if (!run.is_over)
        out << "; " << there - run.before
            << " lines behind the last checkpoint: the run goes on, or did not end in order";
    out << '\n';
    for (size_t i = 0; missing > 0 && i < std::min(run.gaps.size(), most_gaps_shown); ++i)
        out << "  " << run.gaps[i].missing << " missing between "
            << (run.gaps[i].from.empty() ? "the start" : run.gaps[i].from) << " and " << run.gaps[i].to
            << '\n';
    return missing == 0;
}

bool StreamVerifier::report(std::ostream& out) const {
    bool is_complete = !runs_.empty() && unreadable_ == 0;
    for (const auto& [id, run] : runs_)
        is_complete &= report(id, run, out);
    if (unreadable_ > 0)
        out << unreadable_ << " lines are cut or are not of this program, the first is line "
            << first_unreadable_ << '\n';
    if (runs_.empty())
        out << "no event is there\n";
    return is_complete;
}

bool verify_files(const std::vector<std::string>& files, std::ostream& out) {
    StreamVerifier verifier;
    for (const std::string& name : files) {
        RecordedFile file(name);
        for (std::string_view line; file.next(line);)
            verifier.take(line);
    }
    return verifier.report(out);
}

} // namespace telemetry
