// SPDX-License-Identifier: MIT
// --user-stack-trace on this kernel: which functions of which files asked.
#include <algorithm>
#include <elf.h>
#include <filesystem>
#include <random>

#include <gmock/gmock.h>

#include "test/imds/capture_fixture.hpp"
#include "test/imds/metadata_network.hpp"
#include "test/program/running_program.hpp"
#include "test/takes_32_bit.hpp"

using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;

namespace {

class Stack : public testing::TestWithParam<std::string> {
  protected:
    Stack() { EXPECT_TRUE(tracker_.reports()) << tracker_.err(); }

    /// The request of the only program that was run, and of no other test's.
    json reported() {
        tracker_.send(SIGTERM);
        EXPECT_EQ(tracker_.wait(), 0) << tracker_.err();
        std::vector<json> all;
        for (const std::string& line : lines_of(tracker_.out()))
            if (json event = json::parse(line); event["linux"]["imds"]["netns"] == network_.inode())
                all.push_back(std::move(event));
        EXPECT_EQ(all.size(), 1u) << tracker_.out();
        json imds = all.empty() ? json() : all.front()["linux"]["imds"];
        EXPECT_TRUE(imds.contains("user_stack") && imds.contains("user_stack_end")) << imds;
        for (const char* key : {"user_stack", "user_stack_end", "class"}) // what is missing is asked for, too
            imds[key];
        return imds;
    }
    json stack_of(const std::vector<std::string>& command) {
        network_.run(command);
        return reported();
    }

    const TemporaryFolder folder_;
    MetadataNetwork network_;
    RunningProgram tracker_{
        {"-c", usable_config(), "-f", "json", "--tier", GetParam(), "--user-stack-trace"}};
};

INSTANTIATE_TEST_SUITE_P(Tiers, Stack, testing::ValuesIn(tiers_here()), name_of_tier);

std::vector<std::string> names(const json& imds) {
    std::vector<std::string> names;
    for (const json& frame : imds["user_stack"])
        names.push_back(frame.value("symbol", "?"));
    return names;
}

/// The names are there in this order, and nothing lies between those.
void expect_run(const json& imds, const std::vector<std::string>& expected) {
    const std::vector<std::string> found = names(imds);
    EXPECT_NE(std::search(found.begin(), found.end(), expected.begin(), expected.end()), found.end())
        << imds["user_stack"].dump(1);
}

void expect_module(const json& imds, const std::string& symbol, const std::string& module) {
    for (const json& frame : imds["user_stack"])
        if (frame.value("symbol", "") == symbol) {
            EXPECT_THAT(frame.value("module", ""), EndsWith(module));
            EXPECT_THAT(frame.value("address", ""), testing::StartsWith("0x"));
            EXPECT_TRUE(frame.contains("module_offset") && frame.contains("symbol_offset"));
            return;
        }
    ADD_FAILURE() << "no " << symbol << " in " << imds["user_stack"].dump(1);
}

const std::vector<std::string> chain = {"ours::send_request(int)", "ours::ask(int)", "main"};

/// Position-independent, with shared libraries, without frame pointers.
TEST_P(Stack, SharedProgram) {
    const json imds = stack_of({STACK_CLIENT, "plain"});
    expect_run(imds, chain);
    EXPECT_THAT(names(imds).at(0), HasSubstr("send"));
    expect_module(imds, "ours::ask(int)", "imds_stack_client");
    expect_module(imds, names(imds).at(0), "libc.so.6");
    EXPECT_EQ(imds["user_stack_end"], "outermost");
    EXPECT_EQ(imds["user_stack"].at(0).value("build_id", "").size(), 40u);
    for (const json& frame : imds["user_stack"])
        EXPECT_FALSE(frame.contains("frame_pointer")) << frame;
}

TEST_P(Stack, StaticProgram) {
    const json imds = stack_of({STACK_CLIENT_STATIC, "plain"});
    expect_run(imds, chain);
    expect_module(imds, "main", "imds_stack_client_static");
    EXPECT_EQ(names(imds).back(), "_start");
    EXPECT_EQ(imds["user_stack_end"], "outermost");
}

TEST_P(Stack, ProgramOf32Bits) {
    if (!takes_32_bit_calls())
        GTEST_SKIP() << no_32_bit_calls;
    const json imds = stack_of({STACK_CLIENT32, "plain"});
#ifdef __x86_64__
    expect_run(imds, chain);
    EXPECT_EQ(imds["user_stack_end"], "outermost");
#else // those of 32-bit arm have tables of another form
    ASSERT_EQ(imds["user_stack"].size(), 1u) << imds["user_stack"].dump(1);
    EXPECT_THAT(imds["user_stack"].at(0).value("module", ""), EndsWith("imds_stack_client32"));
    EXPECT_EQ(imds["user_stack_end"], "not_known");
#endif
}

TEST_P(Stack, SharedLibraryBetween) {
    const json imds = stack_of({STACK_CLIENT, "library"});
    expect_run(imds, {"ours::ask(int)", "ours::by_library(int (*)(int), int)", "main"});
    expect_module(imds, "ours::by_library(int (*)(int), int)", "libimds_stack_library.so");
}

/// A program's own names are gone; the library's are not, and the stack is still whole.
TEST_P(Stack, Stripped) {
    const json imds = stack_of({STACK_CLIENT_STRIPPED, "library"});
    expect_run(imds, {"?", "?", "ours::by_library(int (*)(int), int)", "?"});
    EXPECT_EQ(imds["user_stack_end"], "outermost");
    for (const json& frame : imds["user_stack"])
        EXPECT_TRUE(frame.contains("module_offset")) << frame;
}

TEST_P(Stack, Thread) {
    const json imds = stack_of({STACK_CLIENT, "thread"});
    expect_run(imds, {"ours::send_request(int)", "ours::ask(int)",
                      "ours::(anonymous namespace)::run_thread(void*)"});
    EXPECT_EQ(imds["user_stack_end"], "outermost");
}

/// Code that no file has, and no table tells of: the frame pointer serves.
TEST_P(Stack, MadeCode) {
    const json imds = stack_of({STACK_CLIENT, "jit"});
    const json& stack = imds["user_stack"];
    const auto made =
        std::ranges::find_if(stack, [](const json& frame) { return frame.value("module", "") == "[anon]"; });
    ASSERT_NE(made, stack.end()) << stack.dump(1);
#ifdef __x86_64__
    const char* const behind_the_call = "0xb";
#else
    const char* const behind_the_call = "0x14";
#endif
    EXPECT_EQ(made->value("module_offset", ""), behind_the_call);
    EXPECT_FALSE(made->contains("symbol"));
    ASSERT_NE(made + 1, stack.end());
    EXPECT_EQ((made + 1)->value("symbol", ""), "ours::(anonymous namespace)::by_made_code(int)");
    EXPECT_TRUE((made + 1)->value("frame_pointer", false));
    expect_run(imds, {"ours::(anonymous namespace)::by_made_code(int)", "main"});
}

TEST_P(Stack, DeletedFile) {
    const std::string copy = folder_.path() + "/client";
    std::filesystem::copy_file(STACK_CLIENT_STATIC, copy);
    const json imds = stack_of({copy, "deleted"});
    expect_run(imds, chain);
    expect_module(imds, "main", "/client (deleted)");
}

/// In another root, as in a container.
TEST_P(Stack, OtherRoot) {
    std::filesystem::copy_file(STACK_CLIENT_STATIC, folder_.path() + "/client");
    const json imds = stack_of({"unshare", "--mount", "chroot", folder_.path(), "/client", "plain"});
    expect_run(imds, chain);
    EXPECT_EQ(imds["user_stack_end"], "outermost");
}

/// Names, symbols and section headers become anything; the program runs all the same.
void spoil_what_is_not_loaded(const std::string& program) {
    std::fstream file(program, std::ios::in | std::ios::out | std::ios::binary);
    Elf64_Ehdr header;
    file.read(reinterpret_cast<char*>(&header), sizeof header);
    uint64_t loaded = 0;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        file.seekg(static_cast<std::streamoff>(header.e_phoff + i * sizeof segment));
        file.read(reinterpret_cast<char*>(&segment), sizeof segment);
        if (segment.p_type == PT_LOAD)
            loaded = std::max(loaded, segment.p_offset + segment.p_filesz);
    }
    const uint64_t size = std::filesystem::file_size(program);
    ASSERT_LT(loaded, size);
    std::mt19937 random(7);
    file.seekp(static_cast<std::streamoff>(loaded));
    for (uint64_t i = loaded; i < size; ++i)
        file.put(static_cast<char>(random()));
}

