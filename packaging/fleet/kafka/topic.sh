#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the topic that outputs of kind = kafka write to, on Apache Kafka 2.8 or newer:
#   topic.sh kafka1.example.com:9093 [PARTITIONS [HOURS [TOPIC]]]
# For brokers with TLS or SASL give KAFKA_CONFIG=FILE with what the tools need (--command-config).
set -eu
[ $# -ge 1 ] || {
    echo "usage: topic.sh BROKERS [PARTITIONS [HOURS [TOPIC]]]" >&2
    exit 2
}
brokers=$1 partitions=${2:-12} hours=${3:-72} topic=${4:-ebpf_telemetry}
tool=$(command -v kafka-topics.sh || command -v kafka-topics) || {
    echo "topic.sh: neither kafka-topics.sh nor kafka-topics is in the PATH" >&2
    exit 1
}
# Three copies, of which two have to be there to write: acks=all then means two disks. The batches are compressed by
# the senders (zstd), and kept as they are. Keys are hosts, so that a partition has all events of a host in order.
exec "$tool" --bootstrap-server "$brokers" ${KAFKA_CONFIG:+--command-config "$KAFKA_CONFIG"} \
    --create --if-not-exists --topic "$topic" --partitions "$partitions" --replication-factor 3 \
    --config min.insync.replicas=2 \
    --config compression.type=producer \
    --config retention.ms=$((hours * 3600000)) \
    --config max.message.bytes=1048588 \
    --config cleanup.policy=delete
