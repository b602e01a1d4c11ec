-- SPDX-License-Identifier: MIT
-- ClickHouse 24 or newer: clickhouse-client --multiquery < schema.sql
--
-- telemetry.ingest takes lines as they are, by HTTP (dialect = clickhouse) or from Kafka (kafka.sql). Nothing is
-- stored there: a materialised view parses each line once and fills telemetry.events.

CREATE DATABASE IF NOT EXISTS telemetry;

-- Delivery is at least once. A line that came twice has the same sorting key, which ends with event.id, so that
-- merges leave one of the two. Count with FINAL, or with uniqExact(event_id).
CREATE TABLE IF NOT EXISTS telemetry.events
(
    time            DateTime64(9, 'UTC')                   CODEC(Delta(8), ZSTD(1)),
    host            LowCardinality(String),
    event_id        String                                 CODEC(ZSTD(1)),
    run             String MATERIALIZED substring(event_id, 1, 36) CODEC(ZSTD(1)), -- agent.ephemeral_id
    kind            LowCardinality(String),
    code            LowCardinality(String),
    action          LowCardinality(String),
    category        Array(LowCardinality(String)),
    type            Array(LowCardinality(String)),
    outcome         LowCardinality(String),
    error           LowCardinality(String),
    tags            Array(LowCardinality(String)),

    pid             UInt32                                 CODEC(ZSTD(1)),
    tid             UInt32                                 CODEC(ZSTD(1)),
    entity_id       String                                 CODEC(ZSTD(1)),
    name            LowCardinality(String),
    executable      LowCardinality(String),
    command_line    String                                 CODEC(ZSTD(3)),
    args            Array(String)                          CODEC(ZSTD(3)),
    working_dir     LowCardinality(String),
    sha256          LowCardinality(String),
    interactive     Bool,
    exit_code       Nullable(UInt8),
    env             Array(String)                          CODEC(ZSTD(3)),

    parent_pid      UInt32                                 CODEC(ZSTD(1)),
    parent_id       String                                 CODEC(ZSTD(1)),
    parent_name     LowCardinality(String),
    parent_exe      LowCardinality(String),
    parent_command  String                                 CODEC(ZSTD(3)),
    entry_type      LowCardinality(String),                -- sshd, terminal, container, init
    entry_id        String                                 CODEC(ZSTD(1)),

    uid             UInt32                                 CODEC(ZSTD(1)),
    user            LowCardinality(String),
    auid            Nullable(UInt32)                       CODEC(ZSTD(1)),
    login_session   Nullable(UInt32)                       CODEC(ZSTD(1)),
    container_id    LowCardinality(String),
    pod_uid         LowCardinality(String),

    path            String                                 CODEC(ZSTD(1)),
    old_path        String                                 CODEC(ZSTD(1)),
    source_ip       IPv6                                   CODEC(ZSTD(1)),
    source_port     UInt16,
    destination     String                                 CODEC(ZSTD(1)), -- an address of any family
    destination_ip  IPv6                                   CODEC(ZSTD(1)),
    destination_port UInt16,
    direction       LowCardinality(String),
    transport       LowCardinality(String),
    syscall         LowCardinality(String),
    arguments       Map(LowCardinality(String), String)    CODEC(ZSTD(3)),
    result          Nullable(Int64)                        CODEC(ZSTD(1)),

    lost            UInt64                                 CODEC(ZSTD(1)), -- of a loss
    lost_by         LowCardinality(String),
    output          LowCardinality(String),                -- of a checkpoint, and the next two
    lines           UInt64                                 CODEC(ZSTD(1)),
    last            Bool,
    emitted         UInt64                                 CODEC(ZSTD(1)), -- of a heartbeat

    line            String                                 CODEC(ZSTD(3)), -- the whole event

    INDEX by_command command_line TYPE ngrambf_v1(4, 32768, 3, 0) GRANULARITY 4,
    INDEX by_path    path         TYPE ngrambf_v1(4, 32768, 3, 0) GRANULARITY 4,
    INDEX by_process entity_id    TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_parent  parent_id    TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_address destination_ip TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_tag     tags         TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(time)
ORDER BY (host, action, time, event_id)
TTL toDateTime(time) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS telemetry.ingest (line String) ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry.ingest_to_events TO telemetry.events AS
SELECT
    parseDateTime64BestEffortOrZero(e.`@timestamp`, 9, 'UTC') AS time,
    e.host.name AS host,
    e.event.id AS event_id,
    e.event.kind AS kind,
    e.event.code AS code,
    e.event.action AS action,
    e.event.category AS category,
    e.event.type AS type,
    e.event.outcome AS outcome,
    e.error.code AS error,
    e.tags AS tags,
    e.process.pid AS pid,
    e.process.thread.id AS tid,
    e.process.entity_id AS entity_id,
    e.process.name AS name,
    e.process.executable AS executable,
    e.process.command_line AS command_line,
    e.process.args AS args,
    e.process.working_directory AS working_dir,
    e.process.hash.sha256 AS sha256,
    e.process.interactive AS interactive,
    e.process.exit_code AS exit_code,
    e.process.env_vars AS env,
    e.process.parent.pid AS parent_pid,
    e.process.parent.entity_id AS parent_id,
    e.process.parent.name AS parent_name,
    e.process.parent.executable AS parent_exe,
    e.process.parent.command_line AS parent_command,
    e.process.entry_leader.entry_meta.type AS entry_type,
    e.process.entry_leader.entity_id AS entry_id,
    toUInt32OrZero(e.user.id) AS uid,
    e.user.name AS user,
    e.linux.audit.auid AS auid,
    e.linux.audit.ses AS login_session,
    e.container.id AS container_id,
    e.kubernetes.pod.uid AS pod_uid,
    e.file.path AS path,
    e.file.Ext.original.path AS old_path,
    toIPv6OrDefault(e.source.ip) AS source_ip,
    e.source.port AS source_port,
    e.destination.address AS destination,
    toIPv6OrDefault(e.destination.ip) AS destination_ip,
    e.destination.port AS destination_port,
    e.network.direction AS direction,
    e.network.transport AS transport,
    e.linux.syscall.name AS syscall,
    e.linux.syscall.args AS arguments,
    e.linux.syscall.ret AS result,
    e.linux.telemetry.loss.count AS lost,
    e.linux.telemetry.loss.cause AS lost_by,
    e.linux.telemetry.output.name AS output,
    e.linux.telemetry.output.lines AS lines,
    e.linux.telemetry.output.last AS last,
    e.linux.telemetry.balance.emitted AS emitted,
    line
FROM (
    SELECT line, JSONExtract(line, 'Tuple(
        `@timestamp` String,
        host Tuple(name String),
        event Tuple(id String, kind String, code String, action String, category Array(String), type Array(String),
                    outcome String),
        error Tuple(code String),
        tags Array(String),
        process Tuple(pid UInt32, thread Tuple(id UInt32), entity_id String, name String, executable String,
                      command_line String, args Array(String), working_directory String, hash Tuple(sha256 String),
                      interactive Bool, exit_code Nullable(UInt8), env_vars Array(String),
                      parent Tuple(pid UInt32, entity_id String, name String, executable String, command_line String),
                      entry_leader Tuple(entity_id String, entry_meta Tuple(type String))),
        user Tuple(id String, name String),
        container Tuple(id String),
        kubernetes Tuple(pod Tuple(uid String)),
        file Tuple(path String, Ext Tuple(original Tuple(path String))),
        source Tuple(ip String, port UInt16),
        destination Tuple(address String, ip String, port UInt16),
        network Tuple(direction String, transport String),
        linux Tuple(syscall Tuple(name String, args Map(String, String), ret Nullable(Int64)),
                    audit Tuple(auid Nullable(UInt32), ses Nullable(UInt32)),
                    telemetry Tuple(loss Tuple(cause String, count UInt64),
                                    output Tuple(name String, lines UInt64, last Bool),
                                    balance Tuple(emitted UInt64))))') AS e
    FROM telemetry.ingest
);
