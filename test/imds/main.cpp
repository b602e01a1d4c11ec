// SPDX-License-Identifier: MIT
#include <cstdio>
#include <sched.h>

#include <gmock/gmock.h>

#include <ebpf_loader/probe.hpp>

/// Where a task that is preempted makes the kernel skip programs for others, all that the tests
/// start runs until it waits: no tier may miss any of its calls then.
static bool do_without_preemption() {
    const sched_param lowest{.sched_priority = 1};
    return !ebpf_loader::probe_kernel().raw_tracepoints_preempted ||
           sched_setscheduler(0, SCHED_FIFO, &lowest) == 0;
}

int main(int argc, char** argv) {
    testing::InitGoogleMock(&argc, argv);
    if (!GTEST_FLAG_GET(list_tests) && !do_without_preemption()) {
        fprintf(stderr, "no real-time priority to be had\n");
        return 1;
    }
    return RUN_ALL_TESTS();
}
