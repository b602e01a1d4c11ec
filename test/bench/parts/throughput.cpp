// SPDX-License-Identifier: MIT
// Processes that open files as fast as they can: who keeps up, at what price, and what is lost.
#include "test/bench/measure.hpp"
#include "test/bench/parts/parts.hpp"

#include <algorithm>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace bench {
namespace {

struct Run {
    double calls_per_second = 0;
    double speed = 0; ///< of the loops, beside nothing attached
    uint64_t issued = 0;
    Outcome outcome;
};

struct Result {
    Candidate who;
    size_t loops = 0;
    std::string failure;
    std::vector<Run> runs;

    /// The middle one of what `get` says of the runs.
    template <typename Get> double median(Get get) const {
        std::vector<double> values;
        for (const Run& run : runs)
            values.push_back(get(run));
        return spread(values).median;
    }
};

double per_second(const Done& done) {
    return static_cast<double>(done.count) / (static_cast<double>(done.ns) / 1e9);
}

/// What the file cache will take, touched once: the host of a virtual machine gives memory when
/// it is first written to, and takes seconds to have it back. Else writers pay for that.
void touch_memory(uint64_t bytes) {
    void* const memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory != MAP_FAILED)
        munmap(memory, bytes);
}

/// As much as text about a storm of so many ms may fill, or a third of the memory there is.
uint64_t bytes_of_storm(int milliseconds) {
    const auto free =
        static_cast<uint64_t>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    return std::min(static_cast<uint64_t>(milliseconds) << 20, free / 3);
}

Run storm(const Settings& settings, Subject& subject, size_t loops) {
    const auto command = [&](int milliseconds) {
        return Command{"storm", first_cpus(settings, loops), std::to_string(milliseconds), settings.scratch};
    };
    // Short, for the speed of the machine at this moment.
    const Done without = run_workload(settings, Subject(), command(settings.extent.storm_ms / 4));
    touch_memory(bytes_of_storm(settings.extent.storm_ms));
    subject.on();
    const Done with = run_workload(settings, subject, command(settings.extent.storm_ms));
    return {.calls_per_second = per_second(with),
            .speed = per_second(with) / per_second(without),
            .issued = with.count,
            .outcome = subject.off()};
}

Result measure(const Settings& settings, const Candidate& who, size_t loops) {
    Result result{.who = who, .loops = loops, .failure = who.absent, .runs = {}};
    if (!result.failure.empty())
        return result;
    try {
        const auto subject = who.make();
        for (int i = 0; i < settings.extent.storm_runs; i++)
            result.runs.push_back(storm(settings, *subject, loops));
    } catch (const std::exception& error) {
        result.failure = error.what();
        result.runs.clear();
    }
    return result;
}

struct Plan {
    Candidate who;
    bool on_few = false; ///< on fewer than all CPUs too, when that is asked for
};

std::vector<Plan> plans(const Settings& settings) {
    std::vector<Plan> all = {{nothing(), true}};
    const auto append = [&](const Candidate& who, bool on_few) {
        if (settings.wants(who.name))
            all.push_back({who, on_few});
    };
    for (const Candidate& who : floors(settings))
        if (who.name.starts_with("floor record"))
            append(who, true);
    for (const Candidate& who : engines(settings))
        append(who, who.name == "raw_tp");
    for (const char* output : {"null", "text", "json", "syslog"})
        append(program(settings, output), true);
    if (settings.extent.rivals)
        for (const Candidate& who : rivals(settings))
            append(who, false);
    return all;
}

/// 1, 2 and all; only 1 and all where time is short.
std::vector<size_t> loop_counts(const Settings& settings, const Plan& plan) {
    const size_t all = settings.cpus.size();
    std::vector<size_t> counts;
    if (plan.on_few && all > 1)
        counts.push_back(1);
    if (plan.on_few && all > 2 && settings.extent.every_cpu_count)
        counts.push_back(2);
    counts.push_back(all);
    return counts;
}

