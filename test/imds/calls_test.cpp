// SPDX-License-Identifier: MIT
// Each way to move bytes over a connection, for programs of 64 and of 32 bits.
#include <filesystem>

#include "test/imds/capture_fixture.hpp"
#include "test/takes_32_bit.hpp"

using nlohmann::json;

namespace {

constexpr uint64_t id_size = sizeof "i-0123456789abcdef0" - 1;

Expected asked(const std::string& call) {
    Expected expected;
    expected.path = instance;
    expected.user_agent = call;
    expected.received_body = id_size;
    expected.imds = {
        {"version", "v1"}, {"class", "instance"}, {"server", "EC2ws"}, {"content_length", id_size}};
    return expected;
}

/// The request went through no memory of the program's.
Expected answered_only(const std::string&) {
    Expected expected = asked("");
    expected.path.clear();
    expected.imds["version"] = "unknown";
    expected.imds["class"] = "other";
    expected.imds["uncertain"] = true;
    return expected;
}

/// The answer did. But the service has said before, on other connections, whose it is.
Expected asked_only(const std::string& call) {
    Expected expected = asked(call);
    expected.status = 0;
    expected.imds = {
        {"version", "v1"}, {"class", "instance"}, {"end", "response_not_captured"}, {"uncertain", true}};
    return expected;
}

/// A connection whose other end said nothing of itself: the path is Amazon's and OpenStack's.
Expected closed(const std::string& call) {
    Expected expected = asked(call);
    expected.status = 0;
    expected.provider = "unknown";
    expected.imds = {{"version", "unknown"}, {"class", "instance"}, {"end", "closed"}};
    return expected;
}

struct Call {
    std::string name;
    Expected (*expected)(const std::string& call) = asked;
    size_t times = 1;
    bool by_child = false; ///< that sends, and the first process receives
};

const std::vector<Call>& calls() {
    static const std::vector<Call> all = {{"write"},
                                          {"send"},
                                          {"sendto"},
                                          {"bytewise"},
                                          {"writev"},
                                          {"sendmsg"},
                                          {"sendmmsg"},
                                          {"sendfile", answered_only},
                                          {"splice-out", answered_only},
                                          {"splice-in", asked_only},
                                          {"truncated", asked_only},
                                          {"child", asked, 1, true},
                                          {"passed", asked, 1, true},
                                          {"threads"},
                                          {"duplicated"},
                                          {"non-blocking"},
                                          {"pipelined", asked, 3},
                                          {"split", asked, 0}};
    return all;
}

/// One for each place that the request can be split at.
size_t splits() {
    const std::string request =
        "GET " + instance + " HTTP/1.1\r\nHost: 169.254.169.254\r\nUser-Agent: split\r\n\r\n";
    return request.size() - 1;
}

class OwnClientCalls : public Capture {
  protected:
    void run(const char* client, const std::string& call) {
        pids_.push_back(network_.run({client, call, instance}).pid);
    }
    Asker asker(const char* client, const std::string& call, pid_t pid) const {
        const std::string path = client;
        return {.pid = pid,
                .executable = std::filesystem::canonical(path),
                .args = {path, call, instance},
                .name = path.substr(path.rfind('/') + 1, 15)};
    }
    void check_call(const Call& call, const char* client, pid_t pid) {
        const auto reported = events_of(pid);
        ASSERT_EQ(reported.size(), call.times ? call.times : splits());
        Asker who = asker(client, call.name, pid);
        Expected expected = call.expected(call.name);
        if (call.by_child) {
            ASSERT_NE(reported[0]["process"]["pid"], pid);
            who.between = {pid};
            who.pid = reported[0]["process"]["pid"];
            expected.imds["reader"] = {{"pid", pid}, {"name", who.name}, {"executable", who.executable}};
        }
        const json whole = expected_request(expected, who, network_, GetParam());
        for (const json& event : reported)
            expect_event(event, whole);
    }

    std::vector<pid_t> pids_;
};

INSTANTIATE_TEST_SUITE_P(Tiers, OwnClientCalls, testing::ValuesIn(tiers_here()), name_of_tier);

/// Each call in turn, by a program of so many bits.
class OwnClientCallsOfEither : public OwnClientCalls {
  protected:
    void make_every_call(const char* client, int bits) {
        for (const Call& call : calls())
            run(client, call.name);
        events();
        for (size_t i = 0; i < pids_.size(); i++) {
            const Call& call = calls()[i];
            SCOPED_TRACE(call.name + " " + std::to_string(bits));
            check_call(call, client, pids_[i]);
            printf("%-12s static%d   %-14s %3zu events %s\n", GetParam().c_str(), bits, call.name.c_str(),
                   events_of(pids_[i]).size(), HasFailure() ? "FAILED" : "ok");
        }
    }
};

INSTANTIATE_TEST_SUITE_P(Tiers, OwnClientCallsOfEither, testing::ValuesIn(tiers_here()), name_of_tier);

TEST_P(OwnClientCallsOfEither, Of64Bits) {
    make_every_call(CLIENT, 64);
}

TEST_P(OwnClientCallsOfEither, Of32Bits) {
    if (!takes_32_bit_calls())
        GTEST_SKIP() << no_32_bit_calls;
    make_every_call(CLIENT32, 32);
}

/// What is left of a connection is reported once it has ended, while the program runs on.
TEST_P(OwnClientCalls, ReportTheEnd) {
    for (const char* call : {"silent", "unanswered", "garbage"})
        run(CLIENT, call);
    ASSERT_TRUE(eventually([&] { return lines_of(tracker_.out()).size() >= 3; })) << tracker_.out();
    events();
    ASSERT_EQ(events_.size(), 3u) << tracker_.out();
    for (const pid_t pid : pids_)
        ASSERT_EQ(events_of(pid).size(), 1u) << tracker_.out();
    Expected connection;
    connection.provider = "unknown";
    connection.imds = json::object();
    expect_event(events_of(pids_[0])[0], expected_connection(connection, asker(CLIENT, "silent", pids_[0]),
                                                             network_, GetParam(), "nothing_seen", 0, 0));
    expect_event(
        events_of(pids_[1])[0],
        expected_request(closed("unanswered"), asker(CLIENT, "unanswered", pids_[1]), network_, GetParam()));
    expect_event(events_of(pids_[2])[0], expected_connection(connection, asker(CLIENT, "garbage", pids_[2]),
                                                             network_, GetParam(), "not_http", 23, 0));
    for (const json& summary : tracker_.summaries())
        if (summary.contains("connections_evicted")) {
            EXPECT_EQ(summary["connections_evicted"], 0);
        }
}

} // namespace
