// SPDX-License-Identifier: MIT
// kind = kafka against librdkafka's mock cluster, which speaks the brokers' protocol on loopback.
#include <cstdlib>
#include <ebpf_loader/error.hpp>
#include <fstream>
#include <gmock/gmock.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <memory>
#include <sys/stat.h>

#include "telemetry/delivery/output.hpp"
#include "test/unit/delivery/refusal.hpp"
#include "test/unit/sink/sink_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace sink_test;
using testing::HasSubstr;

namespace {

constexpr int16_t produce_request = 0; // its number in Kafka's protocol

struct Cluster {
    Cluster() {
        char error[512] = "";
        rd_kafka_conf_t* const conf = rd_kafka_conf_new();
        rd_kafka_conf_set(conf, "log_level", "2", error, sizeof(error));
        handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
        mock = rd_kafka_mock_cluster_new(handle, 1);
        rd_kafka_mock_topic_create(mock, "ebpf_telemetry", 1, 1);
    }
    ~Cluster() {
        rd_kafka_mock_cluster_destroy(mock);
        rd_kafka_destroy(handle);
    }
    std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(mock); }

    rd_kafka_t* handle;
    rd_kafka_mock_cluster_t* mock;
};

std::string section(const std::string& brokers, const std::string& options) {
    return "[output.k]\nkind = kafka\nbrokers = " + brokers + "\n" + options;
}

std::string kafka_refusal(const std::string& options) {
    return outputs_refusal(section("b:9092", options));
}

struct Kafka : testing::Test {
    void start(const std::string& options = {}) {
        output = std::make_unique<DeliveryOutput>(
            parse_outputs(
                section(cluster.brokers(), "batch_time = 20ms\nretry_first = 5ms\nretry_longest = 50ms\n"
                                           "rdkafka.reconnect.backoff.max.ms = 200\n" +
                                               options),
                "f")
                .at(0));
    }
    void put(int count, size_t bytes = 100) {
        for (int i = 0; i < count; ++i)
            output->put(std::string(bytes, 'x') + "\n", false, true);
        output->hand_over();
    }
    DeliveryReport report() const { return *output->report().delivery; }
    uint64_t lost(std::string_view cause) const {
        for (const auto& [name, events] : report().lost)
            if (name == cause)
                return events;
        return 0;
    }

    TemporaryFolder folder;
    Cluster cluster;
    std::unique_ptr<DeliveryOutput> output;
};

TEST_F(Kafka, ALineIsDeliveredWhenTheBrokersHaveAcknowledgedIt) {
    start();
    put(5000);
    EXPECT_TRUE(eventually([&] { return report().delivered == 5000; })) << output->report().error;
    EXPECT_EQ(output->report().error, "");
}

