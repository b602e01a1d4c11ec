// SPDX-License-Identifier: MIT
#include "telemetry/process/cache.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

using namespace telemetry;
using namespace std::literals;
namespace fs = std::filesystem;

namespace {

constexpr uint64_t second = 1'000'000'000;

Event event_of(uint32_t pid, uint64_t start = second, uint32_t exec_id = 1) {
    Event event;
    event.pid = event.tid = pid;
    event.start_time_ns = start;
    event.exec_id = exec_id;
    event.time_ns = 100 * second;
    return event;
}

Event with_image(Event event, std::string_view exe, std::string_view argv = {}) {
    event.carries_image = true;
    event.image.exe.bytes = exe;
    event.image.exe.status = Status::ok;
    event.image.exe.has_inode = true;
    event.image.exe.inode.mode = S_IFREG | 0755;
    event.image.argv.bytes = argv;
    event.image.argv.status = argv.empty() ? Status::fault : Status::ok;
    event.image.argv.count = count_strings(argv);
    return event;
}

Event fork_of(Event parent, uint32_t child, uint64_t child_start) {
    parent.kind = EBT_FORK;
    parent.child_pid = child;
    parent.child_start_time_ns = child_start;
    parent.child_status = Status::ok;
    return parent;
}

Event exit_of(Event event) {
    event.kind = EBT_EXIT;
    return event;
}

/// A folder made to look like /proc.
class FakeProc {
  public:
    FakeProc() {
        char name[] = "/tmp/fake_proc_XXXXXX";
        root_ = mkdtemp(name);
    }
    ~FakeProc() { fs::remove_all(root_); }

    void add(uint32_t pid, uint64_t start_ticks, const std::string& exe, const std::string& argv,
             const std::string& comm = "a) b (c", int tty = 0) {
        fs::path folder = root_ / std::to_string(pid);
        fs::create_directories(folder);
        std::ofstream(folder / "stat") << pid << " (" << comm << ") S 1 1 1 " << tty
                                       << " -1 0 0 0 0 0 1 2 3 4 20 0 1 0 " << start_ticks << " 99 98\n";
        std::ofstream(folder / "cmdline") << argv;
        fs::remove(folder / "exe");
        if (!exe.empty())
            fs::create_symlink(exe, folder / "exe");
    }
    void remove(uint32_t pid) { fs::remove_all(root_ / std::to_string(pid)); }

    Procfs reader() const { return Procfs(root_); }
    fs::path root_;
};

struct ProcessCacheTest : testing::Test {
    FakeProc proc;
    ProcessCache cache{ProcessCache::Limits{}, proc.reader()};

