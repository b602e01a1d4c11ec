// SPDX-License-Identifier: MIT
// The stream as a whole: threads at once, more than a buffer holds, other programs' noise.
#include <algorithm>
#include <bpf/bpf.h>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <linux/if_tun.h>
#include <net/if.h>
#include <numeric>
#include <sched.h>
#include <set>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "telemetry/rules/rules.hpp"
#include "test/kernel/fixture.hpp"
#include "test/kernel/thread.hpp"

namespace kernel_test {

namespace {

constexpr int hammers = 4, blows = 5000;
constexpr uint64_t no_descriptor = 77777;

/// The mode, of no use where nothing is made, counts the calls.
void hammer(Process&, void*) {
    const sched_param none{};
    raw_syscall(SYS_sched_setscheduler, 0, SCHED_OTHER,
                register_value(&none)); // they get in each other's way
    for (uint64_t i = 0; i < blows; i++) {
        raw_syscall(SYS_openat, register_value(AT_FDCWD), register_value("/no/such"), O_RDONLY, i);
        raw_syscall(SYS_close, no_descriptor + 1);
    }
}

void hammer_at_once(Process& p) {
    const Thread a(p, hammer), b(p, hammer), c(p, hammer), d(p, hammer);
    for (const Thread* thread : {&a, &b, &c, &d})
        thread->join();
}

ebpf_loader::Selection selection(const std::string& rules) {
    return telemetry::Rules::parse(rules, "rules of the test").compile();
}

/// By thread, the numbers of the calls that were reported, in their order.
using Calls = std::map<uint32_t, std::vector<uint64_t>>;

Calls reported(const std::vector<OwnedEvent>& events, uint32_t pid) {
    Calls calls;
    for (const OwnedEvent& event : events)
        if (event->pid == pid && event->call && event->call->name == "openat")
            calls[event->tid].push_back(event->args[3]);
    return calls;
}

/// The caller of an engine's tests, with the rules and options of each.
class EngineTest : public testing::Test {
  public:
    /// With buffers that hold all of a test's events: the reader may have to wait for a CPU.
    explicit EngineTest(ebpf_loader::Tier tier) : options_(engine_options(tier)) {
        options_.buffer_bytes = 32 << 20;
    }

  protected:
    ebpf_loader::EngineOptions options_;
};

/// Every call of every thread, once and in order, though four make them at once and
/// everybody else's are reported too.
class HammerTest : public EngineTest {
  public:
    using EngineTest::EngineTest;

  private:
    void TestBody() override {
        ebpf_loader::Engine engine(selection("openat\nclose fd = " + std::to_string(no_descriptor)),
                                   options_);
        Collector collector(engine);
        const TestFolder folder(base_folder());
        CaseRun run;
        engine.start();
        run_case({"hammer", hammer_at_once}, run, collector);
        collector.finish();
        EXPECT_EQ(run.failure, "");
        const bool may_miss = can_miss_runs(*options_.tier);
        EXPECT_EQ(collector.problems(may_miss), "");
        const auto events = collector.take_events();
        const auto calls = reported(events, run.pid);
        EXPECT_EQ(calls.size(), size_t{hammers});
        if (may_miss)
            expect_all_accounted_for(calls, collector.stats());
        else
            expect_all_told(calls, collector.stats());
    }

    void expect_all_told(const Calls& calls, const ebpf_loader::EngineStats& stats) {
        EXPECT_GE(stats.filtered, uint64_t{hammers} * blows) << "close is filtered out";
        std::vector<uint64_t> all(blows);
        std::iota(all.begin(), all.end(), 0);
        for (const auto& [tid, numbers] : calls)
            EXPECT_EQ(numbers, all) << "thread " << tid;
    }

    /// The kernel skipped programs: none of those that ran is lost, and the others are counted.
    void expect_all_accounted_for(const Calls& calls, const ebpf_loader::EngineStats& stats) {
        uint64_t found = 0;
        for (const auto& [tid, numbers] : calls) {
            EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end(), std::less_equal<>())) << tid;
            found += numbers.size();
        }
        EXPECT_GE(found + stats.filtered + stats.missed_runs, 2 * uint64_t{hammers} * blows);
    }
};

/// In a child: calls on each CPU in turn. Returns how many in all.
uint64_t call_on_each_cpu(uint64_t calls) {
    const pid_t child = fork();
    if (child == 0) {
        cpu_set_t allowed, one;
        sched_getaffinity(0, sizeof allowed, &allowed);
        for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (!CPU_ISSET(cpu, &allowed))
                continue;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof one, &one);
            for (uint64_t i = 0; i < calls; i++)
                raw_syscall(SYS_openat, register_value(AT_FDCWD), register_value("/no/such"), O_RDONLY, i);
        }
        _exit(0);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof allowed, &allowed);
    return calls * static_cast<uint64_t>(CPU_COUNT(&allowed));
}

/// A reader that does not come loses events, and knows how many: by the counters, and by
/// the gaps in what does arrive.
class LossTest : public EngineTest {
  public:
    using EngineTest::EngineTest;

