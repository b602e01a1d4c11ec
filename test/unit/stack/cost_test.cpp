// SPDX-License-Identifier: MIT
// What a stack costs when files are made to be slow or large: counted in work, not in time.
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "telemetry/elf/demangle.hpp"
#include "telemetry/stack/symbolizer.hpp"
#include "test/unit/stack/made_elf.hpp"
#include "test/unit/support/emulated.hpp"
#include "test/unit/support/temporary_folder.hpp"

namespace stack_test {

using namespace telemetry;

namespace {

constexpr uint64_t place = 0x200000000000; ///< of the file in memory
constexpr size_t frames = 60;
constexpr uint64_t step_ns = 1'000'000;

/// This process, as it would be with a file's code under way in many functions at once.
class StackCost : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0)
            GTEST_SKIP() << "only root opens files by their mappings";
        const auto now = Procfs().stat(static_cast<uint32_t>(getpid()));
        ASSERT_TRUE(now);
        const auto ns_per_tick = 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
        event_.pid = static_cast<uint32_t>(getpid());
        event_.start_time_ns = now->start_ticks * ns_per_tick;
        event_.time_ns = step_ns;
        event_.user_stack_status = Status::ok;
    }
    void TearDown() override { unmap(); }
    void unmap() {
        if (size_)
            munmap(reinterpret_cast<void*>(place), size_);
        size_ = 0;
    }
    /// Maps a file, with a hole behind it, and makes a stack of frames in it.
    void map(const std::string& bytes, off_t hole = 0) {
        unmap();
        {
            std::ofstream file(path_, std::ios::binary | std::ios::trunc);
            file << bytes;
        }
        ASSERT_TRUE(!hole || truncate(path_.c_str(), hole) == 0);
        const ebpf_loader::UniqueFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        size_ = 1 << 20;
        ASSERT_EQ(mmap(reinterpret_cast<void*>(place), size_, PROT_READ | PROT_EXEC,
                       MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd.get(), 0),
                  reinterpret_cast<void*>(place));
        memory_.clear();
        constexpr uint64_t begin = 0x7ff000000000;
        for (uint64_t i = 1; i <= frames; ++i)
            memory_ += bytes_of(i < frames ? begin + i * 16 : 0, i < frames ? place + 4096 + 64 * i : 0);
        event_.user_stack.registers = registers::at(place + 4096, begin);
        event_.user_stack.memory = memory_;
    }
    /// Another file by its times, as its owner can make it.
    void touch(int64_t s) {
        const timespec times[2] = {{s, 0}, {s, 0}};
        ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
    }
    CallStack read() {
        const Work before = reader_.counters().work;
        event_.time_ns += step_ns;
        CallStack stack = reader_.symbolize(event_);
        const Work after = reader_.counters().work;
        last_ = {after.reads - before.reads, after.bytes - before.bytes, after.entries - before.entries};
        return stack;
    }
    /// The first is bounded, and those after it cost next to nothing.
    void expect_bounded() {
        const CallStack stack = read();
        const Work first = last_;
        const Work& most = limits_.stack.stack;
        EXPECT_LE(first.reads, most.reads + 1);
        EXPECT_LE(first.bytes, most.bytes + (64u << 10));
        EXPECT_LE(first.entries, most.entries + (1u << 16));
        EXPECT_LE(first.cost(), 12'000'000U);
        EXPECT_NE(stack.end, StackEnd::none);
        for (int i = 0; i < 40; ++i) {
            const CallStack again = read();
            EXPECT_GE(again.frames.size(), 1U);
            EXPECT_LE(last_.cost(), std::max<uint64_t>(first.cost() / 4, 500'000)) << "at " << i;
        }
    }
    size_t too_costly(const CallStack& stack) const {
        return static_cast<size_t>(std::ranges::count_if(stack.frames, &StackFrame::is_too_costly));
    }

    Symbolizer::Limits limits_;
    Symbolizer reader_{"/proc", limits_};
    Event event_;
    Work last_;
    std::string memory_;
    size_t size_ = 0;
    const TemporaryFolder folder_;
    const std::string path_ = folder_.path() + "/made";
};

TEST_F(StackCost, ManyCommonEntries) {
    SKIP_WITHOUT_EXECUTABLE_MAPS();
    map(elf_of_many_common_entries(20'000));
    const CallStack stack = read();
    EXPECT_GT(too_costly(stack), 10U);
    EXPECT_EQ(reader_.counters().too_costly, 1U);
    EXPECT_GE(reader_.counters().refused_files, 1U);
    map(elf_of_many_common_entries(30'000)); // another file
    expect_bounded();
}

TEST_F(StackCost, SparseSymbols) {
    SKIP_WITHOUT_EXECUTABLE_MAPS();
    map(elf_of_sparse_symbols(64u << 20), 130 << 20);
    expect_bounded();
    EXPECT_EQ(too_costly(read()), frames);
    map(elf_of_sparse_symbols(11u << 20), 130 << 20); // as much as may be
    expect_bounded();
}

TEST_F(StackCost, SymbolsAboutEverything) {
    SKIP_WITHOUT_EXECUTABLE_MAPS();
    map(elf_of_symbols(100'000, {"a", "b", "c"}));
    expect_bounded();
    EXPECT_EQ(too_costly(read()), frames);
}

TEST_F(StackCost, NamesThatGrow) {
    std::vector<std::string> names;
    for (int i = 0; i < 60; ++i)
        names.push_back(name_that_grows(6) + std::string(static_cast<size_t>(i), 'i'));
    map(elf_of_symbols(60, names));
    expect_bounded();
}

TEST_F(StackCost, ManySections) {
    MadeElf elf;
    for (int i = 0; i < 60'000; ++i)
        elf.add_section(i % 2 ? SHT_SYMTAB : SHT_PROGBITS, 0x1000, 0x1000, 1, ".eh_fram");
    map(elf.finish());
    expect_bounded();
}

TEST_F(StackCost, LongPrograms) {
    map(elf_of_long_program("\x0a\x0b", 65'000)); // remember, restore
    expect_bounded();
    map(elf_of_long_program(std::string("\x2e\x80\x80\x80\x80\x80\x80\x00", 8), 65'000));
    expect_bounded();
    map(elf_of_long_program(std::string(1, '\0'), 65'000));
    expect_bounded();
}

/// Who makes another file of it each time pays for it from a share.
TEST_F(StackCost, OverTime) {
    SKIP_WITHOUT_EXECUTABLE_MAPS();
    map(elf_of_symbols(100'000, {"a", "b", "c"}));
    uint64_t cost = 0;
    constexpr int events = 1000; // in a second
    for (int i = 0; i < events; ++i) {
        touch(1000 + i);
        read();
        cost += last_.cost();
    }
    const WorkShares::Share& share = limits_.shares.process;
    EXPECT_LE(cost, share.at_once + share.per_second * events * step_ns / 1'000'000'000 + 12'000'000);
    EXPECT_LT(reader_.counters().stacks - reader_.counters().too_costly, 10U);
    event_.time_ns += 10'000'000'000;
    EXPECT_GT(read().frames.size(), 1U) << "its share has filled again";
}

/// A name, and no mapping that can be opened by: the name is not opened.
TEST_F(StackCost, NeverByName) {
    SKIP_WITHOUT_EXECUTABLE_MAPS();
    map(elf_of_symbols(4, {"found"}));
    EXPECT_EQ(read().frames.front().symbol, "found");
    const std::string own = "/proc/" + std::to_string(getpid());
    const TemporaryFolder proc;
    const std::string fake = proc.path() + "/" + std::to_string(getpid());
    ASSERT_EQ(mkdir(fake.c_str(), 0700), 0);
    for (const char* name : {"/maps", "/stat", "/mountinfo"}) {
        std::ifstream from(own + name);
        std::ofstream(fake + name) << from.rdbuf();
    }
    ASSERT_EQ(symlink("/", (fake + "/root").c_str()), 0);
    ASSERT_EQ(symlink("/proc/self", (proc.path() + "/self").c_str()), 0);
    ASSERT_EQ(symlink("/proc/1", (proc.path() + "/1").c_str()), 0);
    const CallStack stack = Symbolizer(proc.path()).symbolize(event_);
    ASSERT_GE(stack.frames.size(), 1U);
    EXPECT_TRUE(stack.frames.front().module.ends_with("/made"));
    EXPECT_EQ(stack.frames.front().symbol, "");
    EXPECT_FALSE(stack.frames.front().module_offset);
}

TEST(StackWork, OperationsHaveTheirOwnLimit) {
    WorkBudget budget({.reads = 10, .bytes = 1000, .entries = 100});
    {
        const WorkBudget::Operation operation(budget, {.reads = 2, .bytes = 1000, .entries = 100});
        EXPECT_TRUE(budget.read(10));
        EXPECT_TRUE(budget.read(10));
        EXPECT_FALSE(budget.read(10));
        EXPECT_TRUE(operation.is_too_much());
    }
    EXPECT_FALSE(budget.is_spent()) << "only the operation was";
    {
        const WorkBudget::Operation operation(budget, {.reads = 100, .bytes = 100'000, .entries = 100});
        EXPECT_FALSE(budget.read(5000));
        EXPECT_FALSE(operation.is_too_much()) << "it was not its limit";
    }
    EXPECT_TRUE(budget.is_spent());
    EXPECT_FALSE(budget.parse());
    WorkBudget endless;
    EXPECT_TRUE(endless.read(UINT64_MAX));
    EXPECT_TRUE(endless.parse(UINT64_MAX));
    EXPECT_TRUE(endless.parse(5));
}

TEST(StackWork, Shares) {
    WorkShares shares({.process = {1'000'000, 100}, .all = {2'000'000, 250}, .processes = 2});
    const WorkShares::Process a{1, 0, 0}, b{2, 0, 0}, c{3, 0, 0};
    constexpr uint64_t now = 1'000'000'000'000;
    EXPECT_TRUE(shares.has_left(a, now));
    shares.charge(a, 150);
    EXPECT_FALSE(shares.has_left(a, now)) << "a debt";
    EXPECT_TRUE(shares.has_left(b, now));
    EXPECT_FALSE(shares.has_left(a, now + 50'000));
    EXPECT_TRUE(shares.has_left(a, now + 52'000)) << "1 each microsecond";
    EXPECT_TRUE(shares.has_left(a, now - 1'000'000'000)) << "the clock was set back";
    shares.charge(b, 300);
    EXPECT_FALSE(shares.has_left(c, now - 1'000'000'000)) << "all together had too much";
}

TEST(StackWork, NamesAreNotLongerThanTheirBound) {
    for (const std::string& name :
         {name_that_grows(3), name_that_grows(6), std::string("_ZNSt6vectorIiSaIiEE4sizeEv"),
          std::string("_ZN1AcvT_I1BEEv"), std::string("_Z1fIJiiiEEvDpT_")}) {
        WorkBudget budget;
        const std::string shown = demangled(name, budget);
        EXPECT_LE(std::min(shown.size(), size_t{512}), demangled_bound(name)) << name;
        EXPECT_NE(shown, name);
    }
    WorkBudget little({.reads = 0, .bytes = 0, .entries = 1});
    EXPECT_EQ(demangled(name_that_grows(5), little), name_that_grows(5)) << "it would cost too much";
    WorkBudget budget;
    EXPECT_EQ(demangled(name_that_grows(20), budget), name_that_grows(20)) << "nobody could read it";
}

} // namespace
} // namespace stack_test
