// SPDX-License-Identifier: MIT
#include "telemetry/delivery/deliverer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

using namespace telemetry;
using namespace std::chrono_literals;
using Result = Answer::Result;
using testing::ElementsAre;

namespace {

/// A far end whose answers a test chooses.
class FakeSender final : public Sender {
  public:
    Answer send(const Batch& batch, const Deadline&) override {
        sent.push_back(batch.bytes);
        return answer(batch);
    }
    std::function<Answer(const Batch&)> answer = [](const Batch&) {
        return Answer{Result::taken, {}, {}, {}};
    };
    std::vector<std::string> sent;
};

struct DelivererTest : testing::Test {
    static Batch batch_of(const std::string& letters) {
        Batch batch;
        for (const char letter : letters)
            batch.put(std::string(1, letter), false, true);
        return batch;
    }
    Batch deliver(const std::string& letters) {
        return deliverer.deliver(
            batch_of(letters), [] { return std::chrono::steady_clock::time_point::max(); },
            [this](std::chrono::milliseconds time) {
                pauses.push_back(time);
                return pauses.size() < most_pauses;
            });
    }
    uint64_t refused() const {
        const DeliveryReport report = account.report();
        return report.lost.empty() ? 0 : report.lost.at(0).second;
    }

    FakeSender sender;
    DeliveryAccount account;
    std::string aside;
    DelivererOptions options{100ms, 1000ms, 5000ms};
    Deliverer deliverer{options, sender, account, [this](std::string_view lines) { aside += lines; }};
    std::vector<std::chrono::milliseconds> pauses;
    size_t most_pauses = 1000;
};

TEST_F(DelivererTest, TriesAgainWithLongerPausesAndJitter) {
    sender.answer = [this](const Batch&) {
        return Answer{sender.sent.size() < 30 ? Result::again : Result::taken, "no", {}, {}};
    };
    EXPECT_TRUE(deliver("abc").empty());
    EXPECT_EQ(sender.sent.size(), 30U);
    ASSERT_EQ(pauses.size(), 29U);
    auto usual = 100ms;
    std::set<int64_t> different;
    for (const auto pause : pauses) {
        EXPECT_GE(pause, usual / 2);
        EXPECT_LE(pause, usual);
        usual = std::min(2 * usual, std::chrono::milliseconds(1000));
        different.insert(pause.count());
    }
    EXPECT_GT(different.size(), 10U) << "not all senders come at once";
    EXPECT_EQ(account.report().delivered, 3U);
    deliver("d");
    sender.answer = [this](const Batch&) {
        return Answer{sender.sent.size() < 33 ? Result::again : Result::taken, "no", {}, {}};
    };
    deliver("e");
    EXPECT_LE(pauses.at(29), 100ms) << "after a success they begin anew";
}

TEST_F(DelivererTest, WaitsAsLongAsItIsAskedToWithinReason) {
    sender.answer = [this](const Batch&) {
        const auto asked =
            sender.sent.size() == 1 ? std::chrono::milliseconds(2000) : std::chrono::milliseconds(9'000'000);
        return Answer{sender.sent.size() < 3 ? Result::again : Result::taken, "429", asked, {}};
    };
    EXPECT_TRUE(deliver("a").empty());
    ASSERT_EQ(pauses.size(), 2U);
    EXPECT_GE(pauses[0], 2000ms);
    EXPECT_LE(pauses[0], 2200ms);
    EXPECT_GE(pauses[1], 5000ms);
    EXPECT_LE(pauses[1], 5500ms);
}

TEST_F(DelivererTest, WhatIsTooLargeGoesInHalves) {
    sender.answer = [](const Batch& batch) {
        return Answer{batch.items.size() > 2 ? Result::too_large : Result::taken, {}, {}, {}};
    };
    EXPECT_TRUE(deliver("abcdefg").empty());
    EXPECT_THAT(sender.sent, ElementsAre("abcdefg", "abc", "a", "bc", "defg", "de", "fg"));
    EXPECT_EQ(account.report().delivered, 7U);
    EXPECT_EQ(refused(), 0U);
    EXPECT_TRUE(pauses.empty());
}

TEST_F(DelivererTest, OnlyTheLineThatIsRefusedIsLost) {
    sender.answer = [](const Batch& batch) {
        return Answer{batch.bytes.find_first_of("XY") == std::string::npos ? Result::taken : Result::refused,
                      "400",
                      {},
                      {}};
    };
    EXPECT_TRUE(deliver("abcXdefghYij").empty());
    EXPECT_EQ(account.report().delivered, 10U);
    EXPECT_EQ(refused(), 2U);
    EXPECT_EQ(aside, "XY");
    EXPECT_LE(sender.sent.size(), 24U);
}

TEST_F(DelivererTest, WhoRefusesEverythingIsNotAskedAtFullSpeed) {
    sender.answer = [](const Batch&) { return Answer{Result::refused, "400", {}, {}}; };
    EXPECT_TRUE(deliver(std::string(500, 'x')).empty());
    EXPECT_EQ(refused(), 500U);
    EXPECT_GT(pauses.size(), 900U);
}

TEST_F(DelivererTest, APartIsTakenItemByItem) {
    sender.answer = [this](const Batch& batch) {
        if (sender.sent.size() > 1)
            return Answer{Result::taken, {}, {}, {}};
        Answer answer{Result::taken, "some", {}, {}};
        for (const char letter : batch.bytes)
            answer.items.push_back(letter == 'X'   ? Result::refused
                                   : letter == 'r' ? Result::again
                                                   : Result::taken);
        return answer;
    };
    EXPECT_TRUE(deliver("abrXcrd").empty());
    EXPECT_THAT(sender.sent, ElementsAre("abrXcrd", "rr"));
    EXPECT_EQ(account.report().delivered, 6U);
    EXPECT_EQ(refused(), 1U);
    EXPECT_EQ(aside, "X");
    EXPECT_EQ(pauses.size(), 1U);
}

TEST_F(DelivererTest, TheRunsEndLeavesTheRest) {
    most_pauses = 2;
    sender.answer = [](const Batch& batch) {
        return Answer{batch.items.size() > 3  ? Result::too_large
                      : batch.bytes[0] == 'a' ? Result::taken
                                              : Result::again,
                      "503",
                      {},
                      {}};
    };
    const Batch left = deliver("abcdef");
    EXPECT_EQ(left.bytes, "def");
    EXPECT_EQ(left.events(), 3U);
    EXPECT_EQ(account.report().delivered, 3U);
    EXPECT_EQ(account.error(), "503");
}

} // namespace
