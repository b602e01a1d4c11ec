// SPDX-License-Identifier: MIT
#include "telemetry/delivery/queue.hpp"

#include <gtest/gtest.h>
#include <thread>

using namespace telemetry;
using namespace std::chrono_literals;

namespace {

Batch batch_of(size_t items, size_t bytes, bool is_vital = false) {
    Batch batch;
    for (size_t i = 0; i < items; ++i)
        batch.put(std::string(bytes - 1, 'x') + "\n", is_vital, true);
    return batch;
}

TEST(EventQueue, WhatHasNoRoomIsCounted) {
    EventQueue queue(800);
    EXPECT_EQ(queue.put(batch_of(10, 100)), 3U) << "700 bytes are for all";
    EXPECT_EQ(queue.put(batch_of(1, 10)), 1U);
    const Batch taken = queue.take({.bytes = 1000, .patience = 0ms});
    EXPECT_EQ(taken.events(), 7U);
    EXPECT_EQ(taken.bytes.size(), 700U);
    EXPECT_EQ(queue.put(batch_of(7, 100)), 0U) << "there is room again";
}

TEST(EventQueue, VitalEventsFindRoomLast) {
    EventQueue queue(800);
    EXPECT_EQ(queue.put(batch_of(8, 100)), 1U);
    EXPECT_EQ(queue.put(batch_of(2, 100, true)), 1U);
    EXPECT_EQ(queue.take({.bytes = 1000, .patience = 0ms}).events(), 8U);
}

TEST(EventQueue, ReportsAreNoEvents) {
    EventQueue queue(8);
    Batch batch;
    batch.put("a loss that has no room\n", true, false);
    EXPECT_EQ(queue.put(std::move(batch)), 0U);
    EXPECT_TRUE(queue.take({.bytes = 100, .patience = 0ms}).empty());
}

TEST(EventQueue, TakesNoMoreThanIsWanted) {
    EventQueue queue(10'000);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(queue.put(batch_of(4, 100)), 0U);
    EXPECT_EQ(queue.take({.bytes = 350, .patience = 0ms}).events(), 3U);
    EXPECT_EQ(queue.take({.bytes = 450, .patience = 0ms}).events(), 1U) << "what follows would be cut";
    EXPECT_EQ(queue.take({.bytes = 9000, .items = 2, .patience = 0ms}).events(), 2U);
    EXPECT_EQ(queue.take({.bytes = 10, .patience = 0ms}).events(), 1U) << "one that is larger comes alone";
    EXPECT_EQ(queue.take({.bytes = 9000, .patience = 0ms}).events(), 5U) << "whole ones come together";
    EXPECT_TRUE(queue.take({.bytes = 9000, .patience = 0ms}).empty());
}

TEST(EventQueue, GivesBackMemoryOfWhatWasWritten) {
    EventQueue queue(10'000);
    EXPECT_EQ(queue.spare().bytes.capacity(), std::string().capacity()) << "nothing was given back yet";
    EXPECT_EQ(queue.put(batch_of(4, 100)), 0U);
    Batch taken = queue.take({.bytes = 9000, .patience = 0ms});
    const char* const memory = taken.bytes.data();
    queue.give_back(std::move(taken));
    const Batch spare = queue.spare();
    EXPECT_TRUE(spare.empty());
    EXPECT_TRUE(spare.bytes.empty());
    EXPECT_EQ(spare.bytes.data(), memory);
    Batch large = batch_of(6000, 100);
    queue.give_back(std::move(large));
    EXPECT_EQ(queue.spare().bytes.capacity(), std::string().capacity()) << "so much is not held";
}

TEST(EventQueue, KeepsOrderAndBytes) {
    EventQueue queue(10'000);
    std::string all, taken;
    for (int i = 0; i < 20; ++i) {
        Batch batch;
        for (int j = 0; j <= i % 3; ++j) {
            const std::string line = std::to_string(i) + "." + std::to_string(j) + "\n";
            batch.put(line, false, true);
            all += line;
        }
        queue.put(std::move(batch));
    }
    for (size_t bytes = 1;; bytes = bytes % 40 + 1) {
        const Batch batch = queue.take({.bytes = bytes, .patience = 0ms});
        if (batch.empty())
            break;
        taken += batch.bytes;
    }
    EXPECT_EQ(taken, all);
}

TEST(EventQueue, ABatchWaitsToBeFilled) {
    EventQueue queue(10'000);
    queue.put(batch_of(1, 100));
    std::thread other([&] {
        std::this_thread::sleep_for(20ms);
        queue.put(batch_of(1, 100));
    });
    EXPECT_EQ(queue.take({.bytes = 200, .linger = 10s, .patience = 0ms}).events(), 2U);
    other.join();
}

TEST(EventQueue, TheEndIsNotWaitedFor) {
    EventQueue queue(10'000);
    queue.put(batch_of(1, 100));
    std::thread other([&] {
        std::this_thread::sleep_for(20ms);
        queue.close(EventQueue::Clock::now() + 20ms);
    });
    EXPECT_EQ(queue.take({.bytes = 200, .linger = 10s, .patience = 10s}).events(), 1U);
    EXPECT_FALSE(queue.pause(10s)) << "the deadline is over";
    EXPECT_TRUE(queue.take({.bytes = 200, .linger = 10s, .patience = 10s}).empty());
    EXPECT_EQ(queue.put(batch_of(2, 10)), 2U);
    other.join();
}

/// What comes between an empty batch and the end is not left behind.
TEST(EventQueue, IsFinishedOnceAllWasTaken) {
    EventQueue queue(800);
    EXPECT_TRUE(queue.take({.bytes = 1000, .patience = 0ms}).empty());
    queue.put(batch_of(1, 100));
    queue.close(EventQueue::Clock::now());
    EXPECT_FALSE(queue.is_finished());
    EXPECT_EQ(queue.take({.bytes = 1000, .patience = 0ms}).events(), 1U);
    EXPECT_TRUE(queue.is_finished());
}

TEST(EventQueue, IsIdleWhenTheTakerComesBack) {
    EventQueue queue(10'000);
    queue.put(batch_of(1, 100));
    EXPECT_FALSE(queue.wait_until_idle(1ms));
    EXPECT_EQ(queue.take({.bytes = 200, .patience = 0ms}).events(), 1U);
    EXPECT_FALSE(queue.wait_until_idle(1ms)) << "it is at work";
    EXPECT_TRUE(queue.take({.bytes = 200, .patience = 0ms}).empty());
    EXPECT_TRUE(queue.wait_until_idle(1ms));
}

} // namespace
