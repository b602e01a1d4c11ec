// SPDX-License-Identifier: MIT
#include "test/bench/settings.hpp"

#include <cstdio>
#include <filesystem>
#include <map>
#include <sched.h>
#include <stdexcept>

#include "test/bench/parts/parts.hpp"

namespace bench {
namespace {

std::vector<int> usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    std::vector<int> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set))
            cpus.push_back(cpu);
    return cpus;
}

bool is_part(const std::string& name) {
    for (const Part& part : parts())
        if (name == part.name)
            return true;
    return false;
}

} // namespace

Extent Extent::quick() {
    return {.pairs = 5,
            .rival_pairs = 2,
            .cost_ms = 20,
            .storm_ms = 2000,
            .storm_runs = 1,
            .every_cpu_count = false,
            .user_seconds = 0.1,
            .depths = {1, 10, 100},
            .argv_bytes = {0, 4000, 32'000},
            .processes = {10, 1000},
            .short_lived = 20'000,
            .real_work = false};
}

Extent Extent::steady() {
    Extent extent = quick();
    extent.pairs = 25;
    extent.rival_pairs = 5;
    extent.cost_ms = 40;
    extent.user_seconds = 0.3;
    return extent;
}

Extent Extent::smoke() {
    return {.pairs = 1,
            .rival_pairs = 1,
            .cost_ms = 2,
            .storm_ms = 200,
            .storm_runs = 1,
            .every_cpu_count = false,
            .user_seconds = 0.01,
            .depths = {1, 3},
            .argv_bytes = {0, 1000},
            .processes = {3},
            .short_lived = 200,
            .real_work = false,
            .rivals = false};
}

Settings parse_settings(int argc, char** argv) {
    static const std::map<std::string, Extent (*)()> extents = {
        {"--quick", Extent::quick}, {"--steady", Extent::steady}, {"--smoke", Extent::smoke}};
    Settings settings;
    for (int i = 1; i < argc; i++) {
        const std::string word = argv[i];
        const auto value = [&]() -> std::string {
            return i + 1 < argc ? argv[++i] : throw std::runtime_error(word + " needs a value");
        };
        if (const auto extent = extents.find(word); extent != extents.end()) {
            settings.extent = extent->second();
            settings.extent_name = word.substr(2);
        } else if (word == "--out") {
            settings.out = value();
        } else if (word == "--program") {
            settings.program = value();
        } else if (word == "--source") {
            settings.source = value();
        } else if (word == "--only") {
            const std::string name = value();
            (is_part(name) ? settings.parts : settings.chosen).insert(name);
        } else {
            throw std::runtime_error("unknown: " + word);
        }
    }
    if (settings.out.empty() || settings.program.empty() || settings.source.empty())
        throw std::runtime_error("--out, --program and --source are needed; use build-scripts/bench.sh");
    settings.cpus = usable_cpus();
    settings.tools = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    return settings;
}

void say(const std::string& line) {
    fprintf(stderr, "%s\n", line.c_str());
}

} // namespace bench
