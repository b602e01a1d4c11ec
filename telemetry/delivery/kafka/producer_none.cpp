// SPDX-License-Identifier: MIT
// In place of producer.cpp in programs that are linked statically: of libraries that librdkafka needs, Debian
// has no static ones, and SASL loads its mechanisms while it runs.
#include <ebpf_loader/error.hpp>

#include "telemetry/delivery/kafka/producer.hpp"

namespace telemetry {

void check_kafka(const KafkaOptions&, const RefuseProperty&) {
    throw ebpf_loader::Error(
        ebpf_loader::ErrorCode::usage,
        "kind = kafka: this program is static and has no librdkafka. Use the program of the Debian package "
        "or "
        "one that was built without EBT_STATIC, or kind = http to a collector that writes to Kafka");
}

std::unique_ptr<Sender> make_kafka_sender(const KafkaOptions&) {
    return nullptr; // check_kafka() came before
}

} // namespace telemetry
