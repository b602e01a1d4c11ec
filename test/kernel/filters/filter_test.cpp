// SPDX-License-Identifier: MIT
// Filters as the kernel evaluates them: each operator, width and sign at its edges.
#include <cstdint>
#include <set>
#include <sys/syscall.h>
#include <unistd.h>

#include "telemetry/rules/rules.hpp"
#include "test/kernel/fixture.hpp"

namespace kernel_test {

namespace {

constexpr uint64_t values[] = {0,
                               1,
                               2,
                               3,
                               5,
                               6,
                               7,
                               8,
                               0x7ffffffe,
                               0x7fffffff,
                               0x80000000,
                               0xfffffffe,
                               0xffffffff,
                               0x100000000,
                               0x100000005,
                               0x7fffffffffffffff,
                               0x8000000000000000,
                               0x8000000000000005,
                               0xffffffff00000005,
                               ~uint64_t{1},
                               ~uint64_t{0}};

int32_t low(uint64_t value) {
    return static_cast<int32_t>(value);
}
uint32_t low_unsigned(uint64_t value) {
    return static_cast<uint32_t>(value);
}
int64_t as_signed(uint64_t value) {
    return static_cast<int64_t>(value);
}

/// A call that fails whatever its arguments, since its descriptor is none; one of them
/// takes all the values. Each filter has a call of its own.
struct Filter {
    const char* call;
    long nr;
    int argument;
    std::string rules; ///< "CALL" stands for the call
    bool (*wanted)(uint64_t value);
};

std::vector<Filter> filters() {
    const std::string parent = std::to_string(getpid());
    std::string many = "CALL";
    for (int i = 0; i < 40; i++)
        many += " a2 = " + std::to_string(1000 + i);
    return {
        // 64 bits
        {"lseek", SYS_lseek, 1, "CALL a1 = 5", [](uint64_t v) { return v == 5; }},
        {"write", SYS_write, 2, "CALL a2 != 5", [](uint64_t v) { return v != 5; }},
        {"read", SYS_read, 2, "CALL a2 > 0x7fffffff", [](uint64_t v) { return v > 0x7fffffff; }},
        {"readahead", SYS_readahead, 2, "CALL a2 < 0x7fffffff", [](uint64_t v) { return v < 0x7fffffff; }},
        {"ftruncate", SYS_ftruncate, 1, "CALL a1 < s0", [](uint64_t v) { return as_signed(v) < 0; }},
        {"pread64", SYS_pread64, 3, "CALL a3 > -2", [](uint64_t v) { return as_signed(v) > -2; }},
        {"fcntl", SYS_fcntl, 2, "CALL a2 & 0x8000000000000001",
         [](uint64_t v) { return (v & 0x8000000000000001) == 0x8000000000000001; }},
        {"pwrite64", SYS_pwrite64, 2, "CALL a2 | 0x8000000000000001",
         [](uint64_t v) { return (v & 0x8000000000000001) != 0; }},
        // 32 bits, whatever the register's other half holds
        {"fsync", SYS_fsync, 0, "CALL a0 = 500", [](uint64_t) { return false; }},
        {"dup3", SYS_dup3, 1, "CALL a1 = -1", [](uint64_t v) { return low(v) == -1; }},
        {"fchown", SYS_fchown, 1, "CALL a1 > 5", [](uint64_t v) { return low_unsigned(v) > 5; }},
        {"fallocate", SYS_fallocate, 1, "CALL a1 < 5", [](uint64_t v) { return low_unsigned(v) < 5; }},
        {"listen", SYS_listen, 1, "CALL a1 < s0", [](uint64_t v) { return low(v) < 0; }},
        {"epoll_pwait", SYS_epoll_pwait, 2, "CALL a2 > -2", [](uint64_t v) { return low(v) > -2; }},
        {"fchmod", SYS_fchmod, 1, "CALL a1 & 3", [](uint64_t v) { return (v & 3) == 3; }},
        {"flock", SYS_flock, 1, "CALL a1 | 6", [](uint64_t v) { return (v & 6) != 0; }},
        {"inotify_rm_watch", SYS_inotify_rm_watch, 1, "CALL a1 != 5", [](uint64_t v) { return low(v) != 5; }},
        // clauses
        {"shutdown", SYS_shutdown, 1, "CALL a1 > 2 && a1 < 8",
         [](uint64_t v) { return low_unsigned(v) > 2 && low_unsigned(v) < 8; }},
        {"ioctl", SYS_ioctl, 2, "CALL a2 < 3 a2 = 7\nCALL a2 > 0xfffffffffffffffe",
         [](uint64_t v) { return v < 3 || v == 7 || v == ~uint64_t{0}; }},
        {"getdents64", SYS_getdents64, 2, "CALL\nnot CALL a2 = 5",
         [](uint64_t v) { return low_unsigned(v) != 5; }},
        {"readv", SYS_readv, 2, "CALL a2 > 2\nnot CALL a2 | 4 && a2 < 100\nnot CALL a2 = 0xffffffff",
         [](uint64_t v) { return v > 2 && !((v & 4) && v < 100) && v != 0xffffffff; }},
        {"writev", SYS_writev, 2, many + " a2 = 6", [](uint64_t v) { return v == 6; }},
        // of the flags of an open the access mode alone
        {"openat", SYS_openat, 2, "@read uid = 70001", [](uint64_t v) { return (v & 3) != 1; }},
        // what is not an argument
        {"tee", SYS_tee, 2, "CALL ret = -EBADF && success = no", [](uint64_t v) { return v != 0; }},
        {"sync_file_range", SYS_sync_file_range, 2, "CALL success = yes", [](uint64_t) { return false; }},
        {"sendfile", SYS_sendfile, 3, "CALL ret > -10 && ret < 0",
         [](uint64_t v) { return as_signed(v) >= 0; }},
        {"syncfs", SYS_syncfs, 1, "CALL ppid = " + parent, [](uint64_t) { return true; }},
        {"fdatasync", SYS_fdatasync, 1, "CALL ppid != " + parent, [](uint64_t) { return false; }},
        {"fstatfs", SYS_fstatfs, 1, "CALL pid = " + parent, [](uint64_t) { return false; }},
        {"preadv", SYS_preadv, 2, "CALL uid = 70001 && euid = 70002 && a2 = 5",
         [](uint64_t v) { return v == 5; }},
        {"pwritev", SYS_pwritev, 2, "CALL uid = 0 euid = 0", [](uint64_t) { return false; }},
        {"timerfd_gettime", SYS_timerfd_gettime, 1, "CALL comm = \"filter test\" && a0 = -1",
         [](uint64_t) { return true; }},
    };
}

std::string rules_text(const std::vector<Filter>& all) {
    std::string text;
    for (const Filter& filter : all) {
        std::string rules = filter.rules;
        for (size_t at; (at = rules.find("CALL")) != rules.npos;)
            rules.replace(at, 4, filter.call);
        text += rules + "\n";
    }
    return text;
}

/// In a child with ids and a name of its own. The last argument, which none of the calls
/// has, counts the values.
void make_calls(const std::vector<Filter>& all) {
    raw_syscall(SYS_prctl, 15 /* PR_SET_NAME */, register_value("filter test"));
    raw_syscall(SYS_setresuid, 70001, 70002, 70003);
    for (const Filter& filter : all)
        for (size_t i = 0; i < std::size(values); i++) {
            uint64_t arguments[5] = {~uint64_t{0}};
            arguments[filter.argument] = values[i];
            raw_syscall(filter.nr, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], i);
        }
}

class FilterTest : public testing::Test {
  public:
    explicit FilterTest(ebpf_loader::Tier tier) : options_(engine_options(tier)) {}

