// SPDX-License-Identifier: MIT
// How the cost grows with what there is to do.
#include "test/bench/measure.hpp"
#include "test/bench/parts/parts.hpp"

#include <ebpf_loader/syscalls.hpp>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace bench {
namespace {

std::string write_rules(const Settings& settings, const std::string& name, const std::string& text) {
    std::string path = settings.scratch + "/" + name + ".rules";
    std::ofstream(path) << text;
    return path;
}

std::unique_ptr<Subject> engine(const Settings& settings, const std::string& rules) {
    return make_helper(settings, {"engine", rules});
}

constexpr const char* filtered_open = "openat flags | (O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)\n";

/// Rules for so many system calls, openat with its filter among them; not those of the workload else.
std::string rules_for(size_t count) {
    std::string text = filtered_open;
    size_t rules = 1;
    for (const ebpf_loader::SyscallRow& row : ebpf_loader::syscall_rows()) {
        const std::string name(row.name);
        const bool is_ours = name == "openat" || name == "close" || name == "getppid";
        if (rules >= count || ebpf_loader::find_syscall(name) != &row || (is_ours && count < SIZE_MAX))
            continue;
        if (name != "openat")
            text += name + "\n";
        rules++;
    }
    return text;
}

/// Clauses of which none holds for the flags O_RDONLY, so that all are tried.
std::string clauses(int count) {
    std::string text = "openat";
    for (int i = 0; i < count; i++)
        text += " flags = " + std::to_string(1'000'000 + i);
    return text + "\n";
}

struct Figure {
    std::string what;
    Comparison comparison;
    std::string failure;
};

Figure measure(const Settings& settings, const std::string& what, const std::string& rules,
               const std::vector<Timed>& calls) {
    say("growth: " + what);
    Figure figure{.what = what, .comparison = {}, .failure = ""};
    try {
        figure.comparison = compare(settings, *engine(settings, rules), calls, settings.extent.pairs);
    } catch (const std::exception& error) {
        figure.failure = error.what();
    }
    return figure;
}

std::string cell(const Pairs& pairs) {
    const Spread ratio = pairs.ratio();
    return with_sign(pairs.added().median) + " ns, " + decimals(ratio.median, 2) + " (" +
           decimals(ratio.low, 2) + "–" + decimals(ratio.high, 2) + ")";
}

void keep(const Figure& figure, Report& report) {
    Json& raw = report.raw("growth")[figure.what];
    if (!figure.failure.empty())
        raw["failure"] = figure.failure;
    for (const auto& [name, pairs] : figure.comparison.pairs)
        raw[name] = as_json(pairs);
}

void grow_rules(const Settings& settings, Report& report) {
    const std::vector<Timed> calls = {{"getppid", "getppid", {}}, {"open_write", "open_write", {}}};
    std::vector<Report::Row> rows;
    for (const auto& [title, count] : {std::pair<const char*, size_t>{"1 call", 1},
                                       {"50 calls", 50},
                                       {"every call, getppid and close too", SIZE_MAX}}) {
        const std::string rules = write_rules(settings, "growth", rules_for(count));
        const Figure figure = measure(settings, std::string("rules: ") + title, rules, calls);
        if (figure.failure.empty())
            rows.push_back({title, cell(figure.comparison.pairs.at("getppid")),
                            cell(figure.comparison.pairs.at("open_write"))});
        else
            rows.push_back({title, figure.failure, "–"});
        keep(figure, report);
    }
    report.text("Number of selected system calls; best tier, here and below:");
    report.table({"selected", "getppid", "openat to write + close"}, rows);
}

void grow_clauses(const Settings& settings, Report& report) {
    std::vector<Report::Row> rows;
    for (int count : {1, 8, 32}) {
        const std::string rules = write_rules(settings, "growth", clauses(count));
        const Figure figure =
            measure(settings, "clauses: " + std::to_string(count), rules, {{"open_read", "open_read", {}}});
        rows.push_back({std::to_string(count), figure.failure.empty()
                                                   ? cell(figure.comparison.pairs.at("open_read"))
                                                   : figure.failure});
        keep(figure, report);
    }
    report.text("Number of clauses that the kernel tries in vain:");
    report.table({"clauses", "openat to read + close"}, rows);
}

/// The same call with more and more of something: ours beside the record floor.
struct Ladder {
    std::string what;  ///< "folders above the file"
    std::string chart; ///< file
    std::string call, detail;
    std::vector<int> steps;
};

LineChart::Line line(const Ladder& ladder, const Figure& figure) {
    LineChart::Line line{.label = figure.what, .points = {}};
    for (int step : ladder.steps) {
        const Spread added = figure.comparison.pairs.at(std::to_string(step)).added();
        line.points.push_back(
            {.x = static_cast<double>(step), .y = added.median, .low = added.low, .high = added.high});
    }
    return line;
}

Figure climb(const Settings& settings, const Ladder& ladder, const std::string& who, Subject& subject) {
    say("growth: " + ladder.what + ": " + who);
    std::vector<Timed> calls;
    for (int step : ladder.steps)
        calls.push_back({std::to_string(step), ladder.call, {ladder.detail + "=" + std::to_string(step)}});
    return {
        .what = who, .comparison = compare(settings, subject, calls, settings.extent.pairs), .failure = ""};
}

void climb_ladder(const Settings& settings, const Ladder& ladder, Report& report) {
    std::vector<Figure> figures;
    figures.push_back(climb(settings, ladder, "our engine", *engine(settings, settings.rules())));
    figures.push_back(
        climb(settings, ladder, "floor record_ring", *make_helper(settings, {"floor", "record_ring"})));
    std::vector<Report::Row> rows;
    for (int step : ladder.steps) {
        Report::Row row = {with_commas(step)};
        for (const Figure& figure : figures)
            row.push_back(cell(figure.comparison.pairs.at(std::to_string(step))));
        rows.push_back(row);
    }
    report.text("Number of " + ladder.what + ":");
    report.table({ladder.what, figures[0].what, figures[1].what}, rows);
    LineChart chart{.title = "ns added, by " + ladder.what, .x_label = ladder.what, .y_label = "ns added"};
    for (const Figure& figure : figures) {
        chart.lines.push_back(line(ladder, figure));
        report.raw("growth")[ladder.what][figure.what] = [&] {
            Json json;
            for (const auto& [step, pairs] : figure.comparison.pairs)
                json[step] = as_json(pairs);
            return json;
        }();
    }
    report.chart(chart, ladder.chart);
}

long number_in(const char* path) {
    std::ifstream file(path);
    long value = 0;
    file >> value;
    return value;
}

/// Those that this host has room for.
std::vector<int> possible_processes(const Settings& settings, std::string& note) {
    const long limit =
        std::min(number_in("/proc/sys/kernel/pid_max"), number_in("/proc/sys/kernel/threads-max")) * 9 / 10;
    std::vector<int> steps;
    for (int count : settings.extent.processes)
        if (const int possible = static_cast<int>(std::min<long>(count, limit));
            steps.empty() || possible > steps.back())
            steps.push_back(possible);
    if (settings.extent.processes.back() > limit)
        note = " This host allows no more than " + with_commas(static_cast<double>(limit)) + ".";
    return steps;
}

void grow_processes(const Settings& settings, Report& report) {
    std::string note;
    const Ladder ladder{.what = "live processes",
                        .chart = "growth-processes",
                        .call = "turns",
                        .detail = "processes",
                        .steps = possible_processes(settings, note)};
    report.text("Live processes that take turns at opening a file, a switch of processes included." + note);
    climb_ladder(settings, ladder, report);
}

/// The program's memory while processes come and go.
void grow_memory(const Settings& settings, Report& report) {
    say("growth: short-lived processes");
    constexpr int parts = 10;
    const auto subject = program(settings, "json", true).make();
    subject->on();
    std::vector<Report::Row> rows = {
        {"0", decimals(static_cast<double>(subject->resident()) / (1 << 20), 1)}};
    Json& raw = report.raw("growth")["short-lived processes"];
    double done = 0;
    for (int i = 0; i < parts; i++) {
        const int count = settings.extent.short_lived / parts;
        done += static_cast<double>(
            run_workload(settings, *subject,
                         {"short_lived", first_cpus(settings, settings.cpus.size()), std::to_string(count)})
                .count);
        raw[decimals(done, 0)] = subject->resident();
        rows.push_back(
            {with_commas(done), decimals(static_cast<double>(subject->resident()) / (1 << 20), 1)});
    }
    const Outcome outcome = subject->off();
    report.text("Short-lived processes under the built-in rules: resident memory of the program.");
    report.table({"processes so far", "MiB"}, rows);
    report.text("Seen: " + with_commas(static_cast<double>(outcome.get("seen"))) +
                " events; lost: " + with_commas(static_cast<double>(outcome.lost())) + ".");
}

} // namespace

void measure_growth(const Settings& settings, Report& report) {
    report.heading("Growth");
    grow_rules(settings, report);
    grow_clauses(settings, report);
    climb_ladder(settings,
                 {.what = "folders above the file",
                  .chart = "growth-depth",
                  .call = "open_write",
                  .detail = "depth",
                  .steps = settings.extent.depths},
                 report);
    climb_ladder(settings,
                 {.what = "bytes of arguments of an exec",
                  .chart = "growth-argv",
                  .call = "exec",
                  .detail = "argv",
                  .steps = settings.extent.argv_bytes},
                 report);
    grow_processes(settings, report);
    grow_memory(settings, report);
}

} // namespace bench
