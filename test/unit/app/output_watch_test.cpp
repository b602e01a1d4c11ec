// SPDX-License-Identifier: MIT
#include "telemetry/app/output_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "telemetry/base/log.hpp"

using namespace telemetry;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct Watch : testing::Test {
    Watch() {
        start_log(LogLevel::info, false, "t", [this](std::string_view line) { lines_.emplace_back(line); });
    }
    ~Watch() override {
        start_log(LogLevel::info, true, "t", [](std::string_view) {});
    }
    /// A second passes, in which so many events were lost.
    void second(uint64_t lost) {
        now_ += 1s;
        reports_[0].lost += lost;
        watch_.look(reports_, now_);
    }

    std::vector<std::string> lines_;
    std::vector<OutputReport> reports_ = {{"file a", "output_file", 0, "a: No space left on device"},
                                          {"screen", "output_screen", 0, {}}};
    OutputWatch watch_;
    OutputWatch::Clock::time_point now_{};
};

TEST_F(Watch, SaysNothingWhileAllIsWell) {
    for (int i = 0; i < 200; ++i)
        second(0);
    EXPECT_THAT(lines_, ElementsAre());
}

TEST_F(Watch, LogsAFullDiskOnceAMinuteWhileItLasts) {
    for (int i = 0; i < 130; ++i)
        second(10);
    EXPECT_THAT(lines_, ElementsAre("t: error: file a: 10 events lost: a: No space left on device\n",
                                    "t: error: file a: 600 events lost: a: No space left on device\n",
                                    "t: error: file a: 600 events lost: a: No space left on device\n"));
}

TEST_F(Watch, NamesTheCauseWhereTheFarEndSaidNothing) {
    reports_[0].error = {};
    reports_[0].delivery.emplace().lost = {{"queue_full", 8}, {"refused", 2}};
    second(10);
    EXPECT_THAT(lines_, ElementsAre("t: error: file a: 10 events lost: queue_full, refused\n"));
}

TEST_F(Watch, LogsThatItIsOver) {
    second(5);
    for (int i = 0; i < 9; ++i)
        second(0);
    EXPECT_EQ(lines_.size(), 1U);
    second(0);
    ASSERT_EQ(lines_.size(), 2U);
    EXPECT_EQ(lines_[1], "t: info: file a: takes events again; 5 were lost in all\n");
    second(0);
    EXPECT_EQ(lines_.size(), 2U);
    second(7);
    ASSERT_EQ(lines_.size(), 3U);
    EXPECT_THAT(lines_[2], HasSubstr("7 events lost"));
}

} // namespace
