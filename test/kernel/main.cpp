// SPDX-License-Identifier: MIT
// kernel_tests: what the engine reports of system calls, on the running kernel, tier by tier.
//   --tiers=tp,raw_tp  these tiers; one that this kernel refuses is a failure. Default: all
//   --tiers=possible   all but those of which --probe says that this kernel cannot run them
//   --offsets=FILE     kernel offsets from a config instead of what the engine finds itself
// and GoogleTest's own.
#include <algorithm>
#include <cstdio>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "test/kernel/fixture.hpp"
#include "test/tiers.hpp"

namespace {

std::vector<ebpf_loader::Tier> parse_arguments(int argc, char** argv) {
    std::string tiers = wanted_tiers();
    for (int i = 1; i < argc; i++) {
        const std::string_view argument(argv[i]);
        const std::string value(argument.substr(std::min(argument.find('=') + 1, argument.size())));
        if (argument.starts_with("--tiers="))
            tiers = value;
        else if (argument.starts_with("--offsets="))
            kernel_test::use_offsets(ebpf_loader::Offsets::from_config(value));
        else
            throw std::runtime_error("unknown argument " + std::string(argument));
    }
    return tiers_named(tiers);
}

/// Where a task that is preempted makes the kernel skip programs for others, all the tests'
/// processes run until they wait: no tier may miss any of their calls then.
void do_without_preemption() {
    const sched_param lowest{.sched_priority = 1};
    if (ebpf_loader::probe_kernel().raw_tracepoints_preempted &&
        sched_setscheduler(0, SCHED_FIFO, &lowest) != 0)
        throw std::runtime_error("no real-time priority to be had");
}

} // namespace

int main(int argc, char** argv) try {
    testing::InitGoogleTest(&argc, argv);
    const std::vector<ebpf_loader::Tier> tiers = parse_arguments(argc, argv);
    if (tiers.empty())
        throw std::runtime_error("no tier to test");
    if (geteuid() != 0)
        throw std::runtime_error("run as root");
    do_without_preemption();
    kernel_test::register_tests(tiers);
    const int status = RUN_ALL_TESTS();
    kernel_test::report_skipped();
    return status;
} catch (const std::exception& error) {
    fprintf(stderr, "kernel_tests: %s\n", error.what());
    return 2;
}
