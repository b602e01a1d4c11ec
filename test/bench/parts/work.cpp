// SPDX-License-Identifier: MIT
// Work as people do it, with and without us.
#include "test/bench/measure.hpp"
#include "test/bench/parts/parts.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

/// Gives a figure: the less the better.
using Work = std::function<double()>;

constexpr int pairs_of_work = 5;

double seconds_of(const Command& command) {
    const auto start = std::chrono::steady_clock::now();
    run(command);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Some sources of this project, on all CPUs, for nothing but their errors.
double compile(const Settings& settings) {
    const std::string jobs = std::to_string(settings.cpus.size());
    return seconds_of({"sh", "-c",
                       "ls " + settings.source + "/telemetry/[d-r]*.cpp | head -16 | xargs -P " + jobs +
                           " -n 1 g++ -std=c++20 -fsyntax-only -I " + settings.source + "/telemetry -I " +
                           settings.source + "/loader/include -I " + settings.tools + "/../../include"});
}

/// Many small processes, one after the other, as scripts have them.
double script() {
    return seconds_of({"sh", "-c", "i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i+1)); done"});
}

/// A Redis server of our own, without a disk.
class Redis {
  public:
    explicit Redis(const Settings& settings)
        : socket_(settings.scratch + "/redis.sock"),
          server_({"redis-server", "--port", "0", "--unixsocket", socket_, "--save", "", "--appendonly", "no",
                   "--dir", settings.scratch}) {
        for (int i = 0; i < 200 && !std::filesystem::exists(socket_); i++)
            std::this_thread::sleep_for(milliseconds(20));
    }
    ~Redis() { server_.end(SIGTERM, milliseconds(3000)); }
    Redis(const Redis&) = delete;
    Redis& operator=(const Redis&) = delete;

    double benchmark() const {
        return seconds_of(
            {"redis-benchmark", "-s", socket_, "-q", "-n", "200000", "-c", "20", "-t", "set,get"});
    }

  private:
    std::string socket_;
    Process server_;
};

struct Result {
    std::string name;
    Pairs pairs;
    std::string failure;
};

Result measure(const std::string& name, const Candidate& who, const Work& work) {
    say("real work: " + name + ", " + who.name);
    Result result{.name = name, .pairs = {}, .failure = ""};
    try {
        const auto subject = who.make();
        work(); // warms caches up
        for (int i = 0; i < pairs_of_work; i++) {
            result.pairs.without.push_back(work());
            subject->on();
            result.pairs.with.push_back(work());
            subject->off();
        }
    } catch (const std::exception& error) {
        result.failure = error.what();
    }
    return result;
}

Report::Row row(const Result& result, const Candidate& who) {
    if (!result.failure.empty())
        return {result.name, who.name, result.failure, "–", "–"};
    const Spread ratio = result.pairs.ratio();
    return {result.name, who.name, decimals(spread(result.pairs.without).median, 2),
            decimals(spread(result.pairs.with).median, 2),
            decimals(ratio.median, 3) + " (" + decimals(ratio.low, 3) + "–" + decimals(ratio.high, 3) + ")"};
}

} // namespace

void measure_real_work(const Settings& settings, Report& report) {
    if (!settings.extent.real_work)
        return;
    std::vector<std::pair<std::string, Work>> works = {
        {"compiling 16 files", [&] { return compile(settings); }},
        {"a script that starts 1,000 programs", script},
    };
    std::optional<Redis> redis;
    if (!which("redis-server").empty() && !which("redis-benchmark").empty()) {
        redis.emplace(settings);
        works.emplace_back("redis-benchmark", [&] { return redis->benchmark(); });
    }
    std::vector<Report::Row> rows;
    for (const auto& [name, work] : works)
        for (const Candidate& who : {nothing(), program(settings, "json", true)}) {
            const Result result = measure(name, who, work);
            rows.push_back(row(result, who));
            Json& raw = report.raw("work")[name][who.name];
            raw = as_json(result.pairs);
            if (!result.failure.empty())
                raw["failure"] = result.failure;
        }
    report.heading("Real work");
    report.text(
        "Seconds without and with ebpf_telemetry under its built-in rules, JSON to a file, in pairs.");
    report.table({"work", "attached", "without", "with", "ratio"}, rows);
    if (!redis)
        report.text("redis-benchmark: not installed.");
}

} // namespace bench
