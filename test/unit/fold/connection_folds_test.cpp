// SPDX-License-Identifier: MIT
// --fold: of identical connections of a process the first is an event at once, and of those that follow
// within the interval the last, with how many they were; nothing is kept beyond its bounds, nor forgotten.
#include "telemetry/fold/connection_folds.hpp"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "test/unit/output/output_samples.hpp"

namespace {

using namespace telemetry;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Outcome = ConnectionFolds::Outcome;
constexpr auto reported = Outcome::reported, kept = Outcome::kept, replaces = Outcome::replaces;

struct Folds : testing::Test {
    /// `name` stands for the record.
    Outcome take(const Event& event, std::string_view name) {
        EXPECT_TRUE(ConnectionFolds::concerns(event));
        return folds.take(event, std::as_bytes(std::span(name)), now);
    }
    static Event connect(uint32_t pid = 4242, int64_t ret = 0) {
        Event event = samples::on_connection(samples::connect, ret);
        event.pid = pid;
        return event;
    }
    static std::vector<std::string> names(const std::vector<ConnectionFolds::Due>& due) {
        std::vector<std::string> names;
        for (const auto& [record, fold] : due)
            names.push_back(std::string(reinterpret_cast<const char*>(record.data()), record.size()) + " " +
                            std::to_string(fold.count));
        return names;
    }

