-- SPDX-License-Identifier: MIT
-- ClickHouse from Kafka, behind schema.sql. As many consumers over all servers as the topic has partitions at most.
-- TLS and SASL of the brokers are configured in the server's <kafka> section.

CREATE TABLE IF NOT EXISTS telemetry.from_kafka (line String)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka1.example.com:9093,kafka2.example.com:9093',
         kafka_topic_list = 'ebpf_telemetry',
         kafka_group_name = 'clickhouse',
         kafka_format = 'LineAsString',
         kafka_num_consumers = 4,
         kafka_max_block_size = 65536;

CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry.kafka_to_ingest TO telemetry.ingest AS
SELECT line FROM telemetry.from_kafka;
