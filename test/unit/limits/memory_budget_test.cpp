// SPDX-License-Identifier: MIT
#include "telemetry/limits/memory_budget.hpp"

#include <cstring>
#include <sys/mman.h>

#include <gtest/gtest.h>

using namespace telemetry;

namespace {

TEST(MemoryBudget, LeavesCachesAsTheyAreWithoutALimit) {
    const ProcessCache::Limits usual, limits = MemoryBudget::cache(0, 32 * mebibyte);
    EXPECT_EQ(limits.processes, usual.processes);
    EXPECT_EQ(limits.image_bytes, usual.image_bytes);
    EXPECT_EQ(limits.grace_processes, usual.grace_processes);
    EXPECT_EQ(MemoryBudget::conversations(0, 32 * mebibyte, 1234), 1234u);
    EXPECT_EQ(MemoryBudget::cache(1024 * mebibyte, 32 * mebibyte).image_bytes, usual.image_bytes);
}

TEST(MemoryBudget, GivesCachesWhatIsLeft) {
    size_t before = 0;
    for (size_t limit = 1; limit < 200; limit++) {
        const size_t buffers = 8 * mebibyte;
        const auto limits = MemoryBudget::cache(limit * mebibyte, buffers);
        const size_t held = MemoryBudget::conversations(limit * mebibyte, buffers, 16 * mebibyte);
        EXPECT_GE(held, 512u << 10);
        EXPECT_LE(held, 16 * mebibyte);
        const size_t taken = limits.image_bytes + limits.processes * 1024 + held;
        EXPECT_GE(limits.image_bytes, before);
        EXPECT_GE(limits.processes, 1000u);
        EXPECT_LE(limits.grace_processes, limits.processes / 4);
        if (MemoryBudget::besides_buffers() + buffers <= limit * mebibyte) {
            EXPECT_LE(taken + buffers + MemoryBudget::program_bytes, limit * mebibyte);
        }
        before = limits.image_bytes;
    }
}

TEST(MemoryBudget, ReadsWhatIsResident) {
    const size_t before = resident_memory();
    ASSERT_GT(before, mebibyte);
    constexpr size_t bytes = 64 * mebibyte;
    // Not of the heap, which may have as much left from the tests before.
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    memset(memory, 1, bytes);
    EXPECT_GT(resident_memory(), before + bytes / 2);
    munmap(memory, bytes);
}

} // namespace
