// SPDX-License-Identifier: MIT
// Outputs to far ends that acknowledge, which may be away, slow or wrong.
#include "telemetry/delivery/reliable.hpp"

#include <atomic>
#include <gmock/gmock.h>
#include <mutex>
#include <set>

#include "telemetry/delivery/output.hpp"
#include "test/unit/sink/sink_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace sink_test;
using Result = Answer::Result;

namespace {

/// What a far end has got, and what it says.
struct FarEnd {
    std::mutex mutex;
    std::string got;
    std::atomic<Result> result = Result::taken;
    std::atomic<int> delay_ms = 0;
    std::atomic<bool> loses_answers = false; ///< it takes a batch and says it did not

    std::string lines() {
        const std::lock_guard lock(mutex);
        return got;
    }
};

class FarEndSender final : public Sender {
  public:
    explicit FarEndSender(FarEnd& end) : end_(end) {}
    Answer send(const Batch& batch, const Deadline&) override {
        std::this_thread::sleep_for(std::chrono::milliseconds(end_.delay_ms));
        const std::lock_guard lock(end_.mutex);
        const bool is_taken = end_.result == Result::taken;
        if (is_taken)
            end_.got += batch.bytes;
        if (is_taken && end_.loses_answers)
            return {Result::again, "cut", {}, {}};
        return {end_.result, is_taken ? "" : "down", {}, {}};
    }

  private:
    FarEnd& end_;
};

struct Reliable : testing::Test {
    void start(bool has_spool, size_t queue_bytes = 1 << 20) {
        ReliableOptions options;
        options.linger = 5ms;
        options.batch_items = 50;
        options.deliverer = {5ms, 20ms, 20ms};
        if (has_spool)
            options.spool = SpoolOptions{folder.path() + "/spool", spool_bytes};
        OutputSettings settings{"s", "http", "output_s", nullptr, {}, queue_bytes, 0, "", [&, options] {
                                    return make_reliable_carrier(options,
                                                                 std::make_unique<FarEndSender>(end));
                                }};
        output = std::make_unique<DeliveryOutput>(settings);
    }
    void put(int count) {
        for (int i = 0; i < count; ++i)
            output->put(numbered_line(next++), false, true);
        output->hand_over();
    }
    DeliveryReport report() const { return *output->report().delivery; }
    DeliveryReport stop() {
        output->close();
        return report();
    }
    bool all_there(int count) {
        std::set<std::string> unique;
        for (const std::string& line : lines_of(end.lines()))
            unique.insert(line);
        return unique.size() == static_cast<size_t>(count);
    }

