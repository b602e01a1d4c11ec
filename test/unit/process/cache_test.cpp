// SPDX-License-Identifier: MIT
#include "test/unit/process/cache_support.hpp"

using namespace cache_test;
using namespace std::literals;

namespace {

TEST_F(ProcessCacheTest, RemembersTheImageOfARecord) {
    {
        std::string exe = "/bin/prog", argv = "prog\0-x\0"s, tty = "pts0";
        Event first = with_image(event_of(10), exe, argv);
        first.image.tty.bytes = tty;
        first.image.tty.status = Status::ok;
        cache.enrich(first);
        EXPECT_EQ(first.image.exe.bytes.data(), exe.data())
            << "its own record serves the event that brings it";
        exe.assign(exe.size(), '#'), argv.assign(argv.size(), '#'), tty.assign(tty.size(), '#');
    }
    Event next = event_of(10);
    cache.enrich(next);
    EXPECT_EQ(next.image.exe.bytes, "/bin/prog");
    EXPECT_EQ(next.image.exe.inode.mode, uint32_t{S_IFREG | 0755});
    EXPECT_EQ(next.image.argv.bytes, "prog\0-x\0"s);
    EXPECT_EQ(next.image.argv.count, 2u);
    EXPECT_EQ(next.image.tty.bytes, "pts0");
    EXPECT_EQ(next.image.exe.source, Source::kernel);
    EXPECT_EQ(cache.counters().hits, 1u);
    EXPECT_EQ(cache.counters().records, 1u);
}

TEST_F(ProcessCacheTest, TellsProcessesOfOneIdApart) {
    exe_after(with_image(event_of(10, 1 * second), "/old"));
    exe_after(with_image(event_of(10, 2 * second), "/new"));
    EXPECT_EQ(exe_after(event_of(10, 1 * second)), "/old");
    EXPECT_EQ(exe_after(event_of(10, 2 * second)), "/new");
    EXPECT_EQ(exe_after(event_of(10, 3 * second)), "?");
}

TEST_F(ProcessCacheTest, ReplacesTheImageAtAnExec) {
    exe_after(with_image(event_of(10, second, 1), "/before"));
    exe_after(with_image(event_of(10, second, 2), "/after"));
    EXPECT_EQ(exe_after(event_of(10, second, 2)), "/after");
    EXPECT_EQ(status_after(event_of(10, second, 1)), Status::unavailable)
        << "a late event of the image before";
    EXPECT_EQ(exe_after(event_of(10, second, 2)), "/after") << "which has not harmed the newer one";
    EXPECT_EQ(cache.processes(), 1u);
}

TEST_F(ProcessCacheTest, KeepsWhatALaterRecordCouldNotRead) {
    exe_after(with_image(event_of(10), "/bin/prog", "prog\0"sv));
    Event again = with_image(event_of(10), "/bin/prog");
    ASSERT_EQ(again.image.argv.status, Status::fault);
    cache.enrich(again);
    EXPECT_EQ(again.image.argv.bytes, "prog\0"s);
    Event next = event_of(10);
    cache.enrich(next);
    EXPECT_EQ(next.image.argv.bytes, "prog\0"s);

    Event other_image = with_image(event_of(10, second, 2), "/bin/other");
    cache.enrich(other_image);
    EXPECT_EQ(other_image.image.argv.status, Status::fault);
}

TEST_F(ProcessCacheTest, GivesAChildTheImageOfItsParent) {
    exe_after(with_image(event_of(10), "/bin/sh"));
    EXPECT_EQ(exe_after(fork_of(event_of(10), 11, 2 * second)), "/bin/sh");
    EXPECT_EQ(exe_after(event_of(11, 2 * second)), "/bin/sh");
    exe_after(exit_of(event_of(10)));
    Event late = event_of(11, 2 * second);
    late.time_ns += 3600 * second;
    EXPECT_EQ(exe_after(late), "/bin/sh") << "the child's image outlives the parent";
    EXPECT_EQ(cache.counters().inherited, 1u);
    EXPECT_EQ(cache.counters().healed + cache.counters().unhealed, 0u);
}

/// What the event refers to must outlive the images that its own fork and exec replace: under
/// the address sanitizer a read of freed memory ends the test.
TEST_F(ProcessCacheTest, KeepsWhatAForkRefersToUntilTheNextEvent) {
    const std::string argv = std::string(32000, 'A') + '\0';
    exe_after(with_image(event_of(10), "/bin/prog", argv));
    for (uint32_t child = 11; child < 30; ++child) {
        Event fork = fork_of(with_image(event_of(10), "/bin/prog"), child, child * second);
        ASSERT_EQ(fork.image.argv.status, Status::fault);
        cache.enrich(fork);
        ASSERT_EQ(fork.image.argv.bytes, argv);
        ASSERT_EQ(fork.image.exe.bytes, "/bin/prog");
    }
}

TEST_F(ProcessCacheTest, LeavesAChildThatIsKnownAlready) {
    exe_after(with_image(event_of(10), "/bin/sh"));
    exe_after(with_image(event_of(11, 2 * second, 2), "/bin/ls"));
    exe_after(fork_of(event_of(10), 11, 2 * second));
    EXPECT_EQ(exe_after(event_of(11, 2 * second, 2)), "/bin/ls");
}

TEST_F(ProcessCacheTest, MakesNoChildOfAForkItDoesNotUnderstand) {
    exe_after(with_image(event_of(10), "/bin/sh"));
    Event fork = fork_of(event_of(10), 11, 2 * second);
    fork.child_status = Status::unavailable;
    exe_after(fork);
    exe_after(fork_of(event_of(20), 21, 2 * second)); // parent unknown
    EXPECT_EQ(cache.counters().inherited, 0u);
}

TEST_F(ProcessCacheTest, RemembersTheDeadForAWhile) {
    exe_after(with_image(event_of(10), "/bin/prog"));
    EXPECT_EQ(exe_after(exit_of(event_of(10))), "/bin/prog");
    Event late = event_of(10);
    late.time_ns += second;
    EXPECT_EQ(exe_after(late), "/bin/prog");
    late.time_ns += 2 * second;
    EXPECT_EQ(exe_after(late), "?");
}

TEST_F(ProcessCacheTest, HealsFromProc) {
    proc.add(10, 100, "/proc/self/exe", "prog\0arg\0"s, "a) b (c", 136 << 8 | 5);
    Event event = event_of(10, second + 9'999'999);
    cache.enrich(event);
    EXPECT_EQ(event.image.exe.bytes, "/proc/self/exe");
    EXPECT_EQ(event.image.exe.source, Source::procfs);
    struct stat self;
    ASSERT_EQ(stat("/proc/self/exe", &self), 0);
    EXPECT_TRUE(event.image.exe.has_inode);
    EXPECT_EQ(event.image.exe.inode.ino, self.st_ino);
    EXPECT_EQ(event.image.exe.inode.mode, self.st_mode);
    EXPECT_EQ(event.image.argv.bytes, "prog\0arg\0"s);
    EXPECT_EQ(event.image.argv.count, 2u);
    EXPECT_EQ(event.image.argv.source, Source::procfs);
    EXPECT_EQ(event.image.tty.bytes, "pts5");
    EXPECT_EQ(cache.counters().healed, 1u);

    proc.remove(10);
    EXPECT_EQ(exe_after(event_of(10, second + 9'999'999)), "/proc/self/exe") << "remembered";
    EXPECT_EQ(cache.counters().healed, 1u);
}

TEST_F(ProcessCacheTest, HealsOnlyFromTheSameProcess) {
    proc.add(10, 101, "/proc/self/exe", "prog\0"s);
    EXPECT_EQ(status_after(event_of(10)), Status::unavailable) << "the id was used again";
    EXPECT_EQ(cache.counters().unhealed, 1u);
    proc.add(10, 100, "/proc/self/exe", "prog\0"s);
    EXPECT_EQ(status_after(event_of(10)), Status::unavailable) << "one attempt an image";
    EXPECT_EQ(cache.counters().unhealed, 1u);
}

TEST_F(ProcessCacheTest, HealsWhenTheRecordOfAnExecWasLost) {
    exe_after(with_image(event_of(10, second, 1), "/before"));
    proc.add(10, 100, "/proc/self/exe", "after\0"s);
    EXPECT_EQ(exe_after(event_of(10, second, 2)), "/proc/self/exe");
    proc.remove(10);
    EXPECT_EQ(status_after(event_of(10, second, 3)), Status::unavailable) << "never the image before";
}

TEST_F(ProcessCacheTest, RemembersWhatRanAtTheStart) {
    proc.add(10, 100, "/proc/self/exe", "prog\0"s, "a) b (c");
    proc.add(11, 100, "/proc/self/exe", "prog\0"s, "sh");
    proc.add(12, 100, "/proc/self/exe", "prog\0"s, "sh");
    std::ofstream(proc.root_ / "uptime") << "1 1\n";
    cache.remember_running();
    for (uint32_t pid : {10, 11, 12})
        proc.remove(pid);
    Event known = exit_of(event_of(10));
    known.comm = "a) b (c";
    cache.enrich(known);
    EXPECT_EQ(known.image.exe.bytes, "/proc/self/exe");
    EXPECT_EQ(known.image.exe.source, Source::procfs);
    EXPECT_EQ(cache.counters().remembered, 1u);
    Event executed = exit_of(event_of(11));
    executed.comm = "ls";
    EXPECT_EQ(status_after(executed), Status::unavailable) << "it has become something else since";
    Event other = exit_of(event_of(12, 7 * second));
    other.comm = "sh";
    EXPECT_EQ(status_after(other), Status::unavailable) << "the id was used again";
    EXPECT_EQ(cache.counters().unhealed, 2u);
}

TEST_F(ProcessCacheTest, PrefersTheRecordToWhatRanAtTheStart) {
    proc.add(10, 100, "/proc/self/exe", "prog\0"s, "prog");
    cache.remember_running();
    proc.remove(10);
    exe_after(with_image(event_of(10, second, 1), "/now"));
    Event next = event_of(10, second, 2); // whose record was lost
    next.comm = "prog";
    EXPECT_EQ(status_after(next), Status::unavailable);
}

TEST(ProcessCache, LeavesRoomBesideWhatRanAtTheStart) {
    FakeProc proc;
    ProcessCache cache({.image_bytes = 100'000}, proc.reader());
    for (uint32_t pid = 1; pid <= 10; pid++)
        proc.add(pid, 100, "/proc/self/exe", std::string(30'000, 'x'));
    cache.remember_running();
    EXPECT_LT(cache.image_bytes(), 85'000u);
    EXPECT_GT(cache.image_bytes(), 50'000u);
}

TEST_F(ProcessCacheTest, DoesNotGuessWithoutStartTime) {
    exe_after(with_image(event_of(10), "/bin/prog"));
    Event event = event_of(10);
    event.missing = EBT_MISSING_START_TIME;
    EXPECT_EQ(status_after(event), Status::unavailable);
    Event own = with_image(event, "/own");
    EXPECT_EQ(exe_after(own), "/own");
    Event no_exec_id = event_of(10, second, 0);
    no_exec_id.missing = EBT_MISSING_EXEC_ID;
    EXPECT_EQ(exe_after(no_exec_id), "/bin/prog");
}

TEST_F(ProcessCacheTest, CutsACommandLineLikeTheKernelSide) {
    proc.add(10, 100, "/proc/self/exe", std::string(EBT_ARGV_MAX + 500, 'x'));
    Event event = event_of(10);
    cache.enrich(event);
    EXPECT_EQ(event.image.argv.status, Status::truncated);
    EXPECT_EQ(event.image.argv.bytes.size(), size_t{EBT_ARGV_MAX});
    EXPECT_GT(event.image.argv.original_length, uint32_t{EBT_ARGV_MAX});
    EXPECT_TRUE(event.image.argv.length_is_minimum);
}

TEST_F(ProcessCacheTest, TakesNoHarmFromABrokenProc) {
    proc.add(10, 100, "", ""); // a zombie
    EXPECT_EQ(status_after(event_of(10)), Status::unavailable);
    for (std::string_view text : {"", "11", "11 (x", "11 (x)", "11 (x) S 1 1 1 zz -1", "11 )x( S 1 1 1 0 -1",
                                  "11 (x) S 1 1 1 0 -1 0 0 0"}) {
        fs::create_directories(proc.root_ / "11");
        std::ofstream(proc.root_ / "11" / "stat") << text;
        EXPECT_EQ(Procfs(proc.root_).read(11, second), nullptr) << text;
    }
}

} // namespace
