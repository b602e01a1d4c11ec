// SPDX-License-Identifier: MIT
#include "telemetry/app/engine_setup.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <unistd.h>

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/probe_report.hpp>

#include "telemetry/app/activity_report.hpp"
#include "telemetry/app/advice.hpp"
#include "telemetry/app/choose_offsets.hpp"
#include "telemetry/base/exit_status.hpp"
#include "telemetry/base/host_name.hpp"
#include "telemetry/base/terminal.hpp"
#include "telemetry/cli/command_line.hpp"
#include "telemetry/fold/connection_folds.hpp"
#include "telemetry/limits/memory_budget.hpp"
#include "telemetry/process/container_names.hpp"
#include "telemetry/process/procfs.hpp"
#include "telemetry/sink/aside/aside_sink.hpp"

namespace telemetry {

namespace {

int64_t clock_ns(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

std::string boot_id() {
    std::string id;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
    return id;
}

class ProbeDocument final : public Document {
  public:
    ProbeDocument(const ebpf_loader::KernelSupport& capabilities,
                  const std::vector<ebpf_loader::TierVerdict>& verdicts)
        : capabilities_(capabilities), verdicts_(verdicts) {}

    std::string text() const override { return written_by(ebpf_loader::write_probe_text); }
    std::string json() const override { return written_by(ebpf_loader::write_probe_json); }

  private:
    std::string written_by(decltype(ebpf_loader::write_probe_text) write) const {
        std::ostringstream out;
        write(out, capabilities_, verdicts_);
        return out.str();
    }

    const ebpf_loader::KernelSupport& capabilities_;
    const std::vector<ebpf_loader::TierVerdict>& verdicts_;
};

/// Somebody may read there who is slow.
bool may_wait(const Destination& to) {
    std::error_code none;
    return to.kind->may_be_terminal || (!to.target.empty() && std::filesystem::exists(to.target, none) &&
                                        !std::filesystem::is_regular_file(to.target, none));
}

} // namespace

size_t memory_beside_caches(const Options& options) {
    const auto waiting = static_cast<size_t>(std::ranges::count_if(options.outputs, may_wait));
    return options.output_memory() + waiting * AsideSink::usual_bytes + ActivityReport::most_bytes(options) +
           (options.fold ? ConnectionFolds::most_memory : 0);
}

ebpf_loader::EngineOptions engine_options(const Options& options) {
    ebpf_loader::EngineOptions engine;
    engine.tier = options.tier;
    engine.offsets = choose_offsets(options, usual_configs());
    engine.buffer_bytes = options.buffer_bytes;
    engine.events_per_process = options.events_per_process;
    engine.witness = options.witness;
    engine.host_proc = options.host_proc;
    engine.can_shed = options.max_cpu > 0;
    engine.max_memory = options.max_memory;
    engine.other_memory = MemoryBudget::besides_buffers() + memory_beside_caches(options);
    engine.log = [](std::string_view line) { log(LogLevel::info, line); };
    return engine;
}

/// The machine's first: of the kernel's own threads, where we see them; the other two always have these
/// numbers.
static ImageNamespaces first_namespaces(const std::string& host_proc) {
    constexpr uint32_t first_pid = 0xEFFFFFFC, first_user = 0xEFFFFFFD, kernel_threads = 2;
    const Procfs procfs(host_proc);
    ImageNamespaces first{.mnt = 0, .pid = first_pid, .user = first_user};
    if (const auto threads = procfs.stat(kernel_threads); threads && threads->is_kernel_thread)
        first.mnt = procfs.namespace_of(kernel_threads, "mnt");
    return first;
}

FormatContext format_context(const ebpf_loader::Engine& engine, const Options& options) {
    static const Host host = read_host(options.host_root);
    static const auto accounts = std::make_shared<const AccountFiles>(options.host_root + "/etc");
    static const auto containers = std::make_shared<ContainerFiles>(options.host_root);
    static const Agent agent = make_agent(options.program, command_line::version(), host.id);
    return {.node = host_name(),
            .tier = std::string(ebpf_loader::tier_name(engine.tier())),
            .boot_id = boot_id(),
            .first = first_namespaces(options.host_proc),
            .boot_time_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME),
            .host = host,
            .agent = agent,
            .accounts = accounts,
            .containers = containers,
            .fields = options.fields,
            .columns = terminal_columns,
            .colour = options.colour};
}

std::string summary_of(const ebpf_loader::Engine& engine) {
    return "tier " + std::string(ebpf_loader::tier_name(engine.tier())) + ", " +
           (engine.uses_ring_buffer() ? "ring buffer" : "perf buffers") + " of " +
           std::to_string(engine.buffer_bytes() >> 10) + " KiB, kernel offsets from " +
           engine.offsets().source;
}

/// Wrong rules do not keep --probe from saying what the kernel can do.
static std::optional<ebpf_loader::Selection>
selection_of_run(const std::function<ebpf_loader::Selection()>& selection) {
    try {
        return selection();
    } catch (const std::exception& error) {
        log(LogLevel::error, error.what());
        return std::nullopt;
    }
}

int probe(const Options& options, const std::function<ebpf_loader::Selection()>& selection) {
    const auto run = selection_of_run(selection);
    auto capabilities = ebpf_loader::probe_kernel();
    auto verdicts = ebpf_loader::judge_tiers(capabilities);
    try {
        if (capabilities.has_privileges)
            verdicts = ebpf_loader::try_tiers(capabilities, choose_offsets(options, usual_configs()),
                                              run ? &*run : nullptr);
    } catch (const ebpf_loader::Error& error) {
        log(LogLevel::error, with_advice(error));
    }
    std::string report;
    options.format->make({})->format(ProbeDocument(capabilities, verdicts), report);
    std::cout << report;
    const bool runs =
        std::any_of(verdicts.begin(), verdicts.end(), [](const auto& tier) { return tier.chosen; });
    return runs ? exit_ok : exit_status(ebpf_loader::ErrorCode::tiers);
}

uint64_t wall_clock_ns() {
    return static_cast<uint64_t>(clock_ns(CLOCK_REALTIME));
}

} // namespace telemetry
