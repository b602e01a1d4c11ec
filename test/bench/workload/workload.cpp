// SPDX-License-Identifier: MIT
// The workload of the benchmarks: makes system calls of one kind, and says how long they took.
//   bench_workload time CALL CPU MILLISECONDS FOLDER [depth=N] [argv=BYTES] [processes=N]
//       prints: calls, median and least nanoseconds a call
//   bench_workload storm CPU[,CPU...] MILLISECONDS FOLDER
//       prints: calls, nanoseconds that it took
//   bench_workload short_lived CPU[,CPU...] COUNT
//       prints: processes, nanoseconds that it took
#include "test/bench/workload/workload.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>

using namespace workload;

namespace {

constexpr uint64_t batch_ns = 1'000'000; ///< long beside the clock, short beside a time slice

uint64_t timed(Call& call, size_t count) {
    call.prepare(count);
    const uint64_t start = now_ns();
    call.run(count);
    return now_ns() - start;
}

/// Calls a batch; finding it out warms caches up too.
size_t batch_size(Call& call) {
    size_t count = 1;
    while (count < call.most() && timed(call, count) < batch_ns)
        count = std::min(2 * count, call.most());
    return count;
}

int time_call(Call& call, uint64_t time_ns) {
    const size_t count = batch_size(call);
    std::vector<double> each;
    const uint64_t end = now_ns() + time_ns;
    while (each.size() < 3 || now_ns() < end)
        each.push_back(static_cast<double>(timed(call, count)) / static_cast<double>(count));
    std::sort(each.begin(), each.end());
    printf("%zu %.1f %.1f\n", count * each.size(), each[each.size() / 2], each.front());
    return 0;
}

uint64_t number(const std::string& text) {
    char* end = nullptr;
    const uint64_t value = strtoull(text.c_str(), &end, 10);
    if (text.empty() || *end)
        fail("not a number: " + text);
    return value;
}

std::vector<int> list(const std::string& text) {
    std::vector<int> values;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, ',');)
        values.push_back(static_cast<int>(number(part)));
    return values;
}

void read_detail(const std::string& text, Setting& setting) {
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const size_t value = number(equals == std::string::npos ? "" : text.substr(equals + 1));
    if (name == "depth")
        setting.depth = value;
    else if (name == "argv")
        setting.argv_bytes = value;
    else if (name == "processes")
        setting.processes = value;
    else
        fail("unknown: " + text);
}

int run(const std::vector<std::string>& words) {
    const std::string what = words.empty() ? "" : words[0];
    if (what == "time" && words.size() >= 5) {
        Setting setting{.folder = words[4]};
        for (size_t i = 5; i < words.size(); i++)
            read_detail(words[i], setting);
        pin(static_cast<int>(number(words[2])));
        const auto call = make_call(words[1], setting);
        if (!call)
            fail("no such call: " + words[1]);
        return time_call(*call, number(words[3]) * 1'000'000);
    }
    if (what == "storm" && words.size() == 4)
        return run_storm(
            {.cpus = list(words[1]), .time_ns = number(words[2]) * 1'000'000, .folder = words[3]});
    if (what == "short_lived" && words.size() == 3)
        return run_short_lived(list(words[1]), number(words[2]));
    fail("see the top of workload.cpp for what it takes");
}

} // namespace

int main(int argc, char** argv) try {
    if (argc > 1 && !strcmp(argv[1], "exit"))
        _Exit(0); // what the exec call executes
    return run({argv + 1, argv + argc});
} catch (const std::exception& error) {
    fprintf(stderr, "bench_workload: %s\n", error.what());
    return 1;
}
