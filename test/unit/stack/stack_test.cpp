// SPDX-License-Identifier: MIT
// Names of stacks: of this very process, and out of files that say anything.
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <fstream>
#include <link.h>
#include <random>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/elf/demangle.hpp"
#include "telemetry/elf/elf.hpp"
#include "telemetry/elf/unwind_table.hpp"
#include "telemetry/stack/code_map.hpp"
#include "telemetry/stack/symbolizer.hpp"
#include "telemetry/stack/unwinder.hpp"
#include "test/unit/imds/imds_support.hpp"
#include "test/unit/support/emulated.hpp"
#include "test/unit/support/registers.hpp"

namespace imds_test {

using namespace telemetry;
using namespace telemetry::imds;

#ifdef __clang__ // which makes no clones
#define KEPT __attribute__((noinline))
#else
#define KEPT __attribute__((noinline, noclone))
#endif

/// A stack as the kernel side captures it: of this thread, from where this function returns to.
struct Captured {
    Event event;
    std::string memory;

    KEPT void take() {
        ucontext_t context;
        getcontext(&context);
        ebt_registers& to = event.user_stack.registers;
        registers::take(to, context);
        memory.resize(EBT_STACK_MAX);
        const ebpf_loader::UniqueFd own(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
        const ssize_t got =
            pread(own.get(), memory.data(), memory.size(), static_cast<off_t>(registers::sp(to)));
        ASSERT_GT(got, 0);
        memory.resize(static_cast<size_t>(got));
        event.user_stack.memory = memory;
        event.user_stack_status = Status::ok;
    }
    void is_of(pid_t pid) {
        event.pid = static_cast<uint32_t>(pid);
        const auto stat = Procfs().stat(event.pid);
        event.start_time_ns = stat ? stat->start_ticks * 10'000'000 : 1;
    }
};

Captured captured;

namespace inner {

KEPT int function(int value) {
    captured.take();
    return value + 1;
}

} // namespace inner

KEPT int compare(const void*, const void*) {
    return inner::function(1) - 2;
}

/// Through the C library and back.
KEPT void outer() {
    int values[2] = {1, 2};
    qsort(values, 2, sizeof(int), compare);
    __asm__ volatile("");
}

CallStack own_stack() {
    outer();
    captured.is_of(getpid());
    return Symbolizer("/proc").symbolize(captured.event);
}

std::vector<std::string> names(const CallStack& stack) {
    std::vector<std::string> names;
    for (const StackFrame& frame : stack.frames)
        names.push_back(frame.symbol);
    return names;
}

size_t place_of(const CallStack& stack, const std::string& symbol) {
    const auto all = names(stack);
    return static_cast<size_t>(std::ranges::find(all, symbol) - all.begin());
}

TEST(ImdsStack, OwnFunctionsThroughALibrary) {
    SKIP_WITHOUT_EXECUTABLE_MAPS();
    const CallStack stack = own_stack();
    const size_t at = place_of(stack, "imds_test::inner::function(int)");
    ASSERT_LT(at + 3, stack.frames.size());
    EXPECT_EQ(stack.frames[at + 1].symbol, "imds_test::compare(void const*, void const*)");
    EXPECT_THAT(stack.frames[at + 2].module, testing::HasSubstr("libc.so"));
    EXPECT_THAT(stack.frames[at].module, testing::EndsWith("/unit_tests"));
    EXPECT_GT(place_of(stack, "imds_test::outer()"), at + 2);
    EXPECT_LT(place_of(stack, "main"), stack.frames.size());
    EXPECT_EQ(stack.end, StackEnd::outermost);
    for (const StackFrame& frame : stack.frames) {
        EXPECT_TRUE(frame.module_offset);
        EXPECT_FALSE(frame.is_guess);
        EXPECT_LE(frame.symbol_offset, frame.address);
    }
    EXPECT_EQ(stack.frames[at].build_id.size(), 40U);
}

TEST(ImdsStack, NoMoreThanWasCaptured) {
    outer();
    captured.is_of(getpid());
    Event event = captured.event;
    event.user_stack.memory = event.user_stack.memory.substr(0, 200);
    Symbolizer reader("/proc");
    const CallStack stack = reader.symbolize(event);
    EXPECT_EQ(stack.end, StackEnd::not_captured);
    EXPECT_GE(stack.frames.size(), 1U);
    event.user_stack.memory = {};
    EXPECT_EQ(reader.symbolize(event).frames.size(), 1U);
    event.user_stack_status = Status::unavailable;
    EXPECT_TRUE(reader.symbolize(event).frames.empty());
    EXPECT_EQ(reader.symbolize(event).end, StackEnd::none);
}

/// Whatever the stack says, what is reported is code of the process, and it ends.
TEST(ImdsStack, AnyStack) {
    outer();
    captured.is_of(getpid());
    std::mt19937_64 random(5);
    Symbolizer reader("/proc");
    const std::string before = captured.memory;
    for (int i = 0; i < 300; ++i) {
        std::string memory = before;
        for (int change = 0; change < 200; ++change)
            memory[random() % 2000] = static_cast<char>(random());
        Event event = captured.event;
        event.user_stack.memory = memory;
        if (i % 3 == 0)
            registers::bp(event.user_stack.registers) = random();
        if (i % 5 == 0)
            registers::ip(event.user_stack.registers) = random();
        if (i % 7 == 0)
            registers::sp(event.user_stack.registers) = UINT64_MAX - 100;
        const CallStack stack = reader.symbolize(event);
        EXPECT_LE(stack.frames.size(), Symbolizer::most_frames);
        EXPECT_NE(stack.end, StackEnd::none);
        for (size_t at = 1; at < stack.frames.size(); ++at)
            EXPECT_FALSE(stack.frames[at].module.empty());
    }
}

/// Frames without end.
TEST(ImdsStack, IsBounded) {
    std::string memory;
    const uint64_t begin = 0x10000;
    for (uint64_t at = 0; at < 1000; ++at) {
        const uint64_t pair[2] = {begin + (at + 1) * 16, 0x400000 + at};
        memory.append(reinterpret_cast<const char*>(pair), sizeof pair);
    }
    UserStack stack;
    stack.registers = registers::at(0x400000, begin);
    stack.memory = memory;
    Unwinder unwinder(stack);
    int steps = 0;
    while (unwinder.step_by_frame_pointer() == StackEnd::none)
        ++steps;
    EXPECT_EQ(steps, 1000);
    const uint64_t circle[2] = {begin, 0x400000};
    stack.memory = {reinterpret_cast<const char*>(circle), sizeof circle};
    Unwinder in_a_circle(stack);
    EXPECT_EQ(in_a_circle.step_by_frame_pointer(), StackEnd::none);
    EXPECT_EQ(in_a_circle.step_by_frame_pointer(), StackEnd::not_known);
}

/// Where the frame pointer led, the caller's stack pointer is known if it is above what the function has
/// kept, as on x86-64; what is found by it is not.
TEST(ImdsStack, StackPointerBehindAFramePointer) {
    const uint64_t begin = 0x10000;
    const uint64_t pair[2] = {begin + 32, 0x400000};
    UserStack stack;
    stack.registers = registers::at(0x400000, begin);
    stack.memory = {reinterpret_cast<const char*>(pair), sizeof pair};
    Unwinder unwinder(stack);
    UnwindRules by_stack, by_frame, outermost;
    by_stack.return_register = by_frame.return_register = outermost.return_register =
        registers::return_address;
#ifdef __aarch64__
    const bool is_known = false;
    by_stack.frame_register = 31, by_frame.frame_register = 29;
#else
    const bool is_known = true;
    by_stack.frame_register = 7, by_frame.frame_register = 6;
#endif
    outermost.rules[registers::return_address].how = UnwindRules::How::undefined;
    EXPECT_TRUE(unwinder.knows_frame_of(by_stack));
    ASSERT_EQ(unwinder.step_by_frame_pointer(), StackEnd::none);
    EXPECT_EQ(unwinder.knows_frame_of(by_stack), is_known);
    EXPECT_TRUE(unwinder.knows_frame_of(by_frame));
    EXPECT_TRUE(unwinder.knows_frame_of(outermost));
    EXPECT_TRUE(unwinder.knows_frame_of(UnwindRules())) << "by no register: the stack ends there";
}

TEST(ImdsStack, ProcessThatHasEnded) {
    SKIP_WITHOUT_EXECUTABLE_MAPS();
    outer();
    const pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    captured.is_of(child);
    Symbolizer reader("/proc"), other("/proc");
    const size_t alive = reader.symbolize(captured.event).frames.size(); // it has the same code as its parent
    EXPECT_GT(alive, 3U);
    Event earlier = captured.event;
    earlier.start_time_ns -= 10'000'000;
    EXPECT_EQ(other.symbolize(earlier).end, StackEnd::gone) << "the id was another process's then";
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const CallStack unknown = other.symbolize(captured.event);
    EXPECT_EQ(unknown.end, StackEnd::gone);
    ASSERT_EQ(unknown.frames.size(), 1U);
    EXPECT_EQ(unknown.frames[0].address, registers::ip(captured.event.user_stack.registers));
    EXPECT_TRUE(unknown.frames[0].module.empty() && unknown.frames[0].symbol.empty());
    EXPECT_EQ(reader.symbolize(captured.event).frames.size(), alive) << "what was mapped is remembered";
}

TEST(ImdsStack, ElsewhereThanProc) {
    outer();
    captured.is_of(getpid());
    EXPECT_EQ(Symbolizer("/nonexistent").symbolize(captured.event).end, StackEnd::gone);
}

// --- output ---

/// Files have any name, and symbols too.
TEST(ImdsStackOutput, IsEscaped) {
    auto caller = std::make_shared<Caller>(samples::event());
    caller->user_stack = {
        {{.address = 0x7f01,
          .module = "/li\nb.so",
          .module_offset = 0x21,
          .symbol = "f\x1b\xff\"",
          .symbol_offset = 3,
          .build_id = "ab01"},
         {.address = 0x5000,
          .module = "[anon]",
          .module_offset = 0x10,
          .symbol = {},
          .build_id = {},
          .is_guess = true},
         {.address = 0x6000, .module = "/no file", .module_offset = {}, .symbol = {}, .build_id = {}},
         {.address = 0x7000, .module = {}, .module_offset = {}, .symbol = {}, .build_id = {}}},
        StackEnd::not_known};
    ImdsEvent event;
    event.connection.ends = ends_to("169.254.169.254");
    event.caller = caller;
    std::string text, line;
    make_imds_text_formatter({samples::context(), false, {}})->format(event, text);
    make_imds_json_formatter({samples::context(), false, {}})->format(event, line);
    EXPECT_THAT(text, testing::HasSubstr(
                          R"(user_stack="li\nb.so!f\x1b\xff\"+0x3 <? [anon]+0x10 < no file@0x6000 < 0x7000")"
                          " user_stack_end=not_known"));
    EXPECT_EQ(std::ranges::count(text, '\n'), 1);
    const json reported = json::parse(line)["linux"];
    EXPECT_EQ(reported["imds"]["user_stack_end"], "not_known");
    const json& stack = reported["imds"]["user_stack"];
    ASSERT_EQ(stack.size(), 4U);
    EXPECT_EQ(stack[0]["module"], "/li\nb.so");
    EXPECT_EQ(stack[0]["address"], "0x7f01");
    EXPECT_EQ(stack[0]["module_offset"], "0x21");
    EXPECT_EQ(stack[0]["symbol_offset"], "0x3");
    EXPECT_EQ(stack[0]["build_id"], "ab01");
    EXPECT_EQ(reported["telemetry"]["raw"],
              json::parse(R"([{"base64": "Zhv/Ig==", "field": "linux.imds.user_stack[0].symbol"}])"));
    EXPECT_EQ(stack[1], (json{{"address", "0x5000"},
                              {"module", "[anon]"},
                              {"module_offset", "0x10"},
                              {"frame_pointer", true}}));
    EXPECT_EQ(stack[3], (json{{"address", "0x7000"}}));
}

} // namespace imds_test
