// SPDX-License-Identifier: MIT
#include "test/kernel/fixture.hpp"
#include "test/kernel/witness/support.hpp"

#include "test/kernel/normalised.hpp"
#include "test/takes_32_bit.hpp"

#include <set>
#include <sys/wait.h>
#include <unistd.h>

namespace kernel_test {

namespace {

std::vector<ebpf_loader::Tier>& tiers() {
    static std::vector<ebpf_loader::Tier> list;
    return list;
}

std::map<ebpf_loader::Tier, std::unique_ptr<Session>>& sessions() {
    static std::map<ebpf_loader::Tier, std::unique_ptr<Session>> map;
    return map;
}

std::string suite_of(ebpf_loader::Tier tier) {
    return "Calls." + std::string(tier_name(tier));
}

/// Was the test chosen (--gtest_filter)?
bool is_wanted(const std::string& suite, const std::string& name) {
    const testing::UnitTest& all = *testing::UnitTest::GetInstance();
    for (int i = 0; i < all.total_test_suite_count(); i++) {
        const testing::TestSuite& tests = *all.GetTestSuite(i);
        for (int k = 0; suite == tests.name() && k < tests.total_test_count(); k++)
            if (name == tests.GetTestInfo(k)->name())
                return tests.GetTestInfo(k)->should_run();
    }
    return false;
}

std::vector<const Case*> wanted_cases(ebpf_loader::Tier tier) {
    const bool for_all = is_wanted(suite_of(tier), "EveryDefaultRule");
    const bool for_equivalence = is_wanted("Tiers", "SameEvents");
    std::vector<const Case*> result;
    for (const Case& test : all_cases())
        if (for_all || (for_equivalence && test.deterministic) || is_wanted(suite_of(tier), test.name))
            result.push_back(&test);
    return result;
}

class SessionTest : public testing::Test {
  public:
    explicit SessionTest(ebpf_loader::Tier tier) : tier_(tier) {}

  protected:
    const Session& session() const { return session_of(tier_); }
    bool has_session() const {
        EXPECT_EQ(session().error(), "");
        return session().error().empty();
    }
    ebpf_loader::Tier tier_;
};

class CaseTest : public SessionTest {
  public:
    CaseTest(ebpf_loader::Tier tier, const Case* test) : SessionTest(tier), test_(*test) {}

  private:
    void TestBody() override {
        if (!has_session())
            return;
        const CaseRun* run = session().run(test_.name);
        ASSERT_NE(run, nullptr);
        RecordProperty("events", std::to_string(run->events.size()));
        const std::string differing = compare(*run);
        EXPECT_TRUE(differing.empty()) << differing;
    }
    const Case& test_;
};

/// Nothing lost, nothing doubled, every counter in its place.
class StreamTest : public SessionTest {
  public:
    using SessionTest::SessionTest;

  private:
    void TestBody() override {
        if (!has_session())
            return;
        EXPECT_EQ(session().stream_problems(), "");
        RecordProperty("offsets", session().offsets_source());
        RecordProperty("verified_instructions", std::to_string(session().verified_instructions()));
    }
};

/// No call of the default rules is without a case.
class CoverageTest : public SessionTest {
  public:
    using SessionTest::SessionTest;