    TemporaryFolder folder;
    FarEnd end;
    size_t spool_bytes = 8 << 20;
    std::unique_ptr<DeliveryOutput> output;
    int next = 0;
};

TEST_F(Reliable, DeliversInOrder) {
    for (const bool has_spool : {false, true}) {
        end.got.clear();
        next = 0;
        start(has_spool);
        put(1000);
        ASSERT_TRUE(eventually([&] { return report().delivered == 1000; }));
        const DeliveryReport last = stop();
        EXPECT_EQ(last.waiting, 0U);
        EXPECT_TRUE(last.lost.empty());
        EXPECT_EQ(expect_whole_lines(end.lines()), 1000U);
    }
}

TEST_F(Reliable, WhatWaitsAtTheEndIsLostWithoutASpool) {
    end.result = Result::again;
    start(false);
    put(100);
    output->put("a heartbeat\n", true, false);
    const auto begin = Clock::now();
    const DeliveryReport last = stop();
    EXPECT_LT(Clock::now() - begin, 3s);
    ASSERT_EQ(last.lost.size(), 1U);
    EXPECT_EQ(last.lost[0].first, "run_end");
    EXPECT_EQ(last.lost[0].second, 100U);
    EXPECT_EQ(last.lost_reports, 1U);
    EXPECT_EQ(last.waiting, 0U);
    EXPECT_EQ(output->report().error, "down");
}

TEST_F(Reliable, WhatWaitsAtTheEndIsInTheSpool) {
    end.result = Result::again;
    start(true);
    put(100);
    const DeliveryReport last = stop();
    EXPECT_TRUE(last.lost.empty());
    EXPECT_EQ(last.waiting, 100U);
    output.reset();
    end.result = Result::taken;
    start(true);
    put(50);
    ASSERT_TRUE(eventually([&] { return report().delivered == 150; }));
    EXPECT_EQ(report().resumed, 100U);
    EXPECT_EQ(report().offered, 50U);
    EXPECT_EQ(stop().waiting, 0U);
    EXPECT_EQ(expect_whole_lines(end.lines()), 150U);
}

TEST_F(Reliable, AnOutageIsSurvived) {
    for (const bool has_spool : {false, true}) {
        end.got.clear();
        end.result = Result::again;
        next = 0;
        start(has_spool);
        for (int i = 0; i < 20; ++i) {
            put(50);
            std::this_thread::sleep_for(5ms);
        }
        end.result = Result::taken;
        ASSERT_TRUE(eventually([&] { return report().delivered == 1000; }));
        EXPECT_EQ(expect_whole_lines(end.lines()), 1000U);
        stop();
    }
}

TEST_F(Reliable, ASlowFarEndCostsOrdinaryEventsWhichAreCounted) {
    for (const bool has_spool : {false, true}) {
        end.got.clear();
        end.result = Result::again;
        next = 0;
        spool_bytes = 128 << 10;
        start(has_spool, 64 << 10);
        for (int i = 0; i < 100; ++i) {
            put(50);
            output->put("vital\n", true, true);
            std::this_thread::sleep_for(1ms);
        }
        end.result = Result::taken;
        ASSERT_TRUE(eventually([&] { return report().waiting == 0; }));
        const DeliveryReport last = stop();
        uint64_t lost = 0;
        for (const auto& [cause, count] : last.lost)
            lost += count;
        EXPECT_EQ(last.offered, 5100U);
        EXPECT_EQ(last.delivered + lost, 5100U);
        EXPECT_GT(lost, 1000U);
        const auto lines = lines_of(end.lines());
        EXPECT_EQ(lines.size(), last.delivered);
        EXPECT_EQ(std::ranges::count(lines, "vital\n"), 100) << "vital events are given up last";
        output.reset();
    }
}

TEST_F(Reliable, AnAnswerThatIsLostMeansDuplicatesAndNoLoss) {
    end.loses_answers = true;
    start(true);
    put(200);
    ASSERT_TRUE(eventually([&] { return lines_of(end.lines()).size() > 100; }));
    end.loses_answers = false;
    ASSERT_TRUE(eventually([&] { return report().delivered == 200; }));
    EXPECT_GT(lines_of(end.lines()).size(), 200U);
    EXPECT_TRUE(all_there(200));
    stop();
}

TEST_F(Reliable, TheReaderNeverWaits) {
    end.delay_ms = 300;
    start(true);
    const auto begin = Clock::now();
    put(1000);
    EXPECT_LT(Clock::now() - begin, 200ms);
    stop();
}

TEST_F(Reliable, ADamagedSpoolIsCounted) {
    end.result = Result::again;
    start(true);
    put(100);
    stop();
    output.reset();
    for (const auto& file : std::filesystem::directory_iterator(folder.path() + "/spool"))
        if (file.path().extension() == ".seg") {
            std::fstream segment(file.path(), std::ios::in | std::ios::out | std::ios::binary);
            segment.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file) / 2));
            segment.put('\xff');
        }
    end.result = Result::taken;
    start(true);
    ASSERT_TRUE(eventually([&] { return report().waiting == 0; }));
    const DeliveryReport last = stop();
    EXPECT_EQ(last.resumed, 100U);
    EXPECT_EQ(last.delivered, 99U);
    ASSERT_EQ(last.lost.size(), 1U);
    EXPECT_EQ(last.lost[0].first, "spool_damaged");
}

/// A checkpoint says what this run's lines lack, not those of runs before, which the spool had.
TEST(DeliveryAccount, KnowsWhatThisRunHasLost) {
    DeliveryAccount account;
    account.offered(20);
    account.resumed(10);
    account.lost_in_turn("spool_damaged", 3);
    account.delivered(5);
    account.lost("queue_full", 2); // which never came to the spool
    account.lost_in_turn("refused", 4);
    EXPECT_EQ(account.all_lost(), 9U);
    EXPECT_EQ(account.lost_of_run(), 4U);
    account.delivered(14);
    EXPECT_EQ(account.report().waiting, 2U);
    account.begin_anew(20);
    account.resumed(2); // those of this run that waited
    account.lost_in_turn("spool_damaged", 2);
    EXPECT_EQ(account.lost_of_run(), 6U);
    EXPECT_EQ(account.report().resumed, 10U);
}

} // namespace
