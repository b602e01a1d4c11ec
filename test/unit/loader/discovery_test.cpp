// SPDX-License-Identifier: MIT
#include <ebpf_loader/discovery.hpp>
#include <ebpf_loader/error.hpp>

#include "loader/src/base/privileges.hpp"
#include "loader/src/discovery/setup.hpp"
#include "test/takes_32_bit.hpp"
#include "test/unit/support/emulated.hpp"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <thread>

namespace {

using namespace ebpf_loader;
using namespace ebpf_loader::discovery;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Block block_at(uint64_t address, std::initializer_list<uint32_t> words) {
    Block block{.address = address, .bytes = std::vector<std::byte>(words.size() * sizeof(uint32_t))};
    memcpy(block.bytes.data(), words.begin(), block.bytes.size());
    return block;
}

TEST(Places, AreWhereEverySightHasItsValue) {
    const Block first = block_at(0x1000, {7, 5, 7, 9}), second = block_at(0x2000, {7, 6, 8, 10});
    EXPECT_THAT(places<uint32_t>({{&first, 7}}), ElementsAre(0, 8));
    EXPECT_THAT(places<uint32_t>({{&first, 7}, {&second, 8}}), ElementsAre(8));
    EXPECT_THAT(places<uint32_t>({{&first, 5}, {&second, 5}}), IsEmpty());
    EXPECT_THAT(places<uint16_t>({{&first, 9}}), ElementsAre(12));
}

TEST(Places, EndWhereTheNextOfTheirKindBegins) {
    const Block first = block_at(0x1000, {1, 2, 7, 7}), second = block_at(0x1008, {7, 7, 3, 4});
    EXPECT_EQ(reach({&first, &second}), 8u);
    EXPECT_THAT(places<uint32_t>({{&first, 2}, {&second, 7}}), ElementsAre(4));
    const Block shorter = block_at(0x9000, {1});
    EXPECT_EQ(reach({&first, &shorter}), 4u);
    EXPECT_EQ(reach({}), 0u);
}

TEST(HeapPointers, AreNeitherUserMemoryNorKernelImageNorErrors) {
    EXPECT_TRUE(is_heap_pointer(0xffff'8880'0123'4560));
#ifdef __aarch64__
    EXPECT_TRUE(is_heap_pointer(0xfff0'0000'0123'4560)); // 52 bits of address
    EXPECT_FALSE(is_heap_pointer(0x000f'ffff'ffff'fff8));
    EXPECT_TRUE(is_heap_pointer(0xffff'8000'8000'0000)); // the kernel's image is in vmalloc, as stacks are
#else
    EXPECT_TRUE(is_heap_pointer(0xff11'0001'0000'0000)); // five-level page tables
    EXPECT_FALSE(is_heap_pointer(0xffff'ffff'8100'0000));
#endif
    EXPECT_FALSE(is_heap_pointer(0));
    EXPECT_FALSE(is_heap_pointer(0x0000'7fff'ffff'f000));
    EXPECT_FALSE(is_heap_pointer(static_cast<uint64_t>(-22)));
    EXPECT_FALSE(is_heap_pointer(0xffff'8880'0123'4561));
}

TEST(FoundOffsets, WhatFitsOnceIsFound) {
    FoundOffsets found;
    found.settle("cred.uid", {8});
    EXPECT_TRUE(found.knows("cred.uid"));
    EXPECT_EQ(found["cred.uid"], 8u);
    EXPECT_THROW(found["cred.fsgid"], Unobservable);
}

TEST(FoundOffsets, DoubtIsRefusedUntilAnotherAttemptEndsIt) {
    FoundOffsets found;
    found.settle("cred.uid", {40, 8, 40});
    EXPECT_FALSE(found.knows("cred.uid"));
    EXPECT_THAT(found.finish().refused, testing::Contains("cred.uid: several offsets fit: 8 40"));
    found.settle("cred.uid", {8, 16});
    EXPECT_EQ(found["cred.uid"], 8u);
    found.settle("cred.uid", {}); // not seen this time: no contradiction
    EXPECT_EQ(found["cred.uid"], 8u);
}

TEST(FoundOffsets, ContradictionsAreRefused) {
    FoundOffsets found;
    found.settle("cred.uid", {8});
    found.settle("cred.uid", {4});
    EXPECT_FALSE(found.knows("cred.uid"));
    EXPECT_THAT(found.finish().refused,
                testing::Contains("cred.uid: observations contradict each other: first 8, then 4"));
}

TEST(FoundOffsets, EveryFieldIsFoundAbsentOrRefusedWithAReason) {
    FoundOffsets found;
    found.settle("cred.uid", {8});
    found.absent("task_struct.loginuid");
    found.settle("cred.fsgid", {});
    found.step_failed("looking at tasks: no");
    const Discovery observed = found.finish();
    const auto rows = offset_rows();
    const auto observable = std::ranges::count_if(rows, &OffsetRow::observable);
    EXPECT_THAT(observed.refused, SizeIs(observable - 2));
    EXPECT_THAT(observed.refused, testing::Contains("cred.fsgid: no offset fits what was observed"));
    EXPECT_THAT(observed.refused, testing::Contains("task_struct.pid: looking at tasks: no"));
    EXPECT_FALSE(found.is_complete());
}

TEST(Contradictions, NameEachFieldThatDiffers) {
    Discovery observed;
    const size_t uid = *Offsets::find("cred.uid"), fsgid = *Offsets::find("cred.fsgid");
    observed.offsets.set(uid, 8);
    Offsets claimed;
    claimed.set(uid, 8);
    claimed.set(fsgid, 36); // not observed: not compared
    EXPECT_THAT(contradictions(claimed, observed), IsEmpty());
    claimed.set(uid, 4);
    EXPECT_THAT(contradictions(claimed, observed), ElementsAre("cred.uid is at 8, not at 4"));
    claimed.set(uid, std::nullopt);
    EXPECT_THAT(contradictions(claimed, observed), ElementsAre("cred.uid is at 8, not absent"));
}

size_t entries(const char* folder) {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// Everything below needs the running kernel, and root.
class DiscoveryHere : public testing::Test {
  protected:
    void SetUp() override {
        if (!missing_capabilities().empty())
            GTEST_SKIP() << "discovery of offsets needs root";
        SKIP_WITHOUT_BPF();
    }

    static void expect_truth(const Offsets& discovered) {
        if (!std::filesystem::exists("/sys/kernel/btf/vmlinux"))
            GTEST_SKIP() << "this kernel has no BTF to compare with";
        const Offsets truth = Offsets::from_btf();
        for (size_t row = 0; row < offset_rows().size(); row++) {
            if (row == mark_of_32_bit_calls() && !takes_32_bit_calls())
                continue;
            EXPECT_EQ(discovered.get(row), offset_rows()[row].observable ? truth.get(row) : std::nullopt)
                << offset_rows()[row].structure << "." << offset_rows()[row].member;
        }
    }
    static size_t mark_of_32_bit_calls() { return *Offsets::find("task_struct.status"); }
};

TEST_F(DiscoveryHere, TheMarkOf32BitCallsIsAbsentWhereNoneAreTaken) {
    const auto found = observe_offsets().offsets.get(mark_of_32_bit_calls());
    EXPECT_EQ(found.has_value(), takes_32_bit_calls());
    if (!takes_32_bit_calls())
        GTEST_SKIP() << "its place is not compared: " << no_32_bit_calls;
}

TEST_F(DiscoveryHere, EqualsBtfInEveryRow) {
    const Discovery observed = observe_offsets();
    EXPECT_THAT(observed.refused, IsEmpty());
    EXPECT_THAT(observed.offsets.problems(), IsEmpty());
    EXPECT_THAT(observed.offsets.source, HasSubstr("discovery"));
    expect_truth(observed.offsets);
}

TEST_F(DiscoveryHere, LeavesNothingBehind) {
    const size_t descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    const auto mounts = std::filesystem::read_symlink("/proc/self/ns/mnt");
    const auto folder = std::filesystem::current_path();
    sigset_t before{}, after{};
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    observe_offsets();
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    EXPECT_EQ(memcmp(&before, &after, sizeof(before)), 0);
    EXPECT_EQ(entries("/proc/self/fd"), descriptors);
    EXPECT_EQ(entries("/proc/self/task"), threads);
    EXPECT_EQ(std::filesystem::read_symlink("/proc/self/ns/mnt"), mounts);
    EXPECT_EQ(std::filesystem::current_path(), folder);
    EXPECT_FALSE(std::filesystem::exists("/tmp/ebpf_telemetry-1"));
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1);
    EXPECT_EQ(errno, ECHILD);
}

volatile sig_atomic_t signals = 0;

/// In a library the surroundings are not ours: other threads, handlers, descriptors.
TEST_F(DiscoveryHere, WorksInABusyProgramThatNeverHearsOfIt) {
    struct sigaction counting {
    }, before{};
    counting.sa_handler = [](int) { signals = signals + 1; };
    sigaction(SIGCHLD, &counting, &before);
    std::vector<int> pipes;
    for (int i = 0; i < 200; i++) { // more than the smallest table of descriptors holds
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        pipes.insert(pipes.end(), ends, ends + 2);
    }
    std::atomic<bool> stop = false;
    std::thread allocating([&] {
        while (!stop)
            std::string(1000, 'x').resize(2000);
    });
    Discovery observed;
    std::thread discovering([&] { observed = observe_offsets(); });
    discovering.join();
    stop = true;
    allocating.join();
    for (int fd : pipes)
        close(fd);
    sigaction(SIGCHLD, &before, nullptr);
    EXPECT_EQ(signals, 0);
    EXPECT_THAT(observed.refused, IsEmpty());
    expect_truth(observed.offsets);
}

TEST_F(DiscoveryHere, SurvivesIgnoredChildren) {
    struct sigaction ignoring {
    }, before{};
    ignoring.sa_handler = SIG_IGN;
    sigaction(SIGCHLD, &ignoring, &before);
    const Discovery observed = observe_offsets();
    sigaction(SIGCHLD, &before, nullptr);
    EXPECT_THAT(observed.refused, IsEmpty());
}

} // namespace
