// SPDX-License-Identifier: MIT
// Records that the kernel side has emitted and that nobody reads.
#include <gtest/gtest.h>

#include "loader/src/read/flow_watch.hpp"

using ebpf_loader::BufferCount;
using ebpf_loader::CpuOutput;
using ebpf_loader::FlowWatch;

namespace {

CpuOutput emitted(uint64_t records, uint64_t full = 0) {
    return {.emitted = records, .full = full};
}
BufferCount taken(uint64_t records) {
    return {.taken = records};
}

TEST(FlowWatch, IsContentWhenAllArrives) {
    for (const bool exact : {true, false}) {
        FlowWatch watch(exact);
        for (const uint64_t records : {0, 5, 5, 90, 100'000})
            EXPECT_FALSE(watch.misses(emitted(records), taken(records), true));
    }
}

TEST(FlowWatch, GivesRecordsUntilTheNextLook) {
    FlowWatch watch(true);
    EXPECT_FALSE(watch.misses(emitted(100), taken(10), false));
    EXPECT_FALSE(watch.misses(emitted(250), taken(100), false));
    EXPECT_FALSE(watch.misses(emitted(250), taken(250), true));
}

TEST(FlowWatch, MissesWhatIsNotThere) {
    FlowWatch watch(true);
    EXPECT_FALSE(watch.misses(emitted(100), taken(100), true));
    EXPECT_FALSE(watch.misses(emitted(110), taken(103), true)); // 7 went elsewhere, or are on their way
    EXPECT_TRUE(watch.misses(emitted(115), taken(106), true));
    EXPECT_FALSE(watch.misses(emitted(120), taken(113), true)) << "the same are said once";
}

TEST(FlowWatch, MayBeLateWhileMoreArrivesThanIsMissing) {
    FlowWatch watch(true);
    EXPECT_FALSE(watch.misses(emitted(100), taken(100), true));
    EXPECT_FALSE(watch.misses(emitted(110), taken(103), true));
    EXPECT_FALSE(watch.misses(emitted(120), taken(113), true));
    EXPECT_TRUE(watch.misses(emitted(120), taken(113), true));
}

TEST(FlowWatch, WhereEmittedIsNotExactNothingMayArrive) {
    FlowWatch watch(false);
    EXPECT_FALSE(watch.misses(emitted(100), taken(100), true));
    EXPECT_FALSE(watch.misses(emitted(110), taken(103), true));
    EXPECT_FALSE(watch.misses(emitted(120), taken(113), true)) << "these may have found the buffer full";
    EXPECT_FALSE(watch.misses(emitted(130), taken(113), true));
    EXPECT_TRUE(watch.misses(emitted(140), taken(113), true));
}

TEST(FlowWatch, ReportsEmptyBuffersThatAreFull) {
    FlowWatch watch(true);
    EXPECT_FALSE(watch.misses(emitted(100), taken(100), true));
    EXPECT_FALSE(watch.misses(emitted(100, 8), taken(100), true));
    EXPECT_TRUE(watch.misses(emitted(100, 8), taken(100), true));
}

TEST(FlowWatch, LetsAFullBufferBe) {
    FlowWatch watch(true);
    EXPECT_FALSE(watch.misses(emitted(100), taken(100), true));
    EXPECT_FALSE(watch.misses(emitted(200, 8), taken(100), false));
    EXPECT_FALSE(watch.misses(emitted(200, 80), taken(200), true));
}

} // namespace