  private:
    void TestBody() override {
        options_.buffer_bytes = 1; // the least there is
        ebpf_loader::Engine engine(selection("openat ppid = " + std::to_string(getpid())), options_);
        Collector collector(engine);
        engine.start();
        uint64_t calls = call_on_each_cpu(1);
        collector.poll(std::chrono::milliseconds(100));
        calls += call_on_each_cpu(5000);
        collector.poll(std::chrono::milliseconds(100));
        calls += call_on_each_cpu(1); // makes every gap end
        collector.finish();
        const ebpf_loader::EngineStats& stats = collector.stats();
        const uint64_t lost = stats.lost[EBT_LOST_BUFFER_FULL];
        EXPECT_GT(lost, 1000u);
        EXPECT_EQ(std::accumulate(stats.lost.begin(), stats.lost.end(), uint64_t{0}), lost);
        EXPECT_EQ(stats.seen, stats.filtered + stats.emitted + lost);
        // From Linux 7.0 on the kernel skips runs of raw tracepoints' programs, and counts them.
        EXPECT_LE(stats.emitted + lost, calls) << "those that were made";
        EXPECT_GE(stats.emitted + lost + stats.missed_runs, calls) << "those that were made";
        expect_slots_to_add_up(stats);
        EXPECT_EQ(stats.emitted, collector.take_events().size());
        EXPECT_EQ(collector.missing(), lost);
    }

    static void expect_slots_to_add_up(const ebpf_loader::EngineStats& stats) {
        uint64_t emitted = 0, lost = 0;
        for (const ebpf_loader::SlotStats& slot : stats.slots) {
            emitted += slot.emitted;
            lost += slot.lost[EBT_LOST_BUFFER_FULL];
        }
        EXPECT_EQ(emitted, stats.emitted);
        EXPECT_EQ(lost, stats.lost[EBT_LOST_BUFFER_FULL]);
    }
};

/// The same with a ring buffer for each CPU: machines with many have one for each group of them.
template <typename Test> class RingForEachCpu : public Test {
  public:
    explicit RingForEachCpu(ebpf_loader::Tier tier) : Test(tier) { this->options_.cpus_per_ring = 1; }
};

/// The descriptor of this process's map of that name; -1 if it has no such map, or the kernel does not name
/// maps.
int own_map(std::string_view name) {
    for (int fd = 0; fd < 1024; fd++) {
        bpf_map_info info{};
        uint32_t size = sizeof(info);
        if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && name == info.name)
            return fd;
    }
    return -1;
}

/// Who takes a ring away is found out, and the ring is written to again.
class RingTamperingTest : public RingForEachCpu<EngineTest> {
  public:
    using RingForEachCpu<EngineTest>::RingForEachCpu;

  private:
    void TestBody() override {
        ebpf_loader::Engine engine(selection("openat ppid = " + std::to_string(getpid())), options_);
        if (!engine.uses_ring_buffer() || sysconf(_SC_NPROCESSORS_ONLN) < 2)
            GTEST_SKIP() << "this machine has one CPU, or its kernel no ring buffer";
        Collector collector(engine);
        engine.start();
        EXPECT_TRUE(engine.check_tampering().empty());
        const int rings = own_map("rings");
        ASSERT_GE(rings, 0);
        const uint32_t first = 0;
        ASSERT_EQ(bpf_map_delete_elem(rings, &first), 0);
        const std::vector<ebpf_loader::Tampering> found = engine.check_tampering();
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].what, "rings[0]");
        EXPECT_TRUE(found[0].is_repaired);
        EXPECT_TRUE(engine.check_tampering().empty());
        const uint64_t calls = call_on_each_cpu(3);
        collector.finish();
        EXPECT_EQ(collector.take_events().size(), calls);
    }
};

/// Events say which CPU they come from, and nothing of this process itself.
class CpuTest : public EngineTest {
  public:
    using EngineTest::EngineTest;

  private:
    void TestBody() override {
        ebpf_loader::Engine engine(selection("openat"), options_);
        Collector collector(engine);
        engine.start();
        raw_syscall(SYS_openat, register_value(AT_FDCWD), register_value("/no/such"), O_RDONLY);
        call_on_each_cpu(3);
        collector.finish();
        EXPECT_EQ(collector.problems(), "");
        std::set<uint16_t> cpus;
        const auto own = static_cast<uint32_t>(getpid());
        for (const OwnedEvent& event : collector.take_events()) {
            EXPECT_NE(event->pid, own);
            if (event->ppid == own)
                cpus.insert(event->cpu);
        }
        cpu_set_t allowed;
        sched_getaffinity(0, sizeof allowed, &allowed);
        EXPECT_EQ(cpus.size(), static_cast<size_t>(CPU_COUNT(&allowed)));
        for (const uint16_t cpu : cpus)
            EXPECT_TRUE(CPU_ISSET(cpu, &allowed)) << cpu;
    }
};

/// An engine that is asked to tell of its own process does.
class SelfTest : public EngineTest {
  public:
    using EngineTest::EngineTest;