/// As counted in the output; where nothing can be counted, as its writer says.
double delivered(const Run& run) {
    return static_cast<double>(run.outcome.get(run.outcome.has("delivered") ? "delivered" : "emitted"));
}

std::string losses(const Result& result) {
    std::map<std::string, double> sums;
    for (const Run& run : result.runs)
        for (const auto& [name, count] : run.outcome.counts)
            if (name.starts_with("lost.") && count > 0)
                sums[name.substr(5)] += static_cast<double>(count) / static_cast<double>(result.runs.size());
    std::string text;
    for (const auto& [cause, count] : sums)
        text += (text.empty() ? "" : ", ") + cause + " " + with_commas(count);
    if (!text.empty())
        return text;
    if (result.who.group == Group::control)
        return "–";
    return result.runs[0].outcome.has("emitted") ? "none" : "not reported";
}

/// Of what the loops did. More than all, where others on the host did the same.
std::string share_delivered(const Result& result) {
    if (!result.runs[0].outcome.has("delivered"))
        return "–";
    const double share =
        result.median([](const Run& run) { return delivered(run) / static_cast<double>(run.issued); });
    return share >= 1 ? "all" : decimals(100 * share, share > 0.99 ? 2 : 1) + "%";
}

std::string cpu(const Result& result) {
    const double seconds =
        result.median([](const Run& run) { return static_cast<double>(run.outcome.cpu_ns) / 1e9; });
    return seconds > 0 ? decimals(seconds, 2) : "–";
}

/// CPU seconds a million delivered events, which is microseconds an event.
std::string cpu_each(const Result& result) {
    const double each = result.median([](const Run& run) {
        return delivered(run) > 0 ? static_cast<double>(run.outcome.cpu_ns) / 1e3 / delivered(run) : 0;
    });
    return each > 0 ? decimals(each, 2) : "–";
}

std::string memory(const Result& result) {
    const double mib = result.median(
        [](const Run& run) { return static_cast<double>(run.outcome.peak_memory) / (1 << 20); });
    return mib > 0 ? decimals(mib, 0) : "–";
}

std::string count(const Result& result, const char* name) {
    if (!result.runs[0].outcome.has(name))
        return "–";
    return with_commas(
        result.median([&](const Run& run) { return static_cast<double>(run.outcome.get(name)); }));
}

Report::Row row(const Result& result) {
    const auto issued = [](const Run& run) { return static_cast<double>(run.issued); };
    return {result.who.name,
            std::to_string(result.loops),
            with_commas(result.median([](const Run& run) { return run.calls_per_second; })),
            decimals(result.median([](const Run& run) { return run.speed; }), 2),
            with_commas(result.median(issued)),
            count(result, "seen"),
            count(result, "emitted"),
            losses(result),
            share_delivered(result),
            cpu(result),
            cpu_each(result),
            memory(result)};
}

Tone tone(Group group) {
    return group == Group::rival                               ? Tone::rival
           : group == Group::engine || group == Group::program ? Tone::ours
                                                               : Tone::floor;
}

void write_chart(const std::vector<Result>& results, size_t loops, Report& report) {
    BarChart chart{.title = "Opens a second, " + std::to_string(loops) + " loops; share that was reported",
                   .logarithmic = false,
                   .bars = {}};
    for (const Result& result : results) {
        if (!result.failure.empty() || result.loops != loops)
            continue;
        const double speed = result.median([](const Run& run) { return run.calls_per_second; });
        chart.bars.push_back({.label = result.who.name,
                              .value = speed,
                              .low = 0,
                              .high = 0,
                              .text = with_commas(speed) + ", " + share_delivered(result),
                              .tone = tone(result.who.group)});
    }
    report.chart(chart, "throughput");
}

/// seen = filtered + emitted + lost, and every call issued was seen.
std::string ledger_fault(const Run& run) {
    const Outcome& outcome = run.outcome;
    if (!outcome.has("emitted") || !outcome.has("seen"))
        return "";
    const uint64_t known = outcome.get("filtered") + outcome.get("emitted") + outcome.lost();
    if (outcome.get("seen") != known)
        return std::to_string(outcome.get("seen")) + " seen, " + std::to_string(known) + " accounted for";
    if (outcome.get("seen") < run.issued)
        return std::to_string(run.issued) + " issued, " + std::to_string(outcome.get("seen")) + " seen";
    return "";
}

