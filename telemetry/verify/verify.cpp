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

/// What stands in a file may be anybody's.
std::string quoted_if_odd(const std::string& cause) {
    const auto is_fine = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    return !cause.empty() && std::ranges::all_of(cause, is_fine) ? cause : in_quotes(cause);
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
    if (const std::string action = text_at(event, "event.action"); text_at(event, "event.kind") != "event")
        take_state(run, event, action);
}

void StreamVerifier::take_state(Run& run, const json& event, const std::string& action) {
    if (action == "loss")
        run.reports[text_at(event, "linux.telemetry.loss.cause")] +=
            count_at(event, "linux.telemetry.loss.count");
    else if (action == "heartbeat")
        run.balance_lost = std::max(run.balance_lost, count_at(event, "linux.telemetry.balance.lost"));
    if (action != "checkpoint")
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
    const uint64_t newly_lost = lost > run.lost ? lost - run.lost : 0;
    if (missing > run.missing)
        run.gaps.push_back(
            {run.checkpoint, time, missing - run.missing, std::min(missing - run.missing, newly_lost)});
    run.given = lines + 1;
    run.before = there;
    run.lost = std::max(run.lost, lost);
    run.missing = missing; // less than before: some came late
    run.checkpoint = time;
    run.is_over = is_last;
}

/// By this output: its checkpoints know of what it lost by then, loss events of what it lost up to a second
/// ago.
uint64_t StreamVerifier::reported_lost(const Run& run) {
    const auto found = run.reports.find("output_" + run.output);
    return std::max(run.lost, found == run.reports.end() ? 0 : found->second);
}

/// No line was made of these, so that none is missing.
void StreamVerifier::report_before_outputs(const Run& run, std::ostream& out) {
    constexpr std::string_view uncountable[] = {"tampered", "unseen_operation", "missed_run"};
    std::string causes, doubts;
    uint64_t lost = 0;
    const auto add = [](std::string& list, const std::string& cause, uint64_t count) {
        list.append(list.empty() ? "" : ", ").append(cause + " " + std::to_string(count));
    };
    for (const auto& [cause, count] : run.reports) {
        if (std::ranges::count(uncountable, cause) > 0) {
            add(doubts, quoted_if_odd(cause), count);
        } else if (!cause.starts_with("output_")) { // those of other outputs are no matter of this one
            add(causes, quoted_if_odd(cause), count);
            lost += count;
        }
    }
    if (run.balance_lost > lost) // the events that report these are missing
        add(causes, "of unknown cause", run.balance_lost - lost);
    if (!causes.empty())
        out << "  " << std::max(lost, run.balance_lost)
            << " events are reported as lost before they came to an output: " << causes << '\n';
    if (!doubts.empty())
        out << "  nobody knows what was missed by " << doubts << '\n';
}

bool StreamVerifier::report(const std::string& id, const Run& run, std::ostream& out) {
    out << "host " << in_quotes(run.host) << " run " << id;
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
    const uint64_t reported = std::min(missing, reported_lost(run));
    const bool is_explained = missing == reported;
    if (is_explained && reported > 0)
        out << ", " << reported << " reported as lost";
    if (is_explained)
        out << ", complete to " << (run.is_over ? "its end at " : "the checkpoint at ") << run.checkpoint
            << (reported > 0 ? " but for those" : "");
    else
        out << ", " << missing << " missing, of which " << reported << " are reported as lost";
    if (!run.is_over)
        out << "; " << there - run.before
            << " lines behind the last checkpoint: the run goes on, or did not end in order";
    out << '\n';
    for (size_t i = 0; missing > 0 && i < std::min(run.gaps.size(), most_gaps_shown); ++i) {
        const Gap& gap = run.gaps[i];
        out << "  " << gap.missing << (is_explained ? " lost" : " missing") << " between "
            << (gap.from.empty() ? "the start" : gap.from) << " and " << gap.to;
        if (!is_explained && gap.reported > 0)
            out << ", of which " << gap.reported << " are reported as lost";
        out << '\n';
    }
    report_before_outputs(run, out);
    return is_explained;
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
