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

-- Columns that were added after the first release of this schema: this file may be run again and again, and brings a table
-- up to date. What other fields say already, or few ask for, is in the column `line` alone: each column costs each insert.
-- ecs.version host.hostname host.architecture host.boot.id host.ip host.os.type host.os.name host.os.version
-- host.os.full host.os.platform host.os.family agent.type agent.id agent.ephemeral_id data_stream.type
-- data_stream.dataset data_stream.namespace event.module event.dataset event.end process.thread.capabilities.permitted
-- process.args_count process.title process.tty.char_device.major process.tty.char_device.minor process.user.name
-- process.group.name process.real_user.id process.real_user.name process.real_group.id process.real_group.name
-- process.saved_user.id process.saved_user.name process.saved_group.id process.saved_group.name process.parent.start
-- process.parent.args process.parent.args_count process.parent.working_directory process.parent.interactive
-- process.parent.user.id process.parent.user.name process.parent.group.id process.parent.group.name
-- process.session_leader.pid process.session_leader.name process.session_leader.executable
-- process.session_leader.same_as_process process.group_leader.pid process.group_leader.entity_id
-- process.group_leader.name process.group_leader.executable process.group_leader.same_as_process
-- process.entry_leader.pid process.entry_leader.name process.entry_leader.executable
-- process.entry_leader.same_as_process process.entry_leader.args process.entry_leader.args_count process.end
-- user.effective.id group.id group.name container.runtime orchestrator.type orchestrator.namespace
-- orchestrator.resource.type orchestrator.resource.id orchestrator.resource.name file.name file.extension file.uid
-- file.gid file.type file.owner file.group file.Ext.original.name file.Ext.original.extension network.type
-- network.iana_number linux.syscall.nr linux.syscall.abi linux.syscall.interrupted linux.syscall.unproven
-- linux.syscall.answered_by linux.syscall.via linux.socket.family linux.socket.type linux.socket.name
-- linux.socket.address linux.socket.addresses linux.socket.addresses_count linux.passed_fds linux.passed_fds_count
-- linux.namespace.mnt linux.namespace.pid linux.namespace.user linux.process.executable linux.process.root
-- linux.process.tty linux.process.fsuid linux.process.fsgid linux.process.ppid linux.process.signal
-- linux.process.core_dumped linux.telemetry.tier linux.telemetry.dropped_before linux.telemetry.lost_fields
-- linux.telemetry.truncated linux.telemetry.raw
ALTER TABLE telemetry.events
    ADD COLUMN IF NOT EXISTS host_id LowCardinality(String),
    ADD COLUMN IF NOT EXISTS os_kernel LowCardinality(String),
    ADD COLUMN IF NOT EXISTS agent_version LowCardinality(String),
    ADD COLUMN IF NOT EXISTS started DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)), -- of the process
    ADD COLUMN IF NOT EXISTS thread_name LowCardinality(String),
    ADD COLUMN IF NOT EXISTS capabilities Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS gid Nullable(UInt32) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS session_id String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS child_pid UInt32 CODEC(ZSTD(1)), -- of a fork
    ADD COLUMN IF NOT EXISTS child_id String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS folded UInt32 CODEC(ZSTD(1)), -- with --fold: how many it stands for, and since when
    ADD COLUMN IF NOT EXISTS first_time DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ADD COLUMN IF NOT EXISTS interpreter LowCardinality(String),
    ADD COLUMN IF NOT EXISTS container_name LowCardinality(String),
    ADD COLUMN IF NOT EXISTS container_image LowCardinality(String),
    ADD COLUMN IF NOT EXISTS k8s_namespace LowCardinality(String),
    ADD COLUMN IF NOT EXISTS pod_name LowCardinality(String),
    ADD COLUMN IF NOT EXISTS inode String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS device LowCardinality(String),
    ADD COLUMN IF NOT EXISTS file_mode LowCardinality(String),
    ADD COLUMN IF NOT EXISTS target_path String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS called_path String CODEC(ZSTD(1)), -- what the caller wrote, where it differs
    ADD COLUMN IF NOT EXISTS paths String CODEC(ZSTD(1)), -- JSON, where there are several
    ADD COLUMN IF NOT EXISTS source String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS community_id String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS flags Map(LowCardinality(String), Array(LowCardinality(String))) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS strings Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    ADD COLUMN IF NOT EXISTS structures String CODEC(ZSTD(3)), -- JSON
    ADD COLUMN IF NOT EXISTS argv Array(String) CODEC(ZSTD(3)), -- of an exec that failed
    ADD COLUMN IF NOT EXISTS executed Nullable(Bool), -- false: it never ran
    ADD COLUMN IF NOT EXISTS notes Map(LowCardinality(String), Array(LowCardinality(String))) CODEC(ZSTD(1)), -- of fields: missing, shared ...
    ADD COLUMN IF NOT EXISTS output_lost UInt64 CODEC(ZSTD(1)), -- of a checkpoint
    ADD COLUMN IF NOT EXISTS balance_lost UInt64 CODEC(ZSTD(1)); -- of a heartbeat

CREATE TABLE IF NOT EXISTS telemetry.ingest (line String) ENGINE = Null;

