// SPDX-License-Identifier: MIT
#pragma once
#include "test/bench/report/statistics.hpp"
#include "test/bench/subjects.hpp"

namespace bench {

/// Runs the workload's one kind of call; nanoseconds a call, the median of its batches.
/// `details`: "depth=10" and the like.
double time_call(const Settings& settings, const Subject& subject, const std::string& call,
                 const Command& details = {});

/// A kind of call with its details, and under which name its figures go.
struct Timed {
    std::string name;
    std::string call;
    Command details;
};

struct Comparison {
    std::map<std::string, Pairs> pairs; ///< by Timed::name
    Outcome outcome;                    ///< all pairs together; the most memory
};

/// Without and with the subject, in turns. Throws when the subject did not work.
Comparison compare(const Settings& settings, Subject& subject, const std::vector<Timed>& calls, int pairs);

/// Runs bench_workload with these words, and gives the two numbers that it prints.
struct Done {
    uint64_t count = 0;
    uint64_t ns = 0;
};
Done run_workload(const Settings& settings, const Subject& subject, Command words);

/// The first CPUs that may be used: "0,1".
std::string first_cpus(const Settings& settings, size_t count);

} // namespace bench
