// SPDX-License-Identifier: MIT
// What witnesses cost: the time of calls under an engine with them, against the same engine
// without and no engine at all. The figures are printed; docs/performance.md has them of a
// virtual machine.
#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <limits>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "telemetry/rules/rules.hpp"
#include "test/kernel/witness/support.hpp"

namespace kernel_test {

namespace {

constexpr unsigned series = 60, calls_a_series = 20;

struct Subject {
    const char* name;
    const char* rules;
    void (*call)(const char* file, int socket);
    unsigned events; ///< of one
};

void nothing(const char*, int) {
    syscall(SYS_getppid);
}
void open_to_read(const char* file, int) {
    close(static_cast<int>(syscall(SYS_openat, AT_FDCWD, file, O_RDONLY)));
}
void create_and_remove(const char* file, int) {
    close(static_cast<int>(syscall(SYS_openat, AT_FDCWD, file, O_CREAT | O_WRONLY | O_TRUNC, 0600)));
    syscall(SYS_unlinkat, AT_FDCWD, file, 0);
}
void change_mode(const char* file, int) {
    syscall(SYS_fchmodat, AT_FDCWD, file, 0640);
}
void change_name(const char* file, int) {
    const std::string other = std::string(file) + ".other";
    syscall(SYS_renameat, AT_FDCWD, file, AT_FDCWD, other.c_str());
    syscall(SYS_renameat, AT_FDCWD, other.c_str(), AT_FDCWD, file);
}
sockaddr_in discard() {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    return to;
}
void connect_udp(const char*, int socket) {
    const sockaddr_in to = discard();
    connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}
void send_udp(const char*, int socket) {
    const sockaddr_in to = discard();
    sendto(socket, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

/// The rules of each subject select what it calls; of getppid and open-to-read nobody asked for a path
/// to be witnessed.
constexpr Subject subjects[] = {
    {"getppid, not selected", "openat\nunlinkat\nfchmodat\nrenameat\nconnect\nsendto", nothing, 0},
    {"open to read", "openat\nunlinkat\nfchmodat\nrenameat", open_to_read, 1},
    {"create and unlink", "openat\nunlinkat", create_and_remove, 2},
    {"chmod", "fchmodat", change_mode, 1},
    {"rename, twice", "renameat", change_name, 2},
    {"connect, UDP", "connect", connect_udp, 1},
    {"sendto, UDP", "sendto", send_udp, 1},
};

uint64_t now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

class WitnessCost : public testing::Test {
  public:
    explicit WitnessCost(ebpf_loader::Tier tier) : options_(engine_options(tier)) {
        options_.buffer_bytes = 8 << 20; // all records of a subject: nobody reads meanwhile
    }

  private:
    /// Nanoseconds of one, in the best of several series in a child.
    static uint64_t measure(const Subject& subject) {
        const WitnessFolder folder;
        const SharedMemory<uint64_t> best;
        const pid_t child = fork();
        if (child == 0) {
            const std::string file = folder / "f";
            close(static_cast<int>(syscall(SYS_openat, AT_FDCWD, file.c_str(), O_CREAT | O_WRONLY, 0600)));
            const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
            uint64_t least = std::numeric_limits<uint64_t>::max();
            for (unsigned i = 0; i < series; i++) {
                const uint64_t begin = now();
                for (unsigned j = 0; j < calls_a_series; j++)
                    subject.call(file.c_str(), socket);
                least = std::min(least, (now() - begin) / calls_a_series);
            }
            *best.operator->() = least;
            _exit(0);
        }
        int status = -1;
        waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
        return *best.operator->();
    }

    uint64_t measure_traced(const Subject& subject, bool witness) {
        options_.witness = witness;
        ebpf_loader::Engine engine(telemetry::Rules::parse(subject.rules, "rules of the test").compile(),
                                   options_);
        Collector collector(engine);
        engine.start();
        const uint64_t time = measure(subject);
        collector.finish();
        size_t events = 0;
        for (const OwnedEvent& event : collector.take_events())
            events += event->ppid == static_cast<uint32_t>(getpid());
        EXPECT_GE(events, size_t{subject.events} * series * calls_a_series) << subject.name;
        return time;
    }

    void TestBody() override {
        for (const Subject& subject : subjects) {
            const auto alone = static_cast<double>(measure(subject));
            const auto without = static_cast<double>(measure_traced(subject, false));
            const auto with = static_cast<double>(measure_traced(subject, true));
            printf("cost of witnesses: %-22s %7.0f ns; traced %.2f times that, with witnesses %.2f times "
                   "(%.2f of without)\n",
                   subject.name, alone, without / alone, with / alone, with / without);
        }
    }

    ebpf_loader::EngineOptions options_;
};

} // namespace

void register_witness_cost_tests(ebpf_loader::Tier tier) {
    // Each engine that is loaded takes seconds where a processor is emulated: of both ends with --all.
    const bool is_campaign = race_rounds(1000) == 1000;
    if (tier == ebpf_loader::Tier::raw_tp || (tier == ebpf_loader::Tier::tp && is_campaign))
        add_test<WitnessCost>("Witnesses." + std::string(tier_name(tier)), "Cost", tier);
}

} // namespace kernel_test
