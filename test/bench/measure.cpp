// SPDX-License-Identifier: MIT
#include "test/bench/measure.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace bench {
namespace {

std::string workload(const Settings& settings, const Subject& subject, Command words) {
    words.insert(words.begin(), settings.tools + "/bench_workload");
    return run(subject.around(words));
}

void add(Outcome& sum, const Outcome& more) {
    for (const auto& [name, count] : more.counts)
        sum.counts[name] += count;
    sum.cpu_ns += more.cpu_ns;
    sum.peak_memory = std::max(sum.peak_memory, more.peak_memory);
}

/// The last CPU: the first ones are where interrupts tend to go.
std::string quiet_cpu(const Settings& settings) {
    return std::to_string(settings.cpus.back());
}

} // namespace

double time_call(const Settings& settings, const Subject& subject, const std::string& call,
                 const Command& details) {
    Command words = {"time", call, quiet_cpu(settings), std::to_string(settings.extent.cost_ms),
                     settings.scratch};
    words.insert(words.end(), details.begin(), details.end());
    std::istringstream answer(workload(settings, subject, words));
    double calls = 0, median = 0;
    if (!(answer >> calls >> median) || median <= 0)
        throw std::runtime_error("the workload says nothing");
    return median;
}

Comparison compare(const Settings& settings, Subject& subject, const std::vector<Timed>& calls, int pairs) {
    const Subject without;
    Comparison all;
    for (int i = 0; i < pairs; i++) {
        for (const Timed& timed : calls)
            all.pairs[timed.name].without.push_back(time_call(settings, without, timed.call, timed.details));
        subject.on();
        for (const Timed& timed : calls)
            all.pairs[timed.name].with.push_back(time_call(settings, subject, timed.call, timed.details));
        add(all.outcome, subject.off());
    }
    for (const char* what : {"seen", "lines"})
        if (all.outcome.has(what) && all.outcome.get(what) == 0)
            throw std::runtime_error("it saw nothing of what was done");
    return all;
}

Done run_workload(const Settings& settings, const Subject& subject, Command words) {
    std::istringstream answer(workload(settings, subject, std::move(words)));
    Done done;
    if (!(answer >> done.count >> done.ns) || done.ns == 0)
        throw std::runtime_error("the workload says nothing");
    return done;
}

std::string first_cpus(const Settings& settings, size_t count) {
    std::string text;
    for (size_t i = 0; i < std::min(count, settings.cpus.size()); i++)
        text += (i ? "," : "") + std::to_string(settings.cpus[i]);
    return text;
}

} // namespace bench
