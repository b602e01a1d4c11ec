// SPDX-License-Identifier: MIT
// Outputs to servers by name: the helper for names alone says where they are.
#include <atomic>
#include <cstring>
#include <gmock/gmock.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <memory>
#include <sys/mman.h>

#include "telemetry/delivery/output.hpp"
#include "telemetry/helper/packets.hpp"
#include "telemetry/names/names.hpp"
#include "test/unit/sink/intake_server.hpp"
#include "test/unit/sink/sink_support.hpp"

using namespace sink_test;
using imds_test::IntakeServer;
using testing::HasSubstr;

namespace {

namespace messages = telemetry::name_messages;

/// What the helper says from now on, and how often it was asked.
struct Told {
    std::atomic<uint32_t> outcome{messages::found};
    std::atomic<unsigned char> last{1}; ///< byte of 127.0.0.x
    std::atomic<unsigned> asked{0};
};

struct ByName : testing::Test {
    ByName() {
        use_names(std::make_shared<Names>(
            [told = told](Channel& channel) {
                for (Packet packet;
                     channel.receive(packet, Names::Clock::time_point::max()) == Channel::Outcome::packet;) {
                    ++told->asked;
                    messages::Answer answer;
                    answer.outcome = told->outcome;
                    answer.count = answer.outcome == messages::found;
                    answer.addresses[0].family = 4;
                    const unsigned char address[] = {127, 0, 0, told->last};
                    std::memcpy(answer.addresses[0].bytes, address, sizeof(address));
                    channel.send(telemetry::packets::bytes_of(answer));
                }
            },
            Helper::Limits{std::chrono::seconds(20), 64u << 20, "ebt-names", Reach::name_servers, true}));
    }
    ~ByName() override {
        output.reset();
        use_names(nullptr);
        munmap(told, sizeof(*told));
    }
    void start(const std::string& section) {
        output = std::make_unique<DeliveryOutput>(
            parse_outputs("[output.s]\n" + section +
                              "\nbatch_time = 20ms\nretry_first = 5ms\nretry_longest = 50ms\n",
                          "f")
                .at(0));
    }
    void put() {
        output->put("{}\n", false, true);
        output->hand_over();
    }
    bool delivers(uint64_t count) {
        return eventually([&] { return output->report().delivery->delivered == count; });
    }

    /// Shared with the helper.
    Told* const told =
        new (mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Told;
    std::unique_ptr<DeliveryOutput> output;
};

std::string url_of(const IntakeServer& server, const std::string& host) {
    return "http://" + host + ":" + std::to_string(server.port());
}

TEST_F(ByName, HttpGoesWhereTheHelperSays) {
    const IntakeServer server([](size_t) { return 200; });
    start("kind = http\nurl = " + url_of(server, "intake.test"));
    put();
    ASSERT_TRUE(delivers(1)) << output->report().error;
    EXPECT_EQ(server.requests().at(0).header("Host"), "intake.test:" + std::to_string(server.port()));
    put();
    ASSERT_TRUE(delivers(2)) << output->report().error;
    EXPECT_EQ(told->asked, 1U) << "what was found out holds for a while";
}

/// Where it has moved to is asked for as soon as it is gone.
TEST_F(ByName, HttpFollowsTheServer) {
    const IntakeServer server([](size_t) { return 200; });
    told->last = 77; // nobody listens there
    start("kind = http\nurl = " + url_of(server, "intake.test"));
    put();
    ASSERT_TRUE(eventually([&] { return !output->report().error.empty(); }));
    told->last = 1;
    ASSERT_TRUE(delivers(1)) << output->report().error;
    told->outcome = messages::no_answer;
    put();
    ASSERT_TRUE(delivers(2)) << "the connection is there";
}

/// Not even a name that the C library would know.
TEST_F(ByName, LibcurlAsksNobody) {
    const IntakeServer server([](size_t) { return 200; });
    told->outcome = messages::unknown;
    start("kind = http\nurl = " + url_of(server, "localhost"));
    put();
    ASSERT_TRUE(eventually([&] { return !output->report().error.empty(); }));
    EXPECT_EQ(output->report().error, "localhost: there is no such host");
    EXPECT_TRUE(server.requests().empty());
    told->outcome = messages::found;
    EXPECT_TRUE(delivers(1)) << output->report().error;
}

/// Not even an address that it would only have to read.
TEST_F(ByName, WhatLibcurlWasNotGivenItDoesNotLookUp) {
    start("kind = http\nurl = http://intake.test\nproxy = socks5://[::1]:9");
    put();
    ASSERT_TRUE(eventually([&] { return !output->report().error.empty(); }));
    EXPECT_THAT(output->report().error, HasSubstr("resolve proxy"));
}

TEST_F(ByName, AProxyIsFoundAndTheServerBehindItNotAskedFor) {
    const IntakeServer proxy([](size_t) { return 200; });
    start("kind = http\nurl = http://intake.test\nproxy = " + url_of(proxy, "proxy.test"));
    put();
    ASSERT_TRUE(delivers(1)) << output->report().error;
    EXPECT_THAT(proxy.requests().at(0).head, HasSubstr("POST http://intake.test/ HTTP"));
    EXPECT_EQ(told->asked, 1U);
}

TEST_F(ByName, KafkaGoesWhereTheHelperSays) {
    char error[512] = "";
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "2", error, sizeof(error));
    rd_kafka_t* const handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    rd_kafka_mock_cluster_t* const mock = rd_kafka_mock_cluster_new(handle, 1);
    rd_kafka_mock_topic_create(mock, "ebpf_telemetry", 1, 1);
    const std::string address = rd_kafka_mock_cluster_bootstraps(mock);
    told->outcome = messages::unknown;
    start("kind = kafka\nbrokers = broker.test" + address.substr(address.rfind(':')) +
          "\nrdkafka.reconnect.backoff.max.ms = 100\n");
    put();
    EXPECT_TRUE(eventually([&] { return told->asked > 0; }));
    EXPECT_EQ(output->report().delivery->delivered, 0U);
    told->outcome = messages::found;
    EXPECT_TRUE(delivers(1)) << output->report().error;
    output.reset();
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(handle);
}

} // namespace