TEST_F(Kafka, WhatBrokersDoNotTakeIsSentAgain) {
    rd_kafka_mock_topic_set_error(cluster.mock, "ebpf_telemetry",
                                  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    start("timeout = 300ms\n");
    put(10);
    EXPECT_TRUE(eventually([&] { return !output->report().error.empty(); }));
    EXPECT_EQ(report().delivered, 0U);
    rd_kafka_mock_topic_set_error(cluster.mock, "ebpf_telemetry", RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_TRUE(eventually([&] { return report().delivered == 10; })) << output->report().error;
    EXPECT_EQ(output->report().lost, 0U);
}

TEST_F(Kafka, ALineThatIsTooLargeIsLostAndItsNeighboursAreNot) {
    start("rdkafka.message.max.bytes = 2000\n");
    put(3);
    put(1, 5000);
    put(3);
    EXPECT_TRUE(eventually([&] { return report().delivered == 6; })) << output->report().error;
    EXPECT_TRUE(eventually([&] { return lost("refused") == 1; }));
}

TEST_F(Kafka, WhatTheBrokerFindsTooLargeTogetherComesAlone) {
    rd_kafka_mock_push_request_errors(cluster.mock, produce_request, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    start();
    put(20);
    EXPECT_TRUE(eventually([&] { return report().delivered == 20; })) << output->report().error;
    EXPECT_EQ(output->report().lost, 0U);
}

TEST_F(Kafka, ABrokerThatIsAwayIsWaitedForAndTheEndDoesNotHang) {
    rd_kafka_mock_broker_set_down(cluster.mock, 1);
    start("spool = 1M\nspool_dir = " + folder.path() + "/spool\n");
    put(50);
    usleep(300'000);
    EXPECT_EQ(report().delivered, 0U);
    const auto before = std::chrono::steady_clock::now();
    output->close();
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4));
    EXPECT_EQ(report().waiting, 50U);
    output.reset();
    rd_kafka_mock_broker_set_up(cluster.mock, 1);
    start("spool = 1M\nspool_dir = " + folder.path() + "/spool\n");
    EXPECT_TRUE(eventually([&] { return report().delivered == 50; })) << output->report().error;
    EXPECT_EQ(report().resumed, 50U);
}

TEST_F(Kafka, AProducerThatFailedForGoodIsReplaced) {
    rd_kafka_mock_push_request_errors(cluster.mock, produce_request, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    start("rdkafka.enable.gapless.guarantee = true\n");
    put(20);
    EXPECT_TRUE(eventually([&] { return report().delivered == 20; })) << output->report().error;
}

TEST_F(Kafka, ACertificateThatCannotBeReadEndsTheStart) {
    try {
        start("rdkafka.security.protocol = ssl\nrdkafka.ssl.ca.location = /nowhere.pem\n");
        ADD_FAILURE() << "not refused";
    } catch (const ebpf_loader::Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("ssl.ca.location failed"));
    }
}

TEST(KafkaConfig, MistakesHaveFileAndLine) {
    EXPECT_THAT(
        kafka_refusal("rdkafka.no.such.option = 1\n"),
        HasSubstr("f:4: rdkafka.no.such.option is refused by librdkafka: No such configuration property"));
    EXPECT_THAT(kafka_refusal("rdkafka.linger.ms = soon\n"), HasSubstr("f:4: rdkafka.linger.ms is refused"));
    EXPECT_THAT(kafka_refusal("rdkafka.acks = 1\n"), HasSubstr("f:4: rdkafka.acks is always all"));
    EXPECT_THAT(kafka_refusal("topic = a b\n"), HasSubstr("f:4: topic has up to 249 characters"));
    EXPECT_THAT(kafka_refusal("brocker = x\n"), HasSubstr("did you mean \"brokers\"?"));
    EXPECT_THAT(kafka_refusal("rdkafka.plugin.library.paths = /tmp/a.so\n"), HasSubstr("would load code"));
    EXPECT_THAT(kafka_refusal("rdkafka.security.protocol = sasl_ssl\n"), HasSubstr("runs kinit"));
}

TEST(KafkaConfig, SecretsComeFromFilesAlone) {
    const TemporaryFolder folder;
    const std::string file = folder.path() + "/password";
    std::ofstream(file) << "sesame\n";
    chmod(file.c_str(), 0600);
    const std::string sasl = "rdkafka.security.protocol = sasl_ssl\nrdkafka.sasl.mechanism = "
                             "SCRAM-SHA-512\nrdkafka.sasl.username = u\n";
    EXPECT_THAT(kafka_refusal(sasl + "rdkafka.sasl.password = sesame\n"),
                HasSubstr("rdkafka.sasl.password_file = PATH"));
    EXPECT_EQ(parse_outputs(section("b", sasl + "rdkafka.sasl.password_file = " + file + "\n"), "f").size(),
              1U);
    chmod(file.c_str(), 0644);
    EXPECT_THAT(kafka_refusal(sasl + "rdkafka.sasl.password_file = " + file + "\n"), HasSubstr("chmod o-rw"));
}

} // namespace
