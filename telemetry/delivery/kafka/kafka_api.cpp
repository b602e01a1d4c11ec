// SPDX-License-Identifier: MIT
#include "telemetry/delivery/kafka/kafka_api.hpp"

#include "telemetry/delivery/shared_library.hpp"

namespace telemetry {

namespace {

KafkaApi load() {
    const SharedLibrary library("kind = kafka", "librdkafka.so.1", "librdkafka1");
    KafkaApi api{};
#define F(name) library.find("rd_kafka_" #name, "librdkafka 1.6", api.name##_);
    EBT_KAFKA_FUNCTIONS(F)
#undef F
    library.find_optional("rd_kafka_conf_set_resolve_cb", api.conf_set_resolve_cb_);
    return api;
}

} // namespace

const KafkaApi& kafka_api() {
    static const KafkaApi api = load(); // once, before the first thread that uses it
    return api;
}

} // namespace telemetry
