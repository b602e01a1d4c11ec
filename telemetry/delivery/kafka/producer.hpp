// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/delivery/sender.hpp"

namespace telemetry {

struct KafkaOptions {
    /// An option of librdkafka.
    struct Property {
        std::string name, value;
        std::string key; ///< which set it in the configuration; empty: none, it is ours
    };
    std::string topic;
    std::string host;                                         ///< the key of each message
    std::vector<std::pair<std::string, std::string>> headers; ///< of each message
    std::vector<Property> properties;                         ///< the last of a name counts
};

/// Throws what `refuse` throws, given the key and why, for a property that librdkafka does not take.
/// producer_none.cpp is in its place where there is no librdkafka: it throws ebpf_loader::Error(usage).
using RefuseProperty = std::function<void(std::string_view key, const std::string& why)>;
void check_kafka(const KafkaOptions& options, const RefuseProperty& refuse);

/// An idempotent producer: what it was given is taken when the brokers have acknowledged it. Throws
/// ebpf_loader::Error(usage) when librdkafka cannot work with these options, such as a certificate that it
/// cannot read.
std::unique_ptr<Sender> make_kafka_sender(const KafkaOptions& options);

} // namespace telemetry
