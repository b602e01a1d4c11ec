// SPDX-License-Identifier: MIT
#include "telemetry/app/health_report.hpp"

#include <ctime>
#include <sys/utsname.h>

#include "telemetry/base/log.hpp"
#include "telemetry/cli/command_line.hpp"
#include "telemetry/limits/memory_budget.hpp"
#include "telemetry/output/summary.hpp"
#include "telemetry/rights/rights.hpp"

namespace telemetry {

namespace {

std::chrono::nanoseconds cpu_time() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::string kernel_release() {
    utsname names{};
    return uname(&names) == 0 ? names.release : "";
}

} // namespace

HealthReport::HealthReport(const Options& options, const ebpf_loader::Engine& engine)
    : heartbeat_every_(options.heartbeat_every), metrics_every_(options.metrics_every),
      metrics_path_(options.metrics_file),
      listen_(options.listen), run_{.program = options.program,
                                    .version = command_line::version(),
                                    .tier = std::string(ebpf_loader::tier_name(engine.tier())),
                                    .offsets = engine.offsets().source,
                                    .kernel = kernel_release()} {}

void HealthReport::begin(uint64_t wall_ns, Clock::time_point now) {
    run_.start_ns = wall_ns;
    if (heartbeat_every_)
        next_heartbeat_ = now + *heartbeat_every_;
    if (listen_)
        server_.emplace(*listen_);
    if (metrics_path_) {
        file_.emplace(*metrics_path_, needs_override(*metrics_path_));
        next_metrics_ = now;
    }
}

bool HealthReport::is_due(Clock::time_point now, bool is_final) {
    is_heartbeat_due_ = now >= next_heartbeat_;
    are_metrics_due_ = file_ && (is_final || now >= next_metrics_);
    if (is_heartbeat_due_)
        next_heartbeat_ = now + *heartbeat_every_;
    if (are_metrics_due_)
        next_metrics_ = now + metrics_every_;
    return is_heartbeat_due_ || are_metrics_due_ || server_;
}

void HealthReport::put_in_file(const std::string& page) {
    if (const auto error = file_->take_error())
        log(LogLevel::error, "--metrics-file: " + *error);
    file_->put(page);
}

std::optional<Heartbeat> HealthReport::report(const Summary& summary, const ebpf_loader::EngineStats& kernel,
                                              uint64_t wall_ns, std::optional<ReloadCounts> reloads) {
    if (are_metrics_due_ || server_) {
        const std::string page = prometheus_text({.run = run_,
                                                  .summary = summary,
                                                  .kernel = kernel,
                                                  .lag = lag_,
                                                  .cpu = cpu_time(),
                                                  .resident_bytes = resident_memory(),
                                                  .reloads = reloads,
                                                  .now_ns = wall_ns});
        const SummaryDocument document(summary);
        if (server_)
            server_->put({page, document.text(), document.json() + "\n"});
        if (are_metrics_due_)
            put_in_file(page);
    }
    if (!is_heartbeat_due_)
        return std::nullopt;
    return Heartbeat{.time_ns = wall_ns,
                     .number = ++heartbeats_,
                     .seen = summary.seen,
                     .filtered_in_kernel = summary.filtered_in_kernel,
                     .filtered_by_rules = summary.filtered_by_rules,
                     .folded = summary.folded,
                     .emitted = summary.emitted,
                     .lost = summary.lost_in_all(),
                     .in_flight = summary.in_flight};
}

} // namespace telemetry
