// SPDX-License-Identifier: MIT
#include "telemetry/hash/executable_hashes.hpp"

#include <algorithm>
#include <chrono>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "telemetry/rights/aside_thread.hpp"

namespace telemetry {
namespace {

/// More than any clock that file systems take their times from is behind.
constexpr uint64_t settled_ns = 100'000'000;
constexpr int lowest_nice = 19;

uint64_t now_of(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

} // namespace

ExecutableHashes::ExecutableHashes(const std::string& proc_root, const Limits& limits)
    : limits_(limits), share_(limits.cpu), reader_(proc_root, limits.file_bytes, [this] { return rest(); }) {
    thread_ = start_aside([this] { work(); }, capability(CAP_SYS_PTRACE) | capability(CAP_DAC_READ_SEARCH));
}

ExecutableHashes::~ExecutableHashes() {
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
    }
    wakes_.notify_all();
    thread_.join();
}

ExecutableHashes::Counters ExecutableHashes::counters() const {
    Counters counters = counters_;
    counters.remembered = entries_.size();
    return counters;
}

ExecutableHashes::Key ExecutableHashes::key_of(const Event& event) {
    Key key{event.image.exe_version};
    const auto changed_ns =
        static_cast<uint64_t>(key.version.changed_s) * 1'000'000'000 + key.version.changed_ns;
    if (event.time_ns < changed_ns + settled_ns) {
        key.pid = event.pid;
        key.start_time_ns = event.start_time_ns;
    }
    return key;
}

std::string_view ExecutableHashes::find(const Event& event) {
    if (has_results_.load(std::memory_order_acquire))
        take_results();
    if (!event.image.exe_version.known() || (event.missing & EBT_MISSING_START_TIME))
        return {};
    const Key key = key_of(event);
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
        ask(key, event);
        return {};
    }
    Entry& entry = found->second;
    entry.used = ++uses_;
    if (entry.is_open && (entry.pid != event.pid || entry.start_time_ns != event.start_time_ns)) {
        ask(key, event);
        return {};
    }
    return entry.is_hashed ? std::string_view(entry.sha256.data(), entry.sha256.size()) : std::string_view();
}

void ExecutableHashes::ask(const Key& key, const Event& event) {
    if (event.kind == EBT_EXIT)
        return; // its file cannot be read any more
    make_room();
    Entry& entry = entries_[key] = {};
    entry.used = ++uses_;
    entry.pid = event.pid;
    entry.start_time_ns = event.start_time_ns;
    std::vector<Key> dropped;
    {
        const std::lock_guard lock(mutex_);
        jobs_.emplace(key.version.size, Job{key, {event.pid, event.start_time_ns, key.version}});
        while (jobs_.size() > limits_.waiting) {
            const auto largest = std::prev(jobs_.end());
            dropped.push_back(largest->second.key);
            jobs_.erase(largest);
        }
    }
    wakes_.notify_one();
    for (const Key& each : dropped) {
        entries_.erase(each);
        ++counters_.given_up;
    }
}

/// The half that was used last stays.
void ExecutableHashes::make_room() {
    if (entries_.size() < limits_.files)
        return;
    std::vector<uint64_t> uses;
    for (const auto& [key, entry] : entries_)
        uses.push_back(entry.used);
    const auto middle = uses.begin() + static_cast<ptrdiff_t>(uses.size() / 2);
    std::nth_element(uses.begin(), middle, uses.end());
    std::erase_if(entries_,
                  [&](const auto& one) { return one.second.used < *middle && !one.second.is_waiting; });
}

void ExecutableHashes::take_results() {
    std::vector<std::pair<Key, Result>> results;
    {
        const std::lock_guard lock(mutex_);
        results.swap(results_);
        has_results_.store(false, std::memory_order_relaxed);
    }
    for (const auto& [key, result] : results)
        take_result(key, result);
}

void ExecutableHashes::take_result(const Key& key, const Result& result) {
    using Outcome = ExecutableReader::Outcome;
    counters_.hashed += result.outcome == Outcome::hashed;
    counters_.gone += result.outcome == Outcome::gone;
    counters_.refused += result.outcome == Outcome::refused;
    counters_.changed += result.outcome == Outcome::changed;
    const auto found = entries_.find(key);
    if (found == entries_.end())
        return;
    found->second.is_waiting = false;
    found->second.is_open = result.outcome == Outcome::gone;
    found->second.is_hashed = result.outcome == Outcome::hashed;
    found->second.sha256 = result.sha256;
}

void ExecutableHashes::work() {
    pthread_setname_np(pthread_self(), "hash");
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), lowest_nice); // of this thread alone
    std::unique_lock lock(mutex_);
    while (!ends_) {
        if (jobs_.empty()) {
            wakes_.wait(lock);
            continue;
        }
        const Job job = jobs_.begin()->second;
        jobs_.erase(jobs_.begin());
        lock.unlock();
        const bool goes_on = rest();
        const Result result =
            goes_on ? reader_.read(job.request) : Result{ExecutableReader::Outcome::stopped, {}};
        lock.lock();
        results_.emplace_back(job.key, result);
        has_results_.store(true, std::memory_order_release);
    }
}

/// Between two pieces of work: waits until there may be more. False: it is over.
bool ExecutableHashes::rest() {
    const uint64_t wait = share_.wait_ns(now_of(CLOCK_THREAD_CPUTIME_ID), now_of(CLOCK_MONOTONIC));
    std::unique_lock lock(mutex_);
    if (wait)
        wakes_.wait_for(lock, std::chrono::nanoseconds(wait), [this] { return ends_; });
    return !ends_;
}

} // namespace telemetry
