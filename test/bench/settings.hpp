// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace bench {

using std::chrono::milliseconds;

/// How much is measured. Chosen so that --quick ends within three minutes, and --steady in about ten.
struct Extent {
    int pairs = 15;      ///< of runs without and with something attached
    int rival_pairs = 5; ///< theirs take longer to start
    int cost_ms = 100;   ///< a run of one kind of call
    int storm_ms = 10'000;
    int storm_runs = 3;
    bool every_cpu_count = true; ///< every output of ours on 1, 2 and all CPUs
    double user_seconds = 1;     ///< a figure of the user side
    std::vector<int> depths = {1, 2, 5, 10, 20, 50, 100};
    std::vector<int> argv_bytes = {0, 1000, 4000, 16'000, 32'000};
    std::vector<int> processes = {10, 1000, 10'000, 50'000};
    int short_lived = 1'000'000;
    bool real_work = true;
    bool rivals = true;
    bool every_tier = true;

    static Extent quick();
    static Extent steady(); ///< quick, with the pairs that a machine with shared CPUs needs
    static Extent smoke();  ///< does it work at all: the figures mean nothing
};

struct Settings {
    Extent extent;
    std::string extent_name = "full";
    std::string out;              ///< folder for the report
    std::set<std::string> parts;  ///< empty: all
    std::set<std::string> chosen; ///< subjects; empty: all
    std::string tools;            ///< folder of bench_workload and bench_subject
    std::string program;          ///< ebpf_telemetry
    std::string source;           ///< this project's tree
    std::string scratch;          ///< folder of our own, in memory where possible
    std::vector<int> cpus;        ///< that we may use

    bool has_part(const std::string& name) const { return parts.empty() || parts.contains(name); }
    bool wants(const std::string& subject) const { return chosen.empty() || chosen.contains(subject); }
    std::string rules() const { return source + "/test/bench/cost.rules"; }
};

/// Throws with what is wrong.
Settings parse_settings(int argc, char** argv);

/// Tells the user how far things are; standard error.
void say(const std::string& line);

} // namespace bench
