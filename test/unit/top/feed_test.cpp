// SPDX-License-Identifier: MIT
#include "telemetry/top/feed.hpp"

#include <gtest/gtest.h>

namespace {

using namespace telemetry;
using namespace telemetry::top;

class FeedTest : public testing::Test {
  protected:
    void count(int times) {
        CountedEvent event;
        event.executable = "/bin/true";
        event.user = "ann";
        event.call = "openat";
        for (int i = 0; i < times; ++i)
            feed_.filling().activity.count(event);
        feed_.offer();
    }
    uint64_t taken() {
        auto interval = feed_.take();
        if (!interval)
            return 0;
        const uint64_t events = interval->activity.all().events;
        feed_.give_back(std::move(interval));
        return events;
    }

    Feed feed_;
};

TEST_F(FeedTest, HandsOverAllThatWasCountedWhenItIsAsked) {
    count(1);
    EXPECT_EQ(taken(), 0u) << "nobody asked";
    count(2);
    feed_.ask();
    count(4);
    count(8);
    EXPECT_EQ(taken(), 7u) << "up to when it was asked";
    count(16);
    EXPECT_EQ(taken(), 0u) << "what was taken asks for nothing";
    feed_.ask();
    count(32);
    EXPECT_EQ(taken(), 56u);
}

TEST_F(FeedTest, GoesOnCountingWhileNobodyTakes) {
    feed_.ask();
    count(1);
    feed_.ask();
    count(2);
    EXPECT_EQ(taken(), 1u);
    count(4);
    EXPECT_EQ(taken(), 6u);
}

} // namespace
