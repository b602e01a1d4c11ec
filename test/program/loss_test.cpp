// SPDX-License-Identifier: MIT
// The ledger's equation in every tier, under every cause of loss that can be provoked, against the
// calls that were really made: those who make them count them.
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include <ebpf_loader/probe.hpp>

#include "running_program.hpp"

using nlohmann::json;
using testing::HasSubstr;

namespace {

using Lane = std::pair<int, int>; ///< CPU and slot

/// Why this kernel cannot have the tier; empty when it can.
std::string why_impossible(const std::string& tier) {
    for (const auto& verdict : ebpf_loader::judge_tiers(ebpf_loader::probe_capabilities()))
        if (tier_name(verdict.tier) == tier)
            return verdict.possible ? "" : verdict.reason;
    return "there is no such tier";
}

std::vector<int> online_cpus() {
    std::vector<int> cpus;
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            cpus.push_back(cpu);
    return cpus;
}

void pin(pid_t pid, int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(pid, sizeof one, &one);
}

/// The program gets a CPU only when nobody else wants it.
void make_idle(pid_t pid) {
    const sched_param none{};
    ASSERT_EQ(sched_setscheduler(pid, SCHED_IDLE, &none), 0);
}

/// Children that make calls, and count each that they made.
class Callers {
  public:
    Callers() {
        void* shared =
            mmap(nullptr, sizeof *made_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
            throw std::runtime_error("no shared memory");
        made_ = static_cast<uint64_t*>(shared);
    }
    ~Callers() {
        join();
        munmap(made_, sizeof *made_);
    }
    Callers(const Callers&) = delete;
    Callers& operator=(const Callers&) = delete;

    using Call = void (*)();
    static void getppid_call() { syscall(SYS_getppid); }

    /// Starts one, on a CPU if so wished.
    void start(uint64_t count, int cpu = -1, Call call = getppid_call) {
        const pid_t child = fork();
        if (child != 0) {
            children_.push_back(child);
            return;
        }
        if (cpu >= 0)
            pin(0, cpu);
        for (uint64_t i = 0; i < count; i++) {
            call();
            __atomic_add_fetch(made_, 1, __ATOMIC_RELAXED);
        }
        _exit(0);
    }
    void start_on_each_cpu(uint64_t count) {
        for (const int cpu : online_cpus())
            start(count, cpu);
    }
    void join() {
        for (const pid_t child : children_)
            waitpid(child, nullptr, 0);
        children_.clear();
    }
    uint64_t made() const { return __atomic_load_n(made_, __ATOMIC_RELAXED); }

  private:
    uint64_t* made_ = nullptr;
    std::vector<pid_t> children_;
};

/// What a stream of JSON says of itself.
struct Stream {
    explicit Stream(const std::string& text) {
        for (const std::string& line : lines_of(text)) {
            json event = json::parse(line);
            const json& telemetry = event["linux"]["telemetry"];
            if (telemetry.contains("loss")) {
                losses.push_back(telemetry);
                by_cause[telemetry["loss"]["cause"]] += telemetry["loss"]["count"].get<uint64_t>();
                continue;
            }
            const Lane lane{telemetry["cpu"].get<int>(), telemetry["slot"].get<int>()};
            EXPECT_TRUE(numbers[lane].insert(telemetry["sequence"].get<uint64_t>()).second)
                << "twice: " << line;
            dropped += telemetry.value("dropped_before", uint64_t{0});
            events.push_back(std::move(event));
        }
    }

    /// Numbers in the loss's gap that did not come.
    uint64_t missing(const json& loss) const {
        const json& gap = loss["loss"]["gap"];
        const uint64_t first = gap["first"], last = gap["last"];
        const auto lane = numbers.find({loss["cpu"].get<int>(), loss["slot"].get<int>()});
        uint64_t came = 0;
        if (lane != numbers.end())
            for (auto at = lane->second.lower_bound(first); at != lane->second.end() && *at <= last; ++at)
                came++;
        return last + 1 - first - came;
    }