    ConnectionFolds folds{10s};
    ConnectionFolds::Clock::time_point now{1000s};
};

TEST_F(Folds, TheFirstIsReportedAndTheLastStandsForTheOthers) {
    Event event = connect();
    EXPECT_EQ(take(event, "a"), reported);
    event.time_ns += 5;
    EXPECT_EQ(take(event, "b"), kept);
    const uint64_t first = event.time_ns;
    event.time_ns += 5;
    EXPECT_EQ(take(event, "c"), replaces);
    EXPECT_EQ(take(event, "d"), replaces);
    EXPECT_THAT(folds.due(now + 9s), IsEmpty());
    const auto due = folds.due(now + 10s);
    EXPECT_THAT(names(due), ElementsAre("d 3"));
    EXPECT_EQ(due[0].fold.first_ns, first);
    EXPECT_EQ(take(event, "e"), reported) << "the next interval";
    now += 10s;
    EXPECT_THAT(folds.due(now), IsEmpty()) << "the first stands for itself";
}

TEST_F(Folds, AnIntervalThatNobodyEndedIsOver) {
    EXPECT_EQ(take(connect(), "a"), reported);
    EXPECT_EQ(take(connect(), "b"), kept);
    now += 10s;
    EXPECT_EQ(take(connect(), "c"), reported);
    EXPECT_TRUE(folds.overflows());
    EXPECT_THAT(names(folds.due(now)), ElementsAre("b 1"));
    EXPECT_FALSE(folds.overflows());
}

TEST_F(Folds, WhatIsNotIdenticalIsReported) {
    EXPECT_EQ(take(connect(), "a"), reported);
    EXPECT_EQ(take(connect(4243), "b"), reported) << "another process";
    EXPECT_EQ(take(connect(4242, -ECONNREFUSED), "c"), reported) << "another outcome";
    Event other = connect();
    const std::string address = samples::inet("\x05\x06\x07\x09", 3344);
    other.socket.remote[3] = 9;
    other.sockaddr.bytes = address;
    EXPECT_EQ(take(other, "d"), reported) << "another address";
    other = connect();
    const std::string port = samples::inet("\x05\x06\x07\x08", 3345);
    other.socket.remote_port = 3345;
    other.sockaddr.bytes = port;
    EXPECT_EQ(take(other, "e"), reported) << "another port";
    for (uint32_t Event::*number :
         {static_cast<uint32_t Event::*>(&Event::euid), static_cast<uint32_t Event::*>(&Event::exec_id)}) {
        other = connect();
        other.*number = 0x1234;
        EXPECT_EQ(take(other, "f"), reported) << "another user or image";
    }
    other = connect();
    ++other.start_time_ns;
    EXPECT_EQ(take(other, "g"), reported) << "a later process with the same number";
    other = connect();
    other.execution = EBT_SKIPPED | EBT_SECCOMP;
    EXPECT_EQ(take(other, "h"), reported) << "one that never ran";
}

TEST_F(Folds, ThreadsAndOwnPortsDoNotMatter) {
    EXPECT_EQ(take(connect(), "a"), reported);
    Event other = connect();
    other.tid = 4250;
    other.socket.local_port = 1123;
    other.args[0] = 9;
    EXPECT_EQ(take(other, "b"), kept);
}

TEST_F(Folds, OfAcceptedConnectionsThePortOfThePeerDoesNotMatter) {
    Event event = samples::on_connection(samples::accept, 5);
    EXPECT_EQ(take(event, "a"), reported);
    const std::string address = samples::inet("\x05\x06\x07\x08", 3999);
    event.sockaddr.bytes = address;
    event.socket.remote_port = 3999;
    event.ret = 6;
    EXPECT_EQ(take(event, "b"), kept);
    event.socket.local_port = 80;
    EXPECT_EQ(take(event, "c"), reported) << "at another port of ours";
}

TEST_F(Folds, OnlyConnectionsAreFolded) {
    EXPECT_FALSE(ConnectionFolds::concerns(samples::on_connection(samples::sendto)));
    EXPECT_FALSE(ConnectionFolds::concerns(samples::on_connection(samples::bind)));
    EXPECT_FALSE(ConnectionFolds::concerns(samples::event(EBT_EXIT)));
}

TEST_F(Folds, AProcessTakesItsOwnWithIt) {
    for (const uint32_t pid : {7u, 8u, 7u, 8u})
        take(connect(pid), std::to_string(pid));
    EXPECT_THAT(names(folds.of_process(7)), ElementsAre("7 1"));
    EXPECT_THAT(folds.of_process(7), IsEmpty());
    EXPECT_THAT(names(folds.all()), ElementsAre("8 1"));
    EXPECT_EQ(take(connect(7), "again"), reported);
}

TEST_F(Folds, MoreIntervalsThanThereIsRoomForEndTheOldest) {
    for (uint32_t pid = 1; pid <= ConnectionFolds::most; ++pid)
        take(connect(pid), "a");
    take(connect(1), "b");
    EXPECT_FALSE(folds.overflows());
    take(connect(ConnectionFolds::most + 1), "c");
    EXPECT_THAT(names(folds.due(now)), ElementsAre("b 1"));
    EXPECT_EQ(take(connect(1), "d"), reported) << "its interval is over";
}

TEST_F(Folds, MoreBytesThanThereIsRoomForEndTheOldest) {
    const std::string large(ConnectionFolds::most_bytes / 2, 'x');
    for (const uint32_t pid : {1u, 2u, 3u})
        take(connect(pid), "first");
    take(connect(1), large);
    take(connect(2), large);
    EXPECT_FALSE(folds.overflows());
    take(connect(3), "y");
    const auto due = folds.due(now);
    ASSERT_EQ(due.size(), 1u);
    EXPECT_EQ(due[0].record.size(), large.size());
    EXPECT_EQ(folds.all().size(), 2u);
}

/// Whatever comes, each event is reported, or one that is due counts it.
TEST_F(Folds, NoneIsForgotten) {
    uint64_t taken = 0, told = 0, of_superseded = 0;
    const auto tell = [&](const std::vector<ConnectionFolds::Due>& due) {
        for (const ConnectionFolds::Due& each : due)
            told += each.fold.count;
    };
    for (uint32_t i = 0; i < 200'000; ++i) {
        const uint32_t random = i * 2654435761u;
        now += std::chrono::milliseconds(random % 3);
        const Outcome outcome =
            take(connect(random >> 8 & 1023, random & 64 ? 0 : -ECONNREFUSED), "some bytes");
        ++taken;
        told += outcome == reported;
        of_superseded += outcome == replaces;
        if (folds.overflows() || i % 100 == 0)
            tell(folds.due(now));
        if (i % 1000 == 0)
            tell(folds.of_process(random & 1023));
    }
    tell(folds.all());
    EXPECT_EQ(told, taken);
    EXPECT_GT(of_superseded, 0u);
    EXPECT_THAT(folds.all(), IsEmpty());
}

} // namespace