    std::string exe_after(Event event) {
        cache.enrich(event);
        return event.image.exe.known() ? std::string(event.image.exe.bytes) : "?";
    }
    Status status_after(Event event) {
        cache.enrich(event);
        return event.image.exe.status;
    }
};

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

TEST(ProcessCache, EvictsTheLongestUnused) {
    FakeProc proc;
    ProcessCache cache({.processes = 3}, proc.reader());
    for (uint32_t pid : {1, 2, 3}) {
        Event event = with_image(event_of(pid), "/bin/prog");
        cache.enrich(event);
    }
    Event used = event_of(1);
    cache.enrich(used);
    Event fourth = with_image(event_of(4), "/bin/prog");
    cache.enrich(fourth);
    EXPECT_EQ(cache.counters().evicted, 1u);
    EXPECT_EQ(cache.processes(), 3u);
    Event one = event_of(1), two = event_of(2);
    cache.enrich(one);
    EXPECT_TRUE(one.image.exe.known());
    cache.enrich(two);
    EXPECT_FALSE(two.image.exe.known());
}

TEST(ProcessCache, KeepsTheBoundOnBytes) {
    FakeProc proc;
    ProcessCache cache({.processes = 1000, .image_bytes = 200'000}, proc.reader());
    std::string argv(30'000, 'a');
    for (uint32_t pid = 1; pid <= 100; pid++) {
        Event event = with_image(event_of(pid), "/bin/prog", argv);
        cache.enrich(event);
        EXPECT_LT(cache.image_bytes(), 200'000u + 40'000);
    }
    EXPECT_GE(cache.processes(), 5u);
    EXPECT_GT(cache.counters().evicted, 80u);
}

TEST(ProcessCache, HoldsTheParentsImageWhileTheChildTakesItsPlace) {
    FakeProc proc;
    ProcessCache cache({.processes = 2}, proc.reader());
    Event ended = with_image(event_of(1), "/bin/parent");
    cache.enrich(ended);
    Event exit = exit_of(event_of(1));
    cache.enrich(exit);
    Event other = with_image(event_of(2), "/bin/other");
    cache.enrich(other);
    Event fork = fork_of(event_of(1), 3, second); // late, of a parent that goes first
    cache.enrich(fork);
    EXPECT_EQ(fork.image.exe.bytes, "/bin/parent");
    Event child = event_of(3);
    cache.enrich(child);
    EXPECT_EQ(child.image.exe.bytes, "/bin/parent");
}

/// Pages of this process that are in memory.
size_t resident_pages() {
    size_t size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident;
}

#ifdef __SANITIZE_ADDRESS__
constexpr size_t growth_allowed = 100'000; // it keeps up to 256 MiB of freed memory back
#else
constexpr size_t growth_allowed = 1024;
#endif

TEST(ProcessCache, StaysSmallThroughAMillionProcesses) {
    FakeProc proc;
    ProcessCache cache({}, proc.reader());
    Event shell = with_image(event_of(1), "/bin/sh", "sh\0-c\0"sv);
    cache.enrich(shell);
    size_t before = 0;
    for (uint32_t i = 0; i < 1'000'000; i++) {
        uint32_t pid = 2 + i % 30'000;
        uint64_t start = second * (2 + i);
        Event fork = fork_of(event_of(1), pid, start);
        Event executed = with_image(event_of(pid, start, 2), "/bin/true", "true\0"sv);
        Event exit = exit_of(event_of(pid, start, 2));
        for (Event* event : {&fork, &executed, &exit}) {
            event->time_ns += i * 10'000; // 100,000 processes a second
            cache.enrich(*event);
        }
        ASSERT_TRUE(exit.image.exe.known());
        if (i == 100'000)
            before = resident_pages();
    }
    EXPECT_LE(cache.processes(), 4098u);
    EXPECT_LE(cache.image_bytes(), 4u << 20);
    EXPECT_LE(resident_pages(), before + growth_allowed);
    EXPECT_EQ(cache.counters().evicted, 0u);
    EXPECT_EQ(cache.counters().healed + cache.counters().unhealed, 0u);
}

TEST(ProcessCache, StaysSmallWhenNoExitIsEverSeen) {
    FakeProc proc;
    ProcessCache cache({.processes = 1000}, proc.reader());
    for (uint32_t i = 0; i < 200'000; i++) {
        Event event = with_image(event_of(i, i), "/bin/true");
        cache.enrich(event);
    }
    EXPECT_EQ(cache.processes(), 1000u);
    EXPECT_EQ(cache.counters().evicted, 199'000u);
}

TEST(ProcessCache, ShrinksByHalvesToItsLeast) {
    FakeProc proc;
    ProcessCache cache({.processes = 10'000}, proc.reader());
    const std::string words(1000, 'x');
    for (uint32_t i = 0; i < 8000; i++) {
        Event event = with_image(event_of(i, i), "/bin/true", words);
        cache.enrich(event);
    }
    ASSERT_EQ(cache.processes(), 8000u);
    const size_t before = cache.image_bytes();
    ASSERT_GT(before, 8'000'000u);
    EXPECT_TRUE(cache.shrink());
    EXPECT_LE(cache.processes(), 4000u);
    EXPECT_GE(cache.processes(), 3000u);
    EXPECT_LE(cache.image_bytes(), before / 2);
    EXPECT_EQ(cache.counters().evicted, 8000 - cache.processes());
    Event known = event_of(7999, 7999);
    cache.enrich(known);
    EXPECT_EQ(known.image.exe.bytes, "/bin/true") << "those used last stay";
    for (uint32_t i = 8000; i < 20'000; i++) {
        Event event = with_image(event_of(i, i), "/bin/true", words);
        cache.enrich(event);
        ASSERT_LE(cache.processes(), 4000u) << "and it stays small";
    }
    int halvings = 1;
    while (cache.shrink())
        ASSERT_LT(++halvings, 20);
    EXPECT_LE(cache.processes(), 256u);
    EXPECT_GE(cache.processes(), 200u) << "never nothing";
    Event last = event_of(19'999, 19'999);
    cache.enrich(last);
    EXPECT_EQ(last.image.exe.bytes, "/bin/true");
}

TEST(ProcessCache, ShrinksWhatWasThereAtTheStart) {
    FakeProc proc;
    ProcessCache cache({.image_bytes = 64u << 20});
    cache.remember_running(); // this very machine's
    const size_t before = cache.image_bytes();
    ASSERT_GT(before, 0u);
    while (cache.shrink()) {
    }
    EXPECT_LE(cache.image_bytes(), std::max<size_t>(before, 256 * 1024));
    Event event = with_image(event_of(1), "/bin/sh");
    cache.enrich(event);
    EXPECT_EQ(cache.processes(), 1u);
}

// --- the real /proc ---

/// A child that sleeps until it is killed.
class Sleeper {
  public:
    Sleeper() : pid_(fork()) {
        if (pid_ == 0) {
            execl("/bin/sleep", "sleep", "1000", nullptr);
            _exit(127);
        }
        // Its command line is there once exec is done.
        for (int i = 0; i < 1000 && slurp("cmdline").substr(0, 6) != "sleep\0"s; i++)
            usleep(10'000);
    }
    ~Sleeper() { end(); }
    void end() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
        pid_ = -1;
    }
    uint32_t pid() const { return static_cast<uint32_t>(pid_); }
    std::string slurp(const char* name) const {
        std::ifstream file("/proc/" + std::to_string(pid_) + "/" + name);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    uint64_t start_time_ns() const {
        std::string stat = slurp("stat");
        std::istringstream fields(stat.substr(stat.rfind(')') + 1));
        std::string field;
        for (int i = 3; i <= 22; i++)
            fields >> field;
        return std::stoull(field) * (second / static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
    }

  private:
    pid_t pid_;
};

TEST(Procfs, FindsARealProcess) {
    Sleeper sleeper;
    Procfs procfs;
    auto ids = procfs.processes();
    EXPECT_NE(std::find(ids.begin(), ids.end(), sleeper.pid()), ids.end());
    const Procfs::Process* process = procfs.read(sleeper.pid());
    ASSERT_NE(process, nullptr);
    EXPECT_EQ(process->comm, "sleep");
    EXPECT_EQ(process->start_ticks, procfs.ticks(sleeper.start_time_ns()));
}

TEST(Procfs, ReadsARealProcess) {
    Sleeper sleeper;
    uint64_t start = sleeper.start_time_ns();
    uint32_t pid = sleeper.pid();
    Procfs procfs;
    const Image* image = procfs.read(pid, start + 1);
    ASSERT_NE(image, nullptr);
    EXPECT_EQ(image->exe.bytes, fs::canonical("/bin/sleep").string());
    EXPECT_EQ(image->argv.bytes, "sleep\0"s + "1000\0"s);
    EXPECT_EQ(procfs.read(pid, start + second), nullptr);
    sleeper.end();
    EXPECT_EQ(procfs.read(pid, start + 1), nullptr);
}

} // namespace
