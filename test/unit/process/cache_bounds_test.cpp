// SPDX-License-Identifier: MIT
// The cache stays within its bounds, whatever processes come.
#include <algorithm>
#include <fstream>

#include "test/unit/process/cache_support.hpp"

using namespace cache_test;
using namespace std::literals;

namespace {

TEST(ProcessCache, EvictsTheLongestUnused) {
    FakeProc proc;
    ProcessCache cache({.processes = 3}, proc.reader());
    for (uint32_t pid : {1, 2, 3}) {
        Event event = with_image(event_of(pid), "/bin/prog");
        cache.enrich(event);
    }
    Event used = event_of(1);
    cache.enrich(used);
    Event fourth = with_image(event_of(4), "/bin/prog");
    cache.enrich(fourth);
    EXPECT_EQ(cache.counters().evicted, 1u);
    EXPECT_EQ(cache.processes(), 3u);
    Event one = event_of(1), two = event_of(2);
    cache.enrich(one);
    EXPECT_TRUE(one.image.exe.known());
    cache.enrich(two);
    EXPECT_FALSE(two.image.exe.known());
}

TEST(ProcessCache, KeepsTheBoundOnBytes) {
    FakeProc proc;
    ProcessCache cache({.processes = 1000, .image_bytes = 200'000}, proc.reader());
    std::string argv(30'000, 'a');
    for (uint32_t pid = 1; pid <= 100; pid++) {
        Event event = with_image(event_of(pid), "/bin/prog", argv);
        cache.enrich(event);
        EXPECT_LT(cache.image_bytes(), 200'000u + 40'000);
    }
    EXPECT_GE(cache.processes(), 5u);
    EXPECT_GT(cache.counters().evicted, 80u);
}

TEST(ProcessCache, HoldsTheParentsImageWhileTheChildTakesItsPlace) {
    FakeProc proc;
    ProcessCache cache({.processes = 2}, proc.reader());
    Event ended = with_image(event_of(1), "/bin/parent");
    cache.enrich(ended);
    Event exit = exit_of(event_of(1));
    cache.enrich(exit);
    Event other = with_image(event_of(2), "/bin/other");
    cache.enrich(other);
    Event fork = fork_of(event_of(1), 3, second); // late, of a parent that goes first
    cache.enrich(fork);
    EXPECT_EQ(fork.image.exe.bytes, "/bin/parent");
    Event child = event_of(3);
    cache.enrich(child);
    EXPECT_EQ(child.image.exe.bytes, "/bin/parent");
}

/// Pages of this process that are in memory.
size_t resident_pages() {
    size_t size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident;
}

#ifdef EBT_SANITIZED
constexpr size_t growth_allowed = 100'000; // it keeps up to 256 MiB of freed memory back
#else
constexpr size_t growth_allowed = 1024;
#endif

TEST(ProcessCache, StaysSmallThroughAMillionProcesses) {
    FakeProc proc;
    ProcessCache cache({}, proc.reader());
    Event shell = with_image(event_of(1), "/bin/sh", "sh\0-c\0"sv);
    cache.enrich(shell);
    size_t before = 0;
    for (uint32_t i = 0; i < 1'000'000; i++) {
        uint32_t pid = 2 + i % 30'000;
        uint64_t start = second * (2 + i);
        Event fork = fork_of(event_of(1), pid, start);
        Event executed = with_image(event_of(pid, start, 2), "/bin/true", "true\0"sv);
        Event exit = exit_of(event_of(pid, start, 2));
        for (Event* event : {&fork, &executed, &exit}) {
            event->time_ns += i * 10'000; // 100,000 processes a second
            cache.enrich(*event);
        }
        ASSERT_TRUE(exit.image.exe.known());
        if (i == 100'000)
            before = resident_pages();
    }
    EXPECT_LE(cache.processes(), 4098u);
    EXPECT_LE(cache.image_bytes(), 4u << 20);
    EXPECT_LE(resident_pages(), before + growth_allowed);
    EXPECT_EQ(cache.counters().evicted, 0u);
    EXPECT_EQ(cache.counters().healed + cache.counters().unhealed, 0u);
}

TEST(ProcessCache, StaysSmallWhenNoExitIsEverSeen) {
    FakeProc proc;
    ProcessCache cache({.processes = 1000}, proc.reader());
    for (uint32_t i = 0; i < 200'000; i++) {
        Event event = with_image(event_of(i, i), "/bin/true");
        cache.enrich(event);
    }
    EXPECT_EQ(cache.processes(), 1000u);
    EXPECT_EQ(cache.counters().evicted, 199'000u);
}

TEST(ProcessCache, ShrinksByHalvesToItsLeast) {
    FakeProc proc;
    ProcessCache cache({.processes = 10'000}, proc.reader());
    const std::string words(1000, 'x');
    for (uint32_t i = 0; i < 8000; i++) {
        Event event = with_image(event_of(i, i), "/bin/true", words);
        cache.enrich(event);
    }
    ASSERT_EQ(cache.processes(), 8000u);
    const size_t before = cache.image_bytes();
    ASSERT_GT(before, 8'000'000u);
    EXPECT_TRUE(cache.shrink());
    EXPECT_LE(cache.processes(), 4000u);
    EXPECT_GE(cache.processes(), 3000u);
    EXPECT_LE(cache.image_bytes(), before / 2);
    EXPECT_EQ(cache.counters().evicted, 8000 - cache.processes());
    Event known = event_of(7999, 7999);
    cache.enrich(known);
    EXPECT_EQ(known.image.exe.bytes, "/bin/true") << "those used last stay";
    for (uint32_t i = 8000; i < 20'000; i++) {
        Event event = with_image(event_of(i, i), "/bin/true", words);
        cache.enrich(event);
        ASSERT_LE(cache.processes(), 4000u) << "and it stays small";
    }
    int halvings = 1;
    while (cache.shrink())
        ASSERT_LT(++halvings, 20);
    EXPECT_LE(cache.processes(), 256u);
    EXPECT_GE(cache.processes(), 150u) << "never nothing";
    Event last = event_of(19'999, 19'999);
    cache.enrich(last);
    EXPECT_EQ(last.image.exe.bytes, "/bin/true");
}

TEST(ProcessCache, ShrinksWhatWasThereAtTheStart) {
    FakeProc proc;
    ProcessCache cache({.image_bytes = 64u << 20});
    cache.remember_running(); // this very machine's
    const size_t before = cache.image_bytes();
    ASSERT_GT(before, 0u);
    while (cache.shrink()) {
    }
    EXPECT_LE(cache.image_bytes(), std::max<size_t>(before, 256 * 1024));
    Event event = with_image(event_of(1), "/bin/sh");
    cache.enrich(event);
    EXPECT_EQ(cache.processes(), 1u);
}

} // namespace
