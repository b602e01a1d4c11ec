// SPDX-License-Identifier: MIT
// Events of a case against its log.
#include <algorithm>
#include <unistd.h>

#include "test/kernel/fields.hpp"
#include "test/kernel/session.hpp"

namespace kernel_test {

namespace {

/// A thread of a process; tid 0 for what any of its threads may do.
using ThreadKey = std::pair<uint32_t, uint32_t>;

struct Expected {
    const log_entry* entry;
    Fields fields;
};

struct Seen {
    const telemetry::Event* event;
    Fields fields;
};

struct Sequences {
    std::vector<Expected> expected;
    std::vector<Seen> seen;
};

const std::string& value_of(const Fields& fields, const std::string& name) {
    static const std::string none;
    for (const auto& field : fields)
        if (field.first == name)
            return field.second;
    return none;
}

std::map<ThreadKey, Sequences> by_thread(const CaseRun& run) {
    std::map<ThreadKey, Sequences> threads;
    std::map<uint32_t, bool> any_exit;
    const call_log& log = *run.log;
    for (uint32_t i = 0; i < std::min<uint32_t>(log.entries, LOG_ENTRIES); i++) {
        const log_entry& entry = log.entry[i];
        const log_identity& who = log.identity[entry.identity];
        if (entry.kind == 0)
            continue;
        const bool any = entry.any & LOG_ANY_TID;
        any_exit[who.pid] |= any;
        threads[{who.pid, any ? 0 : who.tid}].expected.push_back({&entry, expected(log, entry)});
    }
    for (const OwnedEvent* event : run.events) {
        const telemetry::Event& e = **event;
        const bool any = e.kind == EBT_EXIT && any_exit[e.pid];
        threads[{e.pid, any ? 0 : e.tid}].seen.push_back({&e, describe(e)});
    }
    for (auto& [thread, sequences] : threads)
        std::stable_sort(sequences.seen.begin(), sequences.seen.end(),
                         [](const Seen& a, const Seen& b) { return a.event->time_ns < b.event->time_ns; });
    return threads;
}

std::string listing(const Sequences& sequences) {
    std::string text = "  expected:";
    for (const Expected& expected : sequences.expected)
        text += " " + std::string(expected.entry->name);
    text += "\n  seen:";
    for (const Seen& seen : sequences.seen)
        text += " " + value_of(seen.fields, "name");
    return text + "\n";
}

/// What no list of fields holds: when it was, and since when the process is.
std::string time_differences(const CaseRun& run, const log_entry& entry, const telemetry::Event& event) {
    constexpr uint64_t slack_ns = 50'000'000;
    static const auto ns_per_tick = 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    std::string text;
    const uint64_t after = std::min<uint64_t>(entry.after_ns, run.end_ns);
    if (event.time_ns + slack_ns < entry.before_ns || event.time_ns > after + slack_ns)
        text += "  time_ns: seen " + std::to_string(event.time_ns) + ", expected from " +
                std::to_string(entry.before_ns) + " to " + std::to_string(after) + "\n";
    const uint64_t ticks = event.start_time_ns / ns_per_tick;
    if (event.pid == run.pid && ticks != run.start_ticks)
        text += "  start_time_ns: seen " + std::to_string(ticks) + " ticks, expected " +
                std::to_string(run.start_ticks) + "\n";
    return text;
}

std::string compare_thread(const CaseRun& run, const ThreadKey& thread, const Sequences& sequences) {
    const auto& [expected, seen] = sequences;
    std::string text;
    for (size_t i = 0; i < std::max(expected.size(), seen.size()); i++) {
        const bool both = i < expected.size() && i < seen.size();
        if (!both || value_of(expected[i].fields, "name") != value_of(seen[i].fields, "name"))
            return text + "process " + std::to_string(thread.first) + " thread " +
                   std::to_string(thread.second) + ": other events than expected from the " +
                   std::to_string(i + 1) + ". on\n" + listing(sequences);
        const std::string differing = differences(expected[i].fields, seen[i].fields) +
                                      time_differences(run, *expected[i].entry, *seen[i].event);
        if (!differing.empty())
            text +=
                std::string(expected[i].entry->name) + " at " + expected[i].entry->where + "\n" + differing;
    }
    return text;
}

/// What binds the events of a process together.
std::string compare_processes(const CaseRun& run) {
    std::map<uint32_t, const telemetry::Event*> last;
    std::map<uint32_t, uint64_t> started; // children, by what their fork said
    std::string text;
    for (const OwnedEvent* owned : run.events) {
        const telemetry::Event& event = **owned;
        if (event.kind == EBT_FORK)
            started[event.child_pid] = event.child_start_time_ns;
        const auto fork = started.find(event.pid);
        if (fork != started.end() && fork->second != event.start_time_ns)
            text += "process " + std::to_string(event.pid) + ": its fork gave another start time\n";
        const telemetry::Event*& before = last[event.pid];
        if (before && before->start_time_ns != event.start_time_ns)
            text += "process " + std::to_string(event.pid) + ": its start time changed\n";
        if (before && event.exec_id != before->exec_id + (event.kind == EBT_EXEC))
            text += "process " + std::to_string(event.pid) + ": exec_id went from " +
                    std::to_string(before->exec_id) + " to " + std::to_string(event.exec_id) + "\n";
        before = &event;
    }
    return text;
}

} // namespace

std::string compare(const CaseRun& run) {
    std::string text = run.failure;
    for (const auto& [thread, sequences] : by_thread(run))
        text += compare_thread(run, thread, sequences);
    return text + compare_processes(run);
}

} // namespace kernel_test
