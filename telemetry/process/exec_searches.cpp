// SPDX-License-Identifier: MIT
#include "telemetry/process/exec_searches.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace telemetry {

namespace {

/// As the caller wrote it: the file that was executed may have another name, behind a symbolic link. Empty:
/// not known, or none.
std::string_view path_of(const Event& event) {
    if (event.witnessed && event.witnessed->called[0].known())
        return event.witnessed->called[0].bytes;
    return event.paths > 0 && event.path[0].status == Status::ok ? event.path[0].bytes : std::string_view();
}

/// What a program is called by whoever executes it; a search says the same in each attempt.
std::string_view argv0_of(const StringList& argv) {
    constexpr size_t most = 256;
    return argv.known() ? argv.bytes.substr(0, std::min(argv.bytes.find('\0'), most)) : std::string_view();
}

/// The kernel itself has found no file.
bool finds_nothing(const Event& event) {
    return is_exec_call(event) && event.returns && event.ret == -ENOENT && !event.skipped() &&
           !event.unproven();
}

} // namespace

/// Is the new image what was looked for? Its file may have another name, where that was a symbolic link.
bool ExecSearches::is_found(const Attempt& attempt, const Event& event) {
    const std::string_view name = base_name(attempt.path), argv0 = argv0_of(event.image.argv);
    return base_name(path_of(event)) == name || (!argv0.empty() && argv0 == attempt.argv0) ||
           (event.image.script.known() && base_name(event.image.script.bytes) == name);
}

ExecSearches::Step ExecSearches::take(const Event& event, std::span<const std::byte> record,
                                      Clock::time_point now) {
    Step step;
    const std::string_view path = path_of(event);
    const bool finds_none = finds_nothing(event) && !path.empty();
    if (const auto found = of_process_.find(event.pid); found != of_process_.end()) {
        Attempt& attempt = *found->second;
        const bool is_same = attempt.start_time_ns == event.start_time_ns;
        const bool goes_on = is_same && is_exec_call(event) && !has_new_image(event) &&
                             base_name(path) == base_name(attempt.path);
        if (goes_on && finds_none) {
            replace(attempt, path, record);
            return {.keeps = true, .supersedes = true, .failed = {}};
        }
        if (goes_on && !finds_none)
            return {}; // of a file that may not be executed
        step.supersedes = is_same && has_new_image(event) && is_found(attempt, event);
        Record last = release(found->second);
        if (!step.supersedes)
            step.failed.push_back(std::move(last));
    }
    if (finds_none)
        begin(event, path, record, now, step);
    return step;
}

void ExecSearches::begin(const Event& event, std::string_view path, std::span<const std::byte> record,
                         Clock::time_point now, Step& step) {
    while (!attempts_.empty() && (attempts_.size() >= most || bytes_ + record.size() > most_bytes))
        step.failed.push_back(release(attempts_.begin()));
    attempts_.push_back({event.pid, event.start_time_ns, std::string(path),
                         std::string(argv0_of(event.exec_argv)), Record(record.begin(), record.end()),
                         now + patience});
    of_process_[event.pid] = std::prev(attempts_.end());
    bytes_ += record.size();
    step.keeps = true;
}

void ExecSearches::replace(Attempt& attempt, std::string_view path, std::span<const std::byte> record) {
    bytes_ = bytes_ - attempt.record.size() + record.size();
    attempt.path = path;
    attempt.record.assign(record.begin(), record.end());
}

ExecSearches::Record ExecSearches::release(Attempts::iterator attempt) {
    Record record = std::move(attempt->record);
    bytes_ -= record.size();
    of_process_.erase(attempt->pid);
    attempts_.erase(attempt);
    return record;
}

std::vector<ExecSearches::Record> ExecSearches::expired(Clock::time_point now) {
    std::vector<Record> records;
    while (!attempts_.empty() && attempts_.front().end <= now)
        records.push_back(release(attempts_.begin()));
    return records;
}

} // namespace telemetry
