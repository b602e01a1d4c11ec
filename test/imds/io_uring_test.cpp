// SPDX-License-Identifier: MIT
// Connections that io_uring makes are reported, once each, though what goes over them is not seen.
#include <algorithm>

#include <gmock/gmock.h>

#include "test/imds/capture_fixture.hpp"
#include "test/imds/metadata_network.hpp"
#include "test/program/running_program.hpp"

using nlohmann::json;

namespace {

/// Why this kernel has no io_uring for us; empty where it has.
std::string why_not() {
    const std::string check = std::string(IO_URING_CLIENT) + " check 2>&1";
    FILE* const pipe = popen(check.c_str(), "r");
    char text[200] = "";
    const size_t length = fread(text, 1, sizeof text - 1, pipe);
    return pclose(pipe) == 0 ? "" : "no io_uring here: " + std::string(text, length);
}

class IoUring : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (const std::string why = why_not(); !why.empty())
            GTEST_SKIP() << why;
        ASSERT_TRUE(tracker_.reports()) << tracker_.err();
    }
    void run(const std::string& how) { network_.run({IO_URING_CLIENT, how}); }

    std::vector<json> events() {
        tracker_.send(SIGTERM);
        EXPECT_EQ(tracker_.wait(), 0) << tracker_.err();
        for (const json& summary : tracker_.summaries())
            if (summary.contains("seen")) {
                EXPECT_EQ(summary["imbalance"], 0) << summary;
                EXPECT_TRUE(summary["lost"].empty()) << summary;
            }
        std::vector<json> all; // but those of others on this machine
        for (const std::string& line : lines_of(tracker_.out()))
            if (json event = json::parse(line); event["linux"]["imds"]["netns"] == network_.inode())
                all.push_back(std::move(event));
        return all;
    }
    void expect_process(const json& event) {
        EXPECT_EQ(event["destination"]["port"], 80) << event;
        EXPECT_EQ(event["process"]["executable"], IO_URING_CLIENT) << event;
        EXPECT_EQ(event["process"]["args"][0], IO_URING_CLIENT);
        EXPECT_TRUE(event["process"].contains("entity_id"));
    }

    MetadataNetwork network_;
    RunningProgram tracker_{{"-c", usable_config(), "-f", "json", "--tier", GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Tiers, IoUring, testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"),
                         name_of_tier);

/// By the process itself, by a worker thread and by the thread that polls.
TEST_P(IoUring, ConnectionIsTold) {
    const std::vector<std::string> ways = {"inline", "worker", "thread", "ipv6"};
    for (const std::string& how : ways)
        run(how);
    const std::vector<json> all = events();
    ASSERT_EQ(all.size(), ways.size()) << tracker_.out();
    for (const std::string& how : ways) {
        SCOPED_TRACE(how);
        const auto event = std::ranges::find_if(all, [&](const json& one) {
            return one["process"]["args"] == json{IO_URING_CLIENT, how};
        });
        ASSERT_NE(event, all.end()) << tracker_.out();
        expect_process(*event);
        EXPECT_EQ((*event)["event"]["action"], "imds_connection");
        EXPECT_EQ((*event)["destination"]["ip"], how == "ipv6" ? "fd00:ec2::254" : "169.254.169.254");
        EXPECT_EQ((*event)["linux"]["imds"]["connection"],
                  (json{{"content", "io_uring"}, {"sent", 0}, {"received", 0}}));
        EXPECT_FALSE(event->contains("source")) << "it has no port yet";
    }
}

/// Bytes that ordinary calls move over such a connection are seen, and it is reported once.
TEST_P(IoUring, CallsOverItAreSeen) {
    run("mixed");
    const std::vector<json> all = events();
    ASSERT_EQ(all.size(), 1u) << tracker_.out();
    expect_process(all[0]);
    EXPECT_EQ(all[0]["event"]["action"], "imds_request");
    EXPECT_EQ(all[0]["url"]["path"], instance);
    EXPECT_EQ(all[0]["http"]["response"]["status_code"], 200);
}

} // namespace