/// A program whose tables say anything: it is reported, and nothing breaks.
TEST_P(Stack, HostileFile) {
    const std::string copy = folder_.path() + "/client";
    std::filesystem::copy_file(STACK_CLIENT_STATIC, copy);
    spoil_what_is_not_loaded(copy);
    const json imds = stack_of({copy, "plain"});
    EXPECT_GE(imds["user_stack"].size(), 1u);
    EXPECT_EQ(imds["class"], "instance");
}

/// A process that has ended: what is known is reported, nothing else.
TEST_P(Stack, ProcessThatHasEnded) {
    tracker_.send(SIGSTOP);
    network_.run({STACK_CLIENT_STATIC, "plain"});
    tracker_.send(SIGCONT);
    const json imds = reported();
    EXPECT_EQ(imds["user_stack_end"], "process_gone");
    ASSERT_EQ(imds["user_stack"].size(), 1u);
    EXPECT_EQ(imds["user_stack"].at(0).size(), 1u) << "the address";
}

/// Nobody asked: nothing is reported.
TEST(StackOff, NothingIsTold) {
    const MetadataNetwork network;
    RunningProgram tracker({"-c", usable_config(), "-f", "json"});
    ASSERT_TRUE(tracker.reports()) << tracker.err();
    network.run({STACK_CLIENT, "plain"});
    tracker.send(SIGTERM);
    EXPECT_EQ(tracker.wait(), 0) << tracker.err();
    EXPECT_THAT(tracker.out(), HasSubstr(network.inode()));
    EXPECT_THAT(tracker.out(), testing::Not(HasSubstr("user_stack")));
}

/// People read one line.
TEST(StackText, OneLine) {
    const MetadataNetwork network;
    RunningProgram tracker({"-c", usable_config(), "--user-stack-trace"});
    ASSERT_TRUE(tracker.reports()) << tracker.err();
    network.run({STACK_CLIENT_STATIC, "plain"});
    tracker.send(SIGTERM);
    EXPECT_EQ(tracker.wait(), 0) << tracker.err();
    EXPECT_THAT(tracker.out(),
                testing::ContainsRegex(
                    "user_stack=\"[^\"]*imds_stack_client_static!ours::send_request\\(int\\)\\+0x[0-9a-f]+ < "
                    "imds_stack_client_static!ours::ask\\(int\\)\\+0x[0-9a-f]+ < "
                    "imds_stack_client_static!main\\+0x[0-9a-f]+ < [^\"]*\"\n"));
}

} // namespace
