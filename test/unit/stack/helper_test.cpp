// SPDX-License-Identifier: MIT
// Whatever the helper for stacks does, an event has the address it came with, and what was lost is counted.
#include <atomic>
#include <cstring>
#include <random>
#include <unistd.h>

#include <gtest/gtest.h>

#include "telemetry/stack/messages.hpp"
#include "telemetry/stack/stack_helper.hpp"
#include "telemetry/stack/symbolizer.hpp"
#include "test/unit/support/registers.hpp"

namespace stack_test {

using namespace telemetry;
using namespace telemetry::stack_messages;

namespace {

constexpr auto endless = Channel::Clock::time_point::max();

/// Where this process is now, with a stack that says nothing.
Event event_here() {
    Event event;
    const auto now = Procfs().stat(static_cast<uint32_t>(getpid()));
    const auto ns_per_tick = 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    event.pid = static_cast<uint32_t>(getpid());
    event.start_time_ns = now ? now->start_ticks * ns_per_tick : 1;
    event.time_ns = 1'000'000'000;
    event.user_stack_status = Status::ok;
    event.user_stack.registers = registers::at(reinterpret_cast<uint64_t>(&getpid), 0x7ff000000000);
    return event;
}

/// With more time than a busy machine takes.
Symbolizer::Limits patient() {
    Symbolizer::Limits limits;
    limits.helper.answer = std::chrono::seconds(20);
    limits.shares.process = limits.shares.all = {100'000'000'000, 100'000'000'000};
    return limits;
}

/// Answers each stack with these bytes.
Helper::Work saying(const std::string& bytes) {
    return [bytes](Channel& channel) {
        for (Packet packet; channel.receive(packet, endless) == Channel::Outcome::packet;)
            channel.send(bytes);
    };
}

void expect_failure(Symbolizer& reader, const Event& event, uint64_t failures) {
    const CallStack stack = reader.symbolize(event);
    EXPECT_EQ(stack.end, StackEnd::helper_failed);
    ASSERT_EQ(stack.frames.size(), 1U);
    EXPECT_EQ(stack.frames[0].address, registers::ip(event.user_stack.registers));
    EXPECT_TRUE(stack.frames[0].symbol.empty());
    EXPECT_EQ(reader.counters().helper_failures, failures);
}

std::string one_frame(const Frame& frame, uint32_t frames = 1) {
    const Answer answer{.frames = frames, .end = static_cast<uint32_t>(StackEnd::outermost)};
    return std::string(bytes_of(answer)) + std::string(bytes_of(frame));
}

TEST(StackHelper, ThatCrashesAtOneStackReadsTheNext) {
    const Symbolizer::Limits limits = patient();
    Symbolizer reader("/proc", limits, [&limits](Channel& channel) {
        Packet packet;
        channel.receive(packet, endless);
        if (packet.bytes.ends_with("crash"))
            __builtin_trap();
        std::string_view bytes = packet.bytes;
        channel.send(one_frame({.address = registers::ip(take<Stack>(bytes)->registers)}));
        serve_stacks(channel, limits.stack, limits.known);
    });
    Event event = event_here(), hostile = event;
    hostile.user_stack.memory = "crash";
    expect_failure(reader, hostile, 1);
    EXPECT_EQ(reader.symbolize(event).end, StackEnd::outermost);
    EXPECT_EQ(reader.symbolize(event).frames.at(0).address, registers::ip(event.user_stack.registers));
    EXPECT_EQ(reader.counters().helper_failures, 1U);
    EXPECT_EQ(reader.counters().stacks, 3U);
}

/// The time that it takes is charged: others' stacks wait, and not the events.
TEST(StackHelper, ThatHangsDoesNotHoldUpEvents) {
    Symbolizer::Limits limits;
    limits.helper.answer = std::chrono::milliseconds(500);
    Symbolizer reader("/proc", limits, [](Channel&) {
        for (std::atomic<int> turns;;)
            ++turns;
    });
    Event event = event_here();
    const auto begin = Channel::Clock::now();
    expect_failure(reader, event, 1);
    for (int i = 0; i < 100; ++i) {
        event.time_ns += 1'000'000;
        EXPECT_EQ(reader.symbolize(event).end, StackEnd::too_costly);
    }
    EXPECT_LT(Channel::Clock::now() - begin, std::chrono::seconds(5));
    event.time_ns += 60'000'000'000;
    expect_failure(reader, event, 2);
}

TEST(StackHelper, AnswersThatMakeNoSense) {
    const Event event = event_here();
    Frame beyond, not_hexadecimal, without_end;
    beyond.place = 0; // nothing was asked
    put(not_hexadecimal.build_id, "\"},{");
    memset(without_end.symbol, 'x', sizeof(without_end.symbol));
    const std::string fair = one_frame({.address = 7});
    Answer costly{.frames = 1, .end = static_cast<uint32_t>(StackEnd::outermost)};
    costly.done.reads = UINT64_MAX;
    const Answer failed{.frames = 1, .end = static_cast<uint32_t>(StackEnd::helper_failed)};
    for (const std::string& bytes :
         {std::string("x"), std::string(4096, '\0'), std::string(4096, '\xff'), fair + "x",
          fair.substr(0, fair.size() - 1), one_frame({}, 2), one_frame({}, 0), one_frame({}, UINT32_MAX),
          one_frame(beyond), one_frame(not_hexadecimal),
          std::string(bytes_of(failed)) + std::string(bytes_of(Frame{})),
          std::string(bytes_of(costly)) + std::string(bytes_of(Frame{}))}) {
        Symbolizer reader("/proc", patient(), saying(bytes));
        expect_failure(reader, event, 1);
    }
    Symbolizer reader("/proc", patient(), saying(one_frame(without_end)));
    EXPECT_EQ(reader.symbolize(event).frames.at(0).symbol, std::string(sizeof(without_end.symbol), 'x'));
}

TEST(StackHelper, AsksWithoutEnd) {
    Symbolizer reader("/proc", patient(), [](Channel& channel) {
        const Question question{.address = 16};
        Packet packet;
        channel.receive(packet, endless);
        while (channel.send(bytes_of(question)) &&
               channel.receive(packet, endless) == Channel::Outcome::packet) {
        }
    });
    expect_failure(reader, event_here(), 1);
}

/// Packets of all kinds, with a few of their bytes changed.
TEST(StackHelper, AnyAnswer) {
    Symbolizer reader("/proc", patient(), [](Channel& channel) {
        std::mt19937 random(static_cast<unsigned>(getpid()));
        const std::string packets[] = {one_frame({.address = 7}),
                                       std::string(bytes_of(Question{.address = 7}))};
        for (Packet packet; channel.receive(packet, endless) == Channel::Outcome::packet;) {
            std::string bytes = packets[random() % 2];
            for (int i = 0; i < 3; ++i)
                bytes[random() % bytes.size()] = static_cast<char>(random());
            channel.send(bytes);
        }
    });
    Event event = event_here();
    for (int i = 0; i < 200; ++i) {
        event.time_ns += 10'000'000'000;
        const CallStack stack = reader.symbolize(event);
        EXPECT_GE(stack.frames.size(), 1U);
        EXPECT_LE(stack.frames.size(), Symbolizer::most_frames);
        EXPECT_NE(stack.end, StackEnd::none);
    }
    EXPECT_EQ(reader.counters().stacks, 200U);
}

} // namespace
} // namespace stack_test
