// SPDX-License-Identifier: MIT
// kernel_tests: what the engine tells of system calls, on the running kernel, tier by
// tier. --tiers=tp,raw_tp chooses tiers; a tier that this kernel refuses is a failure.
#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>
#include <unistd.h>

#include <gtest/gtest.h>

#include "fixture.hpp"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const char* const from_environment = getenv("EBT_TIERS");
    std::string names = from_environment ? from_environment : "tp,raw_tp_sub4096,raw_tp_noloops,raw_tp";
    for (int i = 1; i < argc; i++) {
        const std::string_view argument(argv[i]);
        if (!argument.starts_with("--tiers=")) {
            fprintf(stderr, "kernel_tests: unknown argument %s\n", argv[i]);
            return 2;
        }
        names = argument.substr(argument.find('=') + 1);
    }
    std::vector<ebpf_loader::Tier> tiers;
    std::istringstream in(names);
    for (std::string name; std::getline(in, name, ',');) {
        const auto tier = ebpf_loader::parse_tier(name);
        if (!tier) {
            fprintf(stderr, "kernel_tests: there is no tier %s\n", name.c_str());
            return 2;
        }
        tiers.push_back(*tier);
    }
    if (tiers.empty()) {
        fprintf(stderr, "kernel_tests: no tier to test\n");
        return 2;
    }
    if (geteuid() != 0) {
        fprintf(stderr, "kernel_tests: run as root\n");
        return 1;
    }
    kernel_test::register_tests(tiers);
    const int status = RUN_ALL_TESTS();
    kernel_test::report_skipped();
    return status;
}
