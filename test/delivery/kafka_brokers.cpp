// SPDX-License-Identifier: MIT
// Brokers for tests: librdkafka's mock cluster of one, with the topic that the first argument names. Prints
// where it is; then each line on standard input is a command: "down", "up", "slow", "quick"; it ends with its
// input.
#include <cstdio>
#include <iostream>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <string>

int main(int argc, char** argv) {
    char error[512] = "";
    rd_kafka_t* const handle =
        argc == 2 ? rd_kafka_new(RD_KAFKA_PRODUCER, nullptr, error, sizeof(error)) : nullptr;
    if (!handle) {
        std::cerr << "usage: kafka_brokers TOPIC\n" << error;
        return 2;
    }
    rd_kafka_mock_cluster_t* const cluster = rd_kafka_mock_cluster_new(handle, 1);
    rd_kafka_mock_topic_create(cluster, argv[1], 1, 1);
    std::cout << rd_kafka_mock_cluster_bootstraps(cluster) << std::endl;
    for (std::string command; std::getline(std::cin, command);) {
        if (command == "down")
            rd_kafka_mock_broker_set_down(cluster, 1);
        else if (command == "up")
            rd_kafka_mock_broker_set_up(cluster, 1);
        else if (command == "slow" || command == "quick")
            rd_kafka_mock_broker_set_rtt(cluster, 1, command == "slow" ? 700 : 0); // milliseconds
        else
            return 2;
        std::cout << command << std::endl;
    }
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(handle);
}
