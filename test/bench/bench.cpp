// SPDX-License-Identifier: MIT
// The benchmark suite: build-scripts/bench.sh builds and runs it.
#include "test/bench/parts/parts.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace bench {

const std::vector<Part>& parts() {
    static const std::vector<Part> all = {
        {"cost", measure_cost},   {"throughput", measure_throughput}, {"user", measure_user_side},
        {"rings", measure_rings}, {"growth", measure_growth},         {"work", measure_real_work},
    };
    return all;
}

namespace {

/// A folder that goes when we do. In memory where possible: a disk would be measured too.
class Scratch {
  public:
    Scratch() {
        const bool memory = access("/dev/shm", W_OK) == 0;
        std::string name = std::string(memory ? "/dev/shm" : "/tmp") + "/ebt-bench-XXXXXX";
        if (!mkdtemp(name.data()))
            throw std::runtime_error("cannot make a folder in /tmp");
        path_ = name;
    }
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

int run_all(int argc, char** argv) {
    Settings settings = parse_settings(argc, argv);
    if (geteuid() != 0)
        throw std::runtime_error("measuring loads eBPF programs: run it as root");
    const Scratch scratch;
    settings.scratch = scratch.path();
    Report report(settings.out);
    report.heading("Performance");
    describe_machine(settings, report);
    const auto is_asked = [&](const Part& part) { return settings.has_part(part.name); };
    const auto all = std::ranges::count_if(parts(), is_asked);
    int begun = 0;
    for (const Part& part : parts()) {
        if (!is_asked(part))
            continue;
        say("bench: " + std::string(part.name) + " (" + std::to_string(++begun) + " of " +
            std::to_string(all) + ")");
        part.run(settings, report);
        report.save();
    }
    return 0;
}

} // namespace
} // namespace bench

int main(int argc, char** argv) try {
    return bench::run_all(argc, argv);
} catch (const std::exception& error) {
    fprintf(stderr, "bench: %s\n", error.what());
    return 1;
}
