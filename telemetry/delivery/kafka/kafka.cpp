// SPDX-License-Identifier: MIT
// kind = kafka
#include <algorithm>
#include <iterator>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/host_name.hpp"
#include "telemetry/delivery/kafka/producer.hpp"
#include "telemetry/delivery/kinds.hpp"
#include "telemetry/delivery/reliable.hpp"
#include "telemetry/output/ecs.hpp"

namespace telemetry {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view own_options[] = {"brokers", "topic", "compress", "timeout", "key"};
constexpr std::string_view prefix = "rdkafka.";
constexpr std::string_view file_suffix = "_file"; // no option of librdkafka ends so

struct Reserved {
    std::string_view name, instead;
    bool is_secret = false;
};
/// What would take the guarantees away, has an option of its own, is a secret, or runs what is not ours.
constexpr Reserved reserved[] = {
    {"bootstrap.servers", "is set by the option brokers"},
    {"metadata.broker.list", "is set by the option brokers"},
    {"message.timeout.ms", "is set by the option timeout"},
    {"delivery.timeout.ms", "is set by the option timeout"},
    {"compression.codec", "is set by the option compress"},
    {"compression.type", "is set by the option compress"},
    {"enable.idempotence", "is always true"},
    {"acks", "is always all"},
    {"request.required.acks", "is always all"},
    {"plugin.library.paths", "would load code that is not this program's"},
    {"sasl.kerberos.kinit.cmd", "would run a program, which this one cannot"},
    {"ssl.key.pem", "would show the key; use rdkafka.ssl.key.location"},
    {"sasl.password", "comes from a file: rdkafka.sasl.password_file = PATH", true},
    {"ssl.key.password", "comes from a file: rdkafka.ssl.key.password_file = PATH", true},
    {"ssl.keystore.password", "comes from a file: rdkafka.ssl.keystore.password_file = PATH", true},
    {"sasl.oauthbearer.client.secret",
     "comes from a file: rdkafka.sasl.oauthbearer.client.secret_file = PATH", true},
    {"sasl.oauthbearer.config", "comes from a file: rdkafka.sasl.oauthbearer.config_file = PATH", true},
};

KafkaOptions::Property property_of(const Settings& settings, const IniEntry& entry) {
    std::string name = entry.key.substr(prefix.size());
    const bool is_file = name.ends_with(file_suffix);
    if (is_file)
        name.resize(name.size() - file_suffix.size());
    const auto found = std::ranges::find(reserved, name, &Reserved::name);
    if (found != std::end(reserved) && !(is_file && found->is_secret))
        settings.refuse(entry.key, std::string(found->instead));
    return {name, is_file ? settings.secret(entry.key) : settings.text(entry.key), entry.key};
}

std::string topic_of(const Settings& settings) {
    constexpr size_t longest = 249; // brokers refuse others
    std::string topic = settings.has("topic") ? settings.text("topic") : "ebpf_telemetry";
    const auto is_fine = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-';
    };
    if (topic.size() > longest || topic == "." || topic == ".." || !std::ranges::all_of(topic, is_fine))
        settings.refuse("topic", "has up to " + std::to_string(longest) +
                                     " characters out of a-z, A-Z, 0-9, ., _ and -, which " +
                                     in_quotes(topic) + " has not");
    return topic;
}

std::string key_of(const Settings& settings) {
    return settings.has("key") ? settings.text("key") : host_name();
}

KafkaOptions kafka_options_of(const Settings& settings) {
    KafkaOptions kafka;
    kafka.topic = topic_of(settings);
    kafka.host = key_of(settings);
    const std::string format = settings.has("format") ? settings.text("format") : "json";
    kafka.headers = {{"format", format}};
    if (format == "json")
        kafka.headers.push_back({"schema", "ecs " + std::string(ecs_version)});
    constexpr const char* codecs[] = {"zstd", "lz4", "snappy", "gzip", "none"};
    const size_t codec = settings.choice("compress", {"zstd", "lz4", "snappy", "gzip", "none"});
    const auto timeout = settings.time("timeout", 30s);
    kafka.properties = {{"client.id", "ebpf_telemetry", {}}, // what may be set otherwise comes first
                        {"linger.ms", "2", {}},
                        {"log.connection.close", "false", {}},
                        {"bootstrap.servers", settings.required("brokers"), "brokers"},
                        {"enable.idempotence", "true", {}},
                        {"acks", "all", {}},
                        {"compression.codec", codecs[codec], "compress"},
                        {"message.timeout.ms", std::to_string(timeout.count()), "timeout"}};
    for (const IniEntry& entry : settings.section().entries)
        if (entry.key.starts_with(prefix))
            kafka.properties.push_back(property_of(settings, entry));
    return kafka;
}

std::function<std::unique_ptr<Carrier>()> prepare(const Settings& settings) {
    const KafkaOptions kafka = kafka_options_of(settings);
    // Of a MiB, as librdkafka sends at once: what is larger falls out of the processor's caches and costs
    // half as much again. A round trip to the brokers is waited for with each.
    ReliableOptions usual;
    usual.batch_items = 10'000;
    const ReliableOptions reliable = reliable_options_of(settings, usual);
    check_kafka(kafka, [&](std::string_view key, const std::string& why) { settings.refuse(key, why); });
    return [kafka, reliable] { return make_reliable_carrier(reliable, make_kafka_sender(kafka)); };
}

const std::vector<std::string_view> options = with_reliable_options({own_options});

} // namespace

const DeliveryKind kafka_delivery = {
    .name = "kafka", .options = options, .prepare = prepare, .option_prefix = prefix};

} // namespace telemetry
