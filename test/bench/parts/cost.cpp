// SPDX-License-Identifier: MIT
// What a system call costs more while something watches.
#include "test/bench/measure.hpp"
#include "test/bench/parts/parts.hpp"

#include <stdexcept>

namespace bench {
namespace {

struct Call {
    const char* name;
    const char* title;
};
constexpr Call calls[] = {
    {"getppid", "getppid, not selected"},      {"open_read", "openat to read + close, filtered out"},
    {"open_write", "openat to write + close"}, {"unlink", "unlink"},
    {"connect", "connect, refused"},           {"exec", "fork + exec + exit + wait"},
};

struct Result {
    Candidate who;
    std::string failure; ///< why there are no figures
    Comparison comparison;
};

std::vector<Timed> timed_calls() {
    std::vector<Timed> all;
    for (const Call& call : calls)
        all.push_back({.name = call.name, .call = call.name, .details = {}});
    return all;
}

Result measure(const Settings& settings, const Candidate& who) {
    Result result{.who = who, .failure = who.absent, .comparison = {}};
    if (!result.failure.empty())
        return result;
    say("cost: " + who.name);
    const Extent& extent = settings.extent;
    try {
        result.comparison = compare(settings, *who.make(), timed_calls(),
                                    who.group == Group::rival ? extent.rival_pairs : extent.pairs);
    } catch (const std::exception& error) {
        result.failure = error.what();
    }
    return result;
}

std::vector<Candidate> candidates(const Settings& settings) {
    std::vector<Candidate> all = {nothing()};
    const auto append = [&](const std::vector<Candidate>& some) {
        for (const Candidate& one : some)
            if (settings.wants(one.name))
                all.push_back(one);
    };
    append(floors(settings));
    append(engines(settings));
    append({program(settings, "json")});
    if (settings.extent.rivals)
        append(rivals(settings));
    return all;
}

std::string range(const Spread& ratio) {
    return decimals(ratio.median, 2) + " (" + decimals(ratio.low, 2) + "–" + decimals(ratio.high, 2) + ")";
}

using Cell = std::string (*)(const Pairs& pairs);

void write_table(const std::vector<Result>& results, Cell cell, Report& report) {
    Report::Row header = {"attached"};
    for (const Call& call : calls)
        header.push_back(call.title);
    std::vector<Report::Row> rows;
    for (const Result& result : results) {
        Report::Row row = {result.who.name};
        for (const Call& call : calls)
            row.push_back(result.failure.empty() ? cell(result.comparison.pairs.at(call.name)) : "–");
        rows.push_back(row);
    }
    report.table(header, rows);
}

void write_baseline(const std::vector<Result>& results, Report& report) {
    Report::Row header = {"ns a call"}, row = {"nothing attached"};
    for (const Call& call : calls) {
        std::vector<double> all;
        for (const Result& result : results)
            if (result.failure.empty()) {
                const auto& some = result.comparison.pairs.at(call.name).without;
                all.insert(all.end(), some.begin(), some.end());
            }
        const Spread ns = spread(all);
        header.push_back(call.title);
        row.push_back(with_commas(ns.median) + " (" + with_commas(ns.low) + "–" + with_commas(ns.high) + ")");
    }
    report.table(header, {row});
}

void write_legend(const std::vector<Result>& results, Report& report) {
    std::string text;
    for (const Result& result : results)
        text += "- **" + result.who.name + "**: " + result.who.about +
                (result.failure.empty() ? "" : " — not measured: " + result.failure) + "\n";
    report.text(text);
}

Tone tone(Group group) {
    switch (group) {
    case Group::control:
    case Group::floor:
        return Tone::floor;
    case Group::engine:
    case Group::program:
        return Tone::ours;
    case Group::rival:
        break;
    }
    return Tone::rival;
}

void write_charts(const std::vector<Result>& results, Report& report) {
    for (const Call& call : calls) {
        BarChart chart{.title = std::string("ns added: ") + call.title, .logarithmic = true, .bars = {}};
        for (const Result& result : results) {
            if (!result.failure.empty())
                continue;
            const Spread added = result.comparison.pairs.at(call.name).added();
            chart.bars.push_back({.label = result.who.name,
                                  .value = added.median,
                                  .low = added.low,
                                  .high = added.high,
                                  .text = with_sign(added.median) + " ns",
                                  .tone = tone(result.who.group)});
        }
        report.chart(chart, std::string("cost-") + call.name);
    }
}

const Result* find(const std::vector<Result>& results, const std::string& name) {
    for (const Result& result : results)
        if (result.who.name == name && result.failure.empty())
            return &result;
    return nullptr;
}

/// What a call takes with something attached over what it takes with something else attached,
/// each as so much more than nothing in its own pairs.
std::string against(const std::vector<Result>& results, const Result& ours, const std::string& floor,
                    const std::string& call) {
    const Result* least = find(results, floor);
    if (!least)
        return "–";
    const Pairs &mine = ours.comparison.pairs.at(call), &theirs = least->comparison.pairs.at(call);
    const double whole = mine.ratio().median / theirs.ratio().median;
    const double added = mine.added().median, floor_added = theirs.added().median;
    std::string text = decimals(whole, 2);
    if (floor_added > 0)
        text += " (" + decimals(added / floor_added, 2) + ")";
    return text;
}

void write_distance(const std::vector<Result>& results, Report& report) {
    std::vector<Report::Row> rows;
    for (const Result& result : results)
        if (result.who.group == Group::engine && result.failure.empty())
            rows.push_back({result.who.name, against(results, result, "floor empty", "getppid"),
                            against(results, result, "floor bitmap", "open_read"),
                            against(results, result, "floor record_ring", "open_write"),
                            against(results, result, "floor record_perf", "open_write"),
                            against(results, result, "nothing", "exec")});
    report.text("How far from the floors: the whole call with ours attached over the same with the floor "
                "attached, and in brackets what ours adds over what the floor adds.");
    report.table({"tier", "getppid / empty", "openat to read / bitmap", "openat to write / record to ring",
                  "openat to write / record to perf", "fork + exec + exit / nothing"},
                 rows);
}

void write_raw(const std::vector<Result>& results, Report& report) {
    Json& raw = report.raw("cost");
    for (const Result& result : results) {
        Json& one = raw[result.who.name];
        if (!result.failure.empty())
            one["failure"] = result.failure;
        for (const auto& [call, pairs] : result.comparison.pairs)
            one["ns"][call] = as_json(pairs);
        one["counts"] = result.comparison.outcome.counts;
    }
}

} // namespace

void measure_cost(const Settings& settings, Report& report) {
    std::vector<Result> results;
    for (const Candidate& who : candidates(settings)) {
        results.push_back(measure(settings, who));
        const Result& latest = results.back();
        for (const auto& [call, pairs] : latest.comparison.pairs)
            say("    " + call + ": " + with_sign(pairs.added().median) + " ns, ratio " +
                range(pairs.ratio()));
        if (!latest.failure.empty())
            say("    not measured: " + latest.failure);
    }
    report.heading("Cost on the workload");
    report.text(
        "One process on one CPU makes calls of one kind. Each pair is a run with nothing attached and "
        "one with something, in turns; medians over the pairs, quartiles in brackets. The row "
        "*nothing* is how much of it is noise.");
    write_baseline(results, report);
    report.text("Nanoseconds added to a call:");
    write_table(
        results, [](const Pairs& pairs) { return with_sign(pairs.added().median); }, report);
    report.text("Ratios:");
    write_table(
        results, [](const Pairs& pairs) { return range(pairs.ratio()); }, report);
    write_legend(results, report);
    write_distance(results, report);
    write_charts(results, report);
    write_raw(results, report);
}

} // namespace bench
