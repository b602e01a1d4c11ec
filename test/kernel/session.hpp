// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "telemetry/event/decoder.hpp"
#include "telemetry/process/cache.hpp"
#include "test/kernel/cases/cases.hpp"
#include "test/kernel/owned_event.hpp"

namespace kernel_test {

/// The memory of a call log, shared with the processes of a case.
class SharedLog {
  public:
    SharedLog();
    ~SharedLog();
    SharedLog(const SharedLog&) = delete;
    SharedLog& operator=(const SharedLog&) = delete;
    call_log& operator*() const { return *log_; }
    call_log* operator->() const { return log_; }
    int fd() const { return fd_; }
    /// Once no process needs the descriptor any more; the memory stays.
    void close_fd();

  private:
    int fd_ = -1;
    call_log* log_ = nullptr;
};

/// A folder that is removed with all that is in it.
class TestFolder {
  public:
    explicit TestFolder(const std::string& path);
    ~TestFolder();
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};
/// Where the folders of the cases are: the same path for every tier.
const std::string& base_folder();
/// Where this program and its helpers are.
std::string program_folder();

/// The tests' login uid, different from everybody else's: the rules ask for it, so that
/// the rest of the machine is filtered out in the kernel. Empty where there is no audit.
std::optional<uint32_t> own_login_uid();

/// What became of a case in one tier.
struct CaseRun {
    SharedLog log;
    uint32_t pid = 0;
    uint64_t start_ticks = 0;
    uint64_t begin_ns = 0, end_ns = 0;     ///< wall clock
    std::string failure;                   ///< of the trigger
    std::vector<const OwnedEvent*> events; ///< of its processes, in order of time
};

/// Reads an engine's records into events.
class Collector {
  public:
    explicit Collector(ebpf_loader::Engine& engine);
    /// Reads what is there, waiting for it so long.
    void poll(std::chrono::milliseconds timeout);
    /// Stops the engine and reads the rest.
    void finish();

    std::vector<OwnedEvent> take_events() { return std::move(events_); }
    /// What is wrong with the stream as a whole: unreadable records, gaps, counters that
    /// do not balance. Empty when all is well. Runs that the kernel skips are none where
    /// `may_miss` says so.
    std::string problems(bool may_miss = false) const;
    /// Sequence numbers that are missing between those that came.
    uint64_t missing() const { return missing_; }
    const ebpf_loader::EngineStats& stats() const { return stats_; } ///< once finished

  private:
    void take(std::span<const std::byte> record);

    ebpf_loader::Engine& engine_;
    telemetry::Decoder decoder_;
    telemetry::ProcessCache cache_;
    std::vector<OwnedEvent> events_;
    std::map<std::pair<uint16_t, uint16_t>, uint64_t> sequences_;
    uint64_t missing_ = 0;
    ebpf_loader::EngineStats stats_;
};

/// Kernel offsets for all engines of the tests; without, each engine finds them itself.
void use_offsets(const ebpf_loader::Offsets& offsets);
/// What an engine of the tests starts from.
ebpf_loader::EngineOptions engine_options(ebpf_loader::Tier tier);

/// Runs a case under a collector: forks its process, waits for its end.
void run_case(const Case& test, CaseRun& run, Collector& collector);
/// Gives each run the events of its processes.
void distribute(const std::vector<OwnedEvent>& events, std::map<std::string, CaseRun>& runs);

/// Does this kernel skip programs of the tier where tasks preempt each other?
bool can_miss_runs(ebpf_loader::Tier tier);

/// One engine of a tier, under which all cases run.
class Session {
  public:
    Session(ebpf_loader::Tier tier, const std::vector<const Case*>& cases);

    /// Why there is no session; empty when there is one.
    const std::string& error() const { return error_; }
    const CaseRun* run(const std::string& name) const;
    const std::string& stream_problems() const { return problems_; }
    ebpf_loader::Tier tier() const { return tier_; }
    uint64_t verified_instructions() const { return verified_; }
    const std::string& offsets_source() const { return offsets_source_; }

  private:
    void run_all(const std::vector<const Case*>& cases);

    ebpf_loader::Tier tier_;
    std::vector<OwnedEvent> events_;
    std::map<std::string, CaseRun> runs_;
    std::string error_, problems_, offsets_source_;
    uint64_t verified_ = 0, missed_runs_ = 0;
};

/// The rules of a session: every call of the default rules and what else the cases make.
std::string session_rules();
/// The calls that the default rules name.
std::vector<std::string> default_rule_names();

/// Everything in which the events differ from the log; empty when nothing does.
std::string compare(const CaseRun& run);

} // namespace kernel_test