    std::vector<json> events, losses;
    std::map<std::string, uint64_t> by_cause;
    std::map<Lane, std::set<uint64_t>> numbers;
    uint64_t dropped = 0;
};

uint64_t lost_in_all(const json& summary) {
    uint64_t lost = 0;
    for (const auto& [cause, count] : summary["lost"].items())
        lost += count.get<uint64_t>();
    return lost;
}

/// seen = filtered + emitted + lost, and what was not filtered out is what was made; but for
/// what the kernel's own skipping of programs (since 7.0) may have kept from all counters.
void expect_balance(const json& summary, uint64_t made) {
    const uint64_t accounted = summary["emitted"].get<uint64_t>() + lost_in_all(summary);
    EXPECT_EQ(summary["imbalance"], 0) << summary;
    EXPECT_EQ(summary["in_flight"], 0);
    EXPECT_EQ(summary["filtered"]["rules"], 0);
    EXPECT_EQ(summary["seen"].get<uint64_t>(), summary["filtered"]["kernel"].get<uint64_t>() + accounted);
    EXPECT_LE(accounted, made) << summary;
    EXPECT_GE(accounted + summary["missed_runs"].get<uint64_t>(), made) << summary;
}

/// The stream alone proves the same.
void expect_proof(const Stream& stream, const json& summary) {
    const uint64_t lost = lost_in_all(summary);
    EXPECT_EQ(stream.events.size(), summary["emitted"].get<uint64_t>());
    EXPECT_EQ(stream.dropped, lost) << "each gap stands at the event after it";
    uint64_t told = 0, missing = 0;
    for (const json& loss : stream.losses) {
        if (loss["loss"]["cause"].get<std::string>().starts_with("output_"))
            continue;
        ASSERT_TRUE(loss.contains("cpu")) << loss;
        ASSERT_TRUE(loss["loss"].contains("gap")) << loss;
        told += loss["loss"]["count"].get<uint64_t>();
        missing += stream.missing(loss);
    }
    EXPECT_EQ(told, lost);
    EXPECT_EQ(missing, lost) << "the gaps have room for no other";
}

struct Losses : testing::TestWithParam<const char*> {
    Losses() { write_rules("getppid"); }
    void SetUp() override {
        if (const std::string reason = why_impossible(GetParam()); !reason.empty())
            GTEST_SKIP() << reason;
    }
    /// Of the calls of this test's children; others are filtered out in the kernel.
    void write_rules(const std::string& call) {
        std::ofstream(rules_) << call << " ppid = " << getpid() << "\n";
    }
    std::vector<std::string> arguments(std::initializer_list<std::string> more) const {
        std::vector<std::string> all = {"-c", usable_config(), "--tier", GetParam(), "-r", rules_,
                                        "-f", "json",          "-o",     log_};
        all.insert(all.end(), more);
        return all;
    }
    bool tells_a_loss() const { return read_file(log_).find("\"cause\"") != std::string::npos; }
    /// Before Linux 5.1 a loss shows with what follows it, and so does a gap everywhere.
    void close_gaps() {
        EXPECT_TRUE(eventually([&] {
            callers_.start_on_each_cpu(1);
            callers_.join();
            return tells_a_loss();
        }));
        usleep(500'000);
        callers_.start_on_each_cpu(1);
        callers_.join();
    }
    /// Ends the program and checks everything. Returns its summary.
    json finish(RunningProgram& program) {
        program.send(SIGINT);
        EXPECT_EQ(program.wait(), 0) << program.err();
        const auto summaries = program.summaries();
        if (summaries.empty())
            return {};
        expect_balance(summaries.back(), callers_.made());
        expect_proof(Stream(read_file(log_)), summaries.back());
        return summaries.back();
    }

    TemporaryFolder folder_;
    std::string rules_ = folder_.path() + "/rules", log_ = folder_.path() + "/events";
    Callers callers_;
};

INSTANTIATE_TEST_SUITE_P(Tiers, Losses, testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"),
                         [](const auto& tier) { return std::string(tier.param); });

TEST_P(Losses, StoppedReader) {
    RunningProgram program(arguments({"--buffer-size", "128K"}));
    ASSERT_TRUE(program.reports()) << program.err();
    program.send(SIGSTOP);
    callers_.start(20'000);
    callers_.join();
    program.send(SIGCONT);
    close_gaps();
    EXPECT_GT(finish(program)["lost"].value("buffer_full", uint64_t{0}), 10'000u);
}

TEST_P(Losses, StormOnOneCpu) {
    RunningProgram program(arguments({"--buffer-size", "128K"}));
    ASSERT_TRUE(program.reports()) << program.err();
    const int cpu = online_cpus().front();
    pin(program.pid(), cpu);
    make_idle(program.pid());
    callers_.start(100'000, cpu);
    callers_.join();
    close_gaps();
    EXPECT_GT(finish(program)["lost"].value("buffer_full", uint64_t{0}), 0u);
}

TEST_P(Losses, StormOnAllCpusIntoATinyBuffer) {
    RunningProgram program(arguments({"--buffer-size", "128K"}));
    ASSERT_TRUE(program.reports()) << program.err();
    make_idle(program.pid());
    callers_.start_on_each_cpu(50'000);
    callers_.join();
    close_gaps();
    EXPECT_GT(finish(program)["lost"].value("buffer_full", uint64_t{0}), 0u);
}

TEST_P(Losses, StalledOutput) {
    const std::string fifo = folder_.path() + "/fifo";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); // who never reads
    ASSERT_GE(reader, 0);
    RunningProgram program(arguments({"-o", fifo, "--buffer-size", "16M"}));
    ASSERT_TRUE(program.reports()) << program.err();
    callers_.start(20'000);
    callers_.join();
    EXPECT_TRUE(eventually([&] { return tells_a_loss(); }));
    const json summary = finish(program);
    const json &good = summary["outputs"][0], &stalled = summary["outputs"][1];
    EXPECT_EQ(summary["lost"], json::object()) << "the other output has them all";
    EXPECT_EQ(good["lost"], 0);
    EXPECT_EQ(good["written"], callers_.made());
    EXPECT_GT(stalled["lost"], 0);
    EXPECT_EQ(stalled["written"].get<uint64_t>() + stalled["lost"].get<uint64_t>(), callers_.made());
    EXPECT_EQ(Stream(read_file(log_)).by_cause["output_file"], stalled["lost"]);
    std::string taken(1 << 20, '\0'); // more than a pipe holds
    const ssize_t bytes = read(reader, taken.data(), taken.size());
    taken.resize(std::max<ssize_t>(bytes, 0));
    taken.resize(taken.rfind('\n') + 1); // the last line may have been begun alone
    const auto lines = lines_of(taken);
    const auto events = std::ranges::count_if(
        lines, [](const std::string& line) { return line.find("getppid") != line.npos; });
    EXPECT_EQ(events, stalled["written"]) << "what is counted as written was";
    close(reader);
}

TEST_P(Losses, FieldsThatAreNotInMemory) {
    write_rules("openat");
    RunningProgram program(arguments({}));
    ASSERT_TRUE(program.reports()) << program.err();
    callers_.start(500, -1, [] { syscall(SYS_openat, AT_FDCWD, 4096, O_RDONLY); });
    callers_.join();
    const json summary = finish(program);
    EXPECT_EQ(summary["emitted"], 500);
    EXPECT_EQ(summary["field_faults"], 500);
    for (const json& event : Stream(read_file(log_)).events)
        EXPECT_EQ(event["linux"]["telemetry"]["fault"], json({"file.path"})) << event;
}

/// Takes a CPU offline and online, if the machine lets us.
class CpuSwitch {
  public:
    explicit CpuSwitch(int cpu) : file_("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online") {}
    ~CpuSwitch() { set("1"); }
    CpuSwitch(const CpuSwitch&) = delete;
    CpuSwitch& operator=(const CpuSwitch&) = delete;
    bool set(const std::string& state) const {
        std::ofstream file(file_);
        return bool(file << state << std::flush);
    }

  private:
    std::string file_;
};

TEST_P(Losses, CpuThatGoesAndComesBack) {
    const std::vector<int> cpus = online_cpus();
    const CpuSwitch last(cpus.back());
    if (cpus.size() < 2 || !last.set("1"))
        GTEST_SKIP() << "no CPU of this machine can be taken offline";
    RunningProgram program(arguments({}));
    ASSERT_TRUE(program.reports()) << program.err();
    callers_.start_on_each_cpu(1000);
    ASSERT_TRUE(last.set("0"));
    callers_.start_on_each_cpu(1000); // where they can
    callers_.join();
    ASSERT_TRUE(last.set("1"));
    callers_.start_on_each_cpu(1000); // some of which may find no perf buffer yet
    callers_.join();
    sleep(2);
    const uint64_t before = callers_.made();
    callers_.start_on_each_cpu(1000); // these do
    callers_.join();
    const json summary = finish(program);
    EXPECT_GE(callers_.made(), before + 1000 * cpus.size());
    const Stream stream(read_file(log_));
    uint64_t on_last = 0;
    for (const auto& [lane, numbers] : stream.numbers)
        if (lane.first == cpus.back())
            on_last += numbers.size();
    EXPECT_GE(on_last, 2000u) << "before and after";
    for (const auto& [cause, count] : summary["lost"].items())
        EXPECT_EQ(cause, "no_buffer") << count;
}

} // namespace