  private:
    void TestBody() override {
        const auto all = filters();
        const auto rules = telemetry::Rules::parse(rules_text(all), "rules of the test");
        ebpf_loader::Engine engine(rules.compile(), options_);
        Collector collector(engine);
        engine.start();
        const pid_t child = run_child([&] { make_calls(all); }, collector);
        collector.finish();
        EXPECT_EQ(collector.problems(), "");
        std::map<std::string, std::set<uint64_t>> reported;
        for (const OwnedEvent& event : collector.take_events()) {
            if (event->pid != static_cast<uint32_t>(child))
                continue;
            ASSERT_NE(event->call, nullptr);
            const bool matches = rules.matches(*event);
            EXPECT_TRUE(matches || !rules.kernel_decides(event->row))
                << event->call->name << ": the kernel let pass what the rules do not want";
            if (matches && !reported[std::string(event->call->name)].insert(event->args[5]).second)
                ADD_FAILURE() << event->call->name << ": reported twice";
        }
        for (const Filter& filter : all)
            for (size_t i = 0; i < std::size(values); i++)
                EXPECT_EQ(reported[filter.call].contains(i), filter.wanted(values[i]))
                    << filter.rules << ": value " << std::hex << values[i];
    }

    ebpf_loader::EngineOptions options_;
};

} // namespace

void register_filter_tests(ebpf_loader::Tier tier) {
    add_test<FilterTest>("Filters." + std::string(tier_name(tier)), "AtTheirEdges", tier);
}

} // namespace kernel_test