  private:
    void TestBody() override {
        options_.report_self = true;
        ebpf_loader::Engine engine(selection("openat a3 = 4242"), options_);
        Collector collector(engine);
        engine.start();
        raw_syscall(SYS_openat, register_value(AT_FDCWD), register_value("/no/such"), O_RDONLY, 4242);
        collector.finish();
        const auto events = collector.take_events();
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0]->pid, static_cast<uint32_t>(getpid()));
        EXPECT_EQ(events[0]->image.exe.bytes, program_folder() + "/kernel_tests");
    }
};

/// A network device with a kernel thread, which ends with it. Empty where the kernel cannot.
std::string make_and_end_kernel_thread() {
    const int device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    ifreq request{};
    strcpy(request.ifr_name, "ebt%d");
    request.ifr_flags = IFF_TAP | IFF_NAPI | IFF_NO_PI;
    std::string thread;
    if (device >= 0 && ioctl(device, TUNSETIFF, &request) == 0) {
        const std::string name = request.ifr_name;
        std::ofstream threaded("/sys/class/net/" + name + "/threaded");
        if (threaded << "1" && threaded.flush())
            thread = "napi/" + name;
    }
    close(device);
    return thread;
}

/// Kernel threads are no processes: neither their start nor their end is reported.
class KernelThreadTest : public EngineTest {
  public:
    using EngineTest::EngineTest;

  private:
    void TestBody() override {
        ebpf_loader::Engine engine(selection("process_fork\nprocess_exit"), options_);
        Collector collector(engine);
        engine.start();
        const std::string thread = make_and_end_kernel_thread();
        if (thread.empty())
            GTEST_SKIP() << "this kernel has no network devices with threads (CONFIG_TUN, Linux 5.12)";
        const pid_t child = fork();
        if (child == 0)
            _exit(0);
        waitpid(child, nullptr, 0);
        collector.finish();
        EXPECT_EQ(collector.problems(), "");
        bool reported = false;
        for (const OwnedEvent& event : collector.take_events()) {
            reported = reported || (event->kind == EBT_EXIT && event->pid == static_cast<uint32_t>(child));
            EXPECT_FALSE(event->comm.starts_with(thread)) << event->kind;
            EXPECT_NE(event->pid, 2u) << "the parent of the kernel's threads";
        }
        EXPECT_TRUE(reported);
    }
};

/// Which of two calls a successful exec was, though both end as execve, and only one is asked for.
class ExecveatTest : public EngineTest {
  public:
    using EngineTest::EngineTest;

  private:
    void TestBody() override {
        ebpf_loader::Engine engine(selection("execveat"), options_);
        Collector collector(engine);
        engine.start();
        const std::string program = program_folder() + "/kernel_test_helper";
        const char* const argv[] = {program.c_str(), "exit", "5", nullptr};
        const char* const environment[] = {nullptr};
        std::set<uint32_t> by_execveat;
        for (const bool at : {false, true}) {
            const pid_t child = fork();
            if (child == 0) {
                if (at)
                    raw_syscall(SYS_execveat, register_value(AT_FDCWD), register_value(program.c_str()),
                                register_value(argv), register_value(environment), 0);
                raw_syscall(SYS_execve, register_value(program.c_str()), register_value(argv),
                            register_value(environment));
                _exit(1);
            }
            waitpid(child, nullptr, 0);
            if (at)
                by_execveat.insert(static_cast<uint32_t>(child));
        }
        collector.finish();
        EXPECT_EQ(collector.problems(can_miss_runs(*options_.tier)), "");
        std::set<uint32_t> reported;
        for (const OwnedEvent& event : collector.take_events()) {
            ASSERT_NE(event->call, nullptr);
            EXPECT_EQ(event->call->name, "execveat");
            EXPECT_EQ(event->ret, 0);
            if (event->ppid == static_cast<uint32_t>(getpid()))
                reported.insert(event->pid);
        }
        EXPECT_EQ(reported, by_execveat);
    }
};

} // namespace

void register_stream_tests(ebpf_loader::Tier tier) {
    const std::string suite = "Stream." + std::string(tier_name(tier));
    add_test<HammerTest>(suite, "ThreadsAtOnce", tier);
    add_test<LossTest>(suite, "LossesAreCounted", tier);
    if (tier == ebpf_loader::Tier::raw_tp) {
        add_test<RingForEachCpu<HammerTest>>(suite, "ThreadsAtOnceWithSeveralRings", tier);
        add_test<RingForEachCpu<LossTest>>(suite, "LossesAreCountedWithSeveralRings", tier);
        add_test<RingTamperingTest>(suite, "ARingThatIsTakenAwayComesBack", tier);
    }
    add_test<CpuTest>(suite, "EveryCpu", tier);
    add_test<SelfTest>(suite, "OwnCallsOnDemand", tier);
    add_test<ExecveatTest>(suite, "ExecveatAlone", tier);
    add_test<KernelThreadTest>(suite, "KernelThreads", tier);
}

} // namespace kernel_test