  private:
    void TestBody() override {
        if (!has_session())
            return;
        std::set<std::string> made;
        for (const Case& test : all_cases())
            if (const CaseRun* run = session().run(test.name))
                for (uint32_t i = 0; i < run->log->entries; i++)
                    made.insert(run->log->entry[i].name);
        for (const std::string& name : default_rule_names())
            EXPECT_TRUE(made.contains(name) || cannot_be_made(name)) << "no case makes the call " << name;
    }
    /// Is it one of 32-bit programs alone, where none of theirs are taken?
    static bool cannot_be_made(const std::string& name) {
        const ebpf_loader::SyscallRow* call = ebpf_loader::find_syscall(name);
        if (!call || call->number[EBT_NATIVE_ABI] >= 0)
            return false;
        // The helper program of 32 bits makes all that i386 alone has, but not all that arm alone has.
        return EBT_NATIVE_ABI != EBT_X86_64 || !takes_32_bit_calls();
    }
};

/// One workload, reported by each tier: the same events, field by field.
class EquivalenceTest : public testing::Test {
    void TestBody() override {
        const Session& first = session_of(tested_tiers().front());
        ASSERT_EQ(first.error(), "");
        size_t events = 0;
        for (const ebpf_loader::Tier tier : tested_tiers()) {
            const Session& session = session_of(tier);
            ASSERT_EQ(session.error(), "");
            for (const Case& test : all_cases()) {
                if (!test.deterministic)
                    continue;
                EXPECT_EQ(first_difference(*first.run(test.name), *session.run(test.name)), "")
                    << test.name << ": " << tier_name(first.tier()) << " against " << tier_name(tier);
            }
        }
        for (const Case& test : all_cases())
            if (test.deterministic)
                events += first.run(test.name)->events.size();
        EXPECT_GT(events, 500u) << "not much of a workload";
        RecordProperty("events", std::to_string(events));
    }
};

} // namespace

const Cases& all_cases() {
    static const Cases cases = [] {
        Cases all;
        for (const Cases& some :
             {open_cases(), file_cases(), attribute_cases(), exec_cases(), process_cases(), thread_cases(),
              signal_cases(), socket_cases(), message_cases(), memory_cases(), identity_cases(),
              namespace_cases(), kernel_cases(), path_cases(), spelling_cases(), hostile_cases(),
              abi_cases()})
            all.insert(all.end(), some.begin(), some.end());
        return all;
    }();
    return cases;
}

const std::vector<ebpf_loader::Tier>& tested_tiers() {
    return tiers();
}

const Session& session_of(ebpf_loader::Tier tier) {
    std::unique_ptr<Session>& session = sessions()[tier];
    if (!session)
        session = std::make_unique<Session>(tier, wanted_cases(tier));
    return *session;
}

void register_tests(const std::vector<ebpf_loader::Tier>& list) {
    own_login_uid(); // before any process of a test starts
    tiers() = list;
    for (const ebpf_loader::Tier tier : list) {
        const std::string suite = suite_of(tier);
        for (const Case& test : all_cases())
            add_test<CaseTest>(suite, test.name, tier, &test);
        add_test<CoverageTest>(suite, "EveryDefaultRule", tier);
        add_test<StreamTest>(suite, "Stream", tier);
        register_stream_tests(tier);
        register_filter_tests(tier);
        register_screen_tests(tier);
        register_sharing_tests(tier);
        register_cgroup_tests(tier);
        register_witness_path_tests(tier);
        register_witness_race_tests(tier);
        register_witness_address_tests(tier);
        register_io_uring_tests(tier);
        register_witness_cost_tests(tier);
    }
    register_offset_tests();
    register_largest_selection_test();
    if (list.size() > 1)
        add_test<EquivalenceTest>("Tiers", "SameEvents");
}

void report_skipped() {
    std::map<std::string, std::set<std::string>> calls, notes;
    for (const auto& [tier, session] : sessions())
        for (const Case& test : all_cases())
            if (const CaseRun* run = session->run(test.name)) {
                const call_log& log = *run->log;
                for (uint32_t i = 0; i < std::min<uint32_t>(log.unknown_calls, std::size(log.unknown_call));
                     i++)
                    calls[log.unknown_call[i]].insert(std::string(tier_name(tier)));
                for (uint32_t i = 0; i < std::min<uint32_t>(log.notes, std::size(log.note)); i++)
                    notes[log.note[i]].insert(std::string(tier_name(tier)));
            }
    printf("kernel_tests: %zu calls skipped: this kernel lacks them; their failure was checked:\n",
           calls.size());
    for (const auto& [name, in] : calls)
        printf("  %s\n", name.c_str());
    printf("kernel_tests: %zu things could not be tried here:\n", notes.size());
    for (const auto& [note, in] : notes)
        printf("  %s\n", note.c_str());
}

pid_t run_child(const std::function<void()>& body, Collector& collector) {
    const pid_t child = fork();
    if (child == 0) {
        body();
        _exit(0);
    }
    int status = -1;
    while (waitpid(child, &status, WNOHANG) == 0)
        collector.poll(std::chrono::milliseconds(1));
    EXPECT_EQ(status, 0);
    return child;
}

} // namespace kernel_test