-- Of each release of this schema another one: the one before goes when this one is there, so that no line is lost, and
-- what both filled in is there once.
CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry.ingest_to_events_2 TO telemetry.events AS
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
    if(e.process.command_line != '', e.process.command_line, arrayStringConcat(e.process.args, ' ')) AS command_line,
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
    toUInt32OrZero(if(e.process.user.id != '', e.process.user.id, e.user.id)) AS uid,
    e.user.name AS user,
    linux.audit.auid AS auid,
    linux.audit.ses AS login_session,
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
    linux.syscall.name AS syscall,
    linux.syscall.args AS arguments,
    linux.syscall.ret AS result,
    linux.telemetry.loss.count AS lost,
    linux.telemetry.loss.cause AS lost_by,
    linux.telemetry.output.name AS output,
    linux.telemetry.output.lines AS lines,
    linux.telemetry.output.last AS last,
    linux.telemetry.balance.emitted AS emitted,
    e.host.id AS host_id,
    e.host.os.kernel AS os_kernel,
    e.agent.version AS agent_version,
    parseDateTime64BestEffortOrZero(e.process.start, 9, 'UTC') AS started,
    e.process.thread.name AS thread_name,
    e.process.thread.capabilities.effective AS capabilities,
    toUInt32OrNull(e.process.group.id) AS gid,
    e.process.session_leader.entity_id AS session_id,
    linux.process.child.pid AS child_pid,
    linux.process.child.entity_id AS child_id,
    linux.folded AS folded,
    parseDateTime64BestEffortOrZero(e.event.start, 9, 'UTC') AS first_time,
    linux.exec.interpreter AS interpreter,
    e.container.name AS container_name,
    e.container.image.name AS container_image,
    e.kubernetes.namespace AS k8s_namespace,
    e.kubernetes.pod.name AS pod_name,
    e.file.inode AS inode,
    e.file.device AS device,
    e.file.mode AS file_mode,
    e.file.target_path AS target_path,
    linux.syscall.called_path AS called_path,
    linux.syscall.paths AS paths,
    e.source.address AS source,
    e.network.community_id AS community_id,
    linux.syscall.flags AS flags,
    linux.syscall.strings AS strings,
    linux.syscall.structures AS structures,
    linux.syscall.argv AS argv,
    linux.syscall.executed AS executed,
    mapFilter((name, fields) -> notEmpty(fields),
              map('missing', linux.telemetry.missing, 'fault', linux.telemetry.fault, 'user_memory', linux.telemetry.user_memory, 'shared', linux.telemetry.shared, 'procfs', linux.telemetry.procfs,
                  'lexical', linux.telemetry.lexical, 'relative', linux.telemetry.relative, 'detached', linux.telemetry.detached, 'foreign', linux.telemetry.foreign, 'deleted', linux.telemetry.deleted)) AS notes,
    linux.telemetry.output.lost AS output_lost,
    linux.telemetry.balance.lost AS balance_lost,
    line
FROM (
    SELECT line, JSONExtract(line, 'Tuple(
        `@timestamp` String,
        host Tuple(name String, id String, os Tuple(kernel String)),
        agent Tuple(version String),
        event Tuple(id String, kind String, code String, action String, category Array(String), type Array(String),
                    outcome String, start String),
        error Tuple(code String),
        tags Array(String),
        process Tuple(pid UInt32, start String, entity_id String, name String, executable String,
                      thread Tuple(id UInt32, name String, capabilities Tuple(effective Array(String))),
                      command_line String, args Array(String), working_directory String, hash Tuple(sha256 String),
                      interactive Bool, exit_code Nullable(UInt8), env_vars Array(String),
                      user Tuple(id String), group Tuple(id String),
                      parent Tuple(pid UInt32, entity_id String, name String, executable String, command_line String),
                      session_leader Tuple(entity_id String),
                      entry_leader Tuple(entity_id String, entry_meta Tuple(type String))),
        user Tuple(id String, name String),
        container Tuple(id String, name String, image Tuple(name String)),
        kubernetes Tuple(namespace String, pod Tuple(uid String, name String)),
        file Tuple(path String, inode String, device String, mode String, target_path String,
                   Ext Tuple(original Tuple(path String))),
        source Tuple(address String, ip String, port UInt16),
        destination Tuple(address String, ip String, port UInt16),
        network Tuple(direction String, transport String, community_id String))') AS e,
    JSONExtract(line, 'linux', 'Tuple(
        syscall Tuple(name String, args Map(String, String), flags Map(String, Array(String)), ret Nullable(Int64),
                      strings Map(String, String), structures String, argv Array(String), paths String,
                      called_path String, executed Nullable(Bool)),
        folded UInt32,
        exec Tuple(interpreter String),
        audit Tuple(auid Nullable(UInt32), ses Nullable(UInt32)),
        process Tuple(child Tuple(pid UInt32, entity_id String)),
        telemetry Tuple(missing Array(String), fault Array(String), user_memory Array(String), shared Array(String),
                        procfs Array(String), lexical Array(String), relative Array(String), detached Array(String),
                        foreign Array(String), deleted Array(String),
                        loss Tuple(cause String, count UInt64),
                        output Tuple(name String, lines UInt64, lost UInt64, last Bool),
                        balance Tuple(emitted UInt64, lost UInt64)))') AS linux
    FROM telemetry.ingest
);

DROP VIEW IF EXISTS telemetry.ingest_to_events;