void write_ledger(const std::vector<Result>& results, Report& report) {
    std::string faults;
    size_t balanced = 0;
    for (const Result& result : results)
        for (const Run& run : result.runs) {
            const std::string fault = result.who.group == Group::engine || result.who.group == Group::program
                                          ? ledger_fault(run)
                                          : "";
            if (!fault.empty())
                faults +=
                    "- " + result.who.name + ", " + std::to_string(result.loops) + " loops: " + fault + "\n";
            else if (run.outcome.has("seen") && result.who.group != Group::floor)
                balanced++;
        }
    report.text("Ledger, ours: seen = filtered + emitted + lost, and no less seen than issued, in " +
                std::to_string(balanced) + " runs" + (faults.empty() ? "." : "; not in these:"));
    if (!faults.empty())
        report.text(faults);
}

void write_start(const std::vector<Result>& results, Report& report) {
    std::vector<double> milliseconds;
    for (const Result& result : results)
        for (const Run& run : result.runs)
            if (run.outcome.has("start_us"))
                milliseconds.push_back(static_cast<double>(run.outcome.get("start_us")) / 1000);
    if (milliseconds.empty())
        return;
    const Spread start = spread(milliseconds);
    report.text("Start of ebpf_telemetry until it reports: " + decimals(start.median, 0) + " ms (" +
                decimals(start.low, 0) + "–" + decimals(start.high, 0) + ") in " +
                std::to_string(milliseconds.size()) + " starts.");
    report.raw("start_ms") = as_json(start);
}

void write_raw(const std::vector<Result>& results, Report& report) {
    Json& raw = report.raw("throughput");
    raw = Json::array();
    for (const Result& result : results) {
        Json one = {{"who", result.who.name}, {"loops", result.loops}};
        if (!result.failure.empty())
            one["failure"] = result.failure;
        for (const Run& run : result.runs)
            one["runs"].push_back({{"issued", run.issued},
                                   {"calls_per_second", run.calls_per_second},
                                   {"speed", run.speed},
                                   {"counts", run.outcome.counts},
                                   {"cpu_ns", run.outcome.cpu_ns},
                                   {"peak_memory", run.outcome.peak_memory}});
        raw.push_back(one);
    }
}

} // namespace

void measure_throughput(const Settings& settings, Report& report) {
    std::vector<Result> results;
    std::vector<Report::Row> rows;
    std::string absent;
    for (const Plan& plan : plans(settings))
        for (size_t loops : loop_counts(settings, plan)) {
            say("throughput: " + plan.who.name + ", " + std::to_string(loops) + " loops");
            results.push_back(measure(settings, plan.who, loops));
            const Result& latest = results.back();
            if (latest.failure.empty())
                rows.push_back(row(latest));
            else
                absent += "- **" + latest.who.name + "**: not measured: " + latest.failure + "\n";
        }
    report.heading("Throughput and loss");
    report.text(
        "Each loop, on a CPU of its own, opens a file for writing and closes it, as fast as it can, for " +
        decimals(settings.extent.storm_ms / 1000.0, 1) +
        " s. Speed is that of the loops beside the same with nothing attached, just before. Delivered is "
        "counted in the output itself; CPU is that of the watching process, its last work after the "
        "loops' end included; µs an event is CPU seconds a million events.");
    report.table({"attached", "loops", "opens/s", "speed", "issued", "seen", "emitted", "lost", "delivered",
                  "CPU s", "µs an event", "peak MiB"},
                 rows);
    write_ledger(results, report);
    write_start(results, report);
    if (!absent.empty())
        report.text(absent);
    write_chart(results, settings.cpus.size(), report);
    write_raw(results, report);
}

} // namespace bench
