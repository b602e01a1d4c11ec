// SPDX-License-Identifier: MIT
// Records what the engine says of the workload, and lets bench_user_side go through it.
#include <cstdlib>

#include "test/bench/measure.hpp"
#include "test/bench/parts/parts.hpp"

#include <stdexcept>

namespace bench {
namespace {

constexpr const char* stages[] = {"decode", "complete", "filter", "brief", "text",
                                  "json",   "compact",  "audit",  "all"};

/// Long enough for some of the slowest kind, however short the rest is.
void record(Settings settings, const std::string& path) {
    settings.extent.cost_ms = 300; // enough of the slowest, an exec, on the slowest machine
    const auto subject = make_helper(settings, {"record", settings.rules(), path});
    subject->on();
    for (const char* call : {"open_write", "unlink", "connect", "exec"})
        time_call(settings, *subject, call);
    subject->off();
}

/// Figures by group and stage.
struct Figure {
    double events = 0; ///< a second
    double bytes_in = 0;
    double bytes_out = 0;
};
using Figures = std::map<std::string, std::map<std::string, Figure>>;

Figures read_figures(const Json& answer) {
    Figures figures;
    for (const Json& one : answer.at("benchmarks")) {
        const std::string name = one.at("name");
        const size_t slash = name.find('/');
        figures[name.substr(0, slash)][name.substr(slash + 1)] = {.events = one.at("items_per_second"),
                                                                  .bytes_in = one.at("bytes_per_second"),
                                                                  .bytes_out = one.at("bytes_out")};
    }
    return figures;
}

void write_tables(const Figures& figures, Report& report) {
    Report::Row header = {"events of"};
    header.insert(header.end(), std::begin(stages), std::end(stages));
    std::vector<Report::Row> events, bytes;
    BarChart chart{
        .title = "Events a second on one CPU, decoded and written as JSON", .logarithmic = false, .bars = {}};
    for (const auto& [group, by_stage] : figures) {
        Report::Row rate = {group}, volume = {group};
        for (const char* stage : stages) {
            const Figure& figure = by_stage.at(stage);
            rate.push_back(decimals(figure.events / 1e6, 2));
            volume.push_back(decimals(figure.bytes_in / 1e6, 0) +
                             (figure.bytes_out > 0 ? " → " + decimals(figure.bytes_out / 1e6, 0) : ""));
        }
        events.push_back(rate);
        bytes.push_back(volume);
        const double json = by_stage.at("json").events;
        chart.bars.push_back({.label = group,
                              .value = json,
                              .low = 0,
                              .high = 0,
                              .text = decimals(json / 1e6, 2) + " M",
                              .tone = Tone::ours});
    }
    report.text("Million events a second:");
    report.table(header, events);
    report.text("Megabytes a second of records read → of lines written:");
    report.table(header, bytes);
    report.chart(chart, "user-side");
}

} // namespace

void measure_user_side(const Settings& settings, Report& report) {
    say("user side");
    const std::string path = settings.scratch + "/records", answer = settings.scratch + "/user.json";
    record(settings, path);
    setenv("EBT_BENCH_RECORDS", path.c_str(), 1);
    run({settings.tools + "/bench_user_side", "--benchmark_out=" + answer, "--benchmark_out_format=json",
         "--benchmark_min_time=" + decimals(settings.extent.user_seconds, 3)});
    const Json figures = Json::parse(run({"cat", answer}));
    report.heading("User side alone");
    report.text(
        "One CPU, from records as the kernel side wrote them: *decode* is reading the record, *complete* "
        "adds what is known of the process, *filter* also asks the built-in rules; *text*, *json*, "
        "*compact* (JSON with --fields compact) and *audit* are decode, complete and format; *all* is "
        "everything with JSON.");
    write_tables(read_figures(figures), report);
    report.raw("user") = figures.at("benchmarks");
}

} // namespace bench
