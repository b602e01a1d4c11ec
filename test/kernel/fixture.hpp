// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "test/kernel/session.hpp"

namespace kernel_test {

/// One test for each tier and case, and those on a session as a whole.
void register_tests(const std::vector<ebpf_loader::Tier>& tiers);

/// Tests of the stream as a whole, of offsets, filters and screens, each with engines of its own.
void register_stream_tests(ebpf_loader::Tier tier);
void register_filter_tests(ebpf_loader::Tier tier);
void register_cgroup_tests(ebpf_loader::Tier tier);
void register_screen_tests(ebpf_loader::Tier tier);
void register_offset_tests(); ///< of all tested tiers
void register_largest_selection_test();

/// Adds Test(arguments...) to the tests.
template <typename Test, typename... Args>
void add_test(const std::string& suite, const std::string& name, Args... args) {
    testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [=]() -> testing::Test* { return new Test(args...); });
}

/// Runs a body in a child of its own, whose events the collector takes meanwhile, and which has to end well.
pid_t run_child(const std::function<void()>& body, Collector& collector);

/// The tiers that are tested.
const std::vector<ebpf_loader::Tier>& tested_tiers();

/// The session of a tier. All cases whose tests are to run do so when it is first asked for.
const Session& session_of(ebpf_loader::Tier tier);

/// Prints which calls this kernel lacks and what else could not be tried.
void report_skipped();

} // namespace kernel_test
