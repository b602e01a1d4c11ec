-- SPDX-License-Identifier: MIT
-- Twenty questions to ask of a fleet. Each is one statement, with its number and name in the comment above it. Values
-- of an alert are parameters: clickhouse-client --param_process='...' --query '...'

-- 1 complete: is the stream of each host whole? A run that goes on is known to its last checkpoint alone.
SELECT run, any(host) AS host, uniqExact(event_id) AS there, count() - there AS copies,
       maxIf(lines, action = 'checkpoint') + 1 AS given, max(last) AS ended,
       if(ended, greatest(toInt64(given) - toInt64(there), 0), NULL) AS missing,
       max(output_lost) AS reported, greatest(missing - toInt64(reported), 0) AS gaps, -- what nobody reports
       arraySum(loss -> loss.2, groupUniqArrayIf((event_id, lost), action = 'loss' AND NOT startsWith(lost_by, 'output_')
           AND lost_by NOT IN ('tampered', 'missed_run', 'unseen_operation'))) AS lost_before -- they came to an output
FROM telemetry.events GROUP BY run ORDER BY host, run;

-- 2 silent_hosts: who was heard of within a day, and not for ten minutes?
SELECT host, max(time) AS heard, argMax(event_id, time) AS last_event
FROM telemetry.events WHERE time > now() - INTERVAL 1 DAY
GROUP BY host HAVING heard < now() - INTERVAL 10 MINUTE ORDER BY heard;

-- 3 losses: what was lost, where and why?
SELECT host, lost_by, sum(lost) AS events, min(time) AS first, max(time) AS latest
FROM telemetry.events WHERE action = 'loss' GROUP BY host, lost_by ORDER BY events DESC;

-- 4 rare_programs: executables that one host alone has run
SELECT executable, any(host) AS only_host, count() AS times, any(command_line) AS example
FROM telemetry.events WHERE action = 'exec' AND time > now() - INTERVAL 1 DAY
GROUP BY executable HAVING uniq(host) = 1 ORDER BY times LIMIT 100;

-- 5 new_programs: executables that were not seen in the 30 days before
SELECT executable, min(time) AS first, uniq(host) AS hosts, any(command_line) AS example
FROM telemetry.events WHERE action = 'exec' AND time > now() - INTERVAL 31 DAY
GROUP BY executable HAVING first > now() - INTERVAL 1 DAY ORDER BY first DESC LIMIT 100;

-- 6 tree: all descendants of a process, and what they did
WITH RECURSIVE tree AS (
    SELECT entity_id, 0 AS depth FROM telemetry.events WHERE entity_id = {process:String} LIMIT 1
    UNION ALL
    SELECT DISTINCT child.entity_id, tree.depth + 1
    FROM tree INNER JOIN (SELECT DISTINCT entity_id, parent_id FROM telemetry.events WHERE parent_id != '') AS child
        ON child.parent_id = tree.entity_id
    WHERE tree.depth < 20 AND child.entity_id != tree.entity_id
)
SELECT depth, time, name, action, command_line, path, destination
FROM telemetry.events INNER JOIN (SELECT entity_id, min(depth) AS depth FROM tree GROUP BY entity_id) AS t USING entity_id
ORDER BY time LIMIT 1000;

-- 7 ancestry: how did this process come to be?
WITH RECURSIVE up AS (
    SELECT entity_id, parent_id, name, command_line, 0 AS height
    FROM (SELECT entity_id, any(parent_id) AS parent_id, any(name) AS name, any(command_line) AS command_line
          FROM telemetry.events WHERE entity_id = {process:String} GROUP BY entity_id)
    UNION ALL
    SELECT p.entity_id, p.parent_id, p.name, p.command_line, up.height + 1
    FROM up INNER JOIN (SELECT entity_id, any(parent_id) AS parent_id, any(name) AS name, any(command_line) AS command_line
                        FROM telemetry.events GROUP BY entity_id) AS p ON p.entity_id = up.parent_id
    WHERE up.height < 20
)
SELECT * FROM up ORDER BY height;

-- 8 shells_of_servers: a shell whose parent is a network service
SELECT time, host, parent_exe, parent_command, command_line, user
FROM telemetry.events
WHERE action = 'exec' AND name IN ('sh', 'bash', 'dash', 'zsh', 'ash', 'ksh')
  AND parent_name IN ('nginx', 'apache2', 'httpd', 'php-fpm', 'java', 'node', 'postgres', 'mysqld', 'redis-server',
                      'tomcat', 'gunicorn', 'uwsgi')
ORDER BY time DESC LIMIT 100;

-- 9 downloaded_and_run: a file that was made, and executed within the hour
SELECT w.host, w.path, w.time AS made, w.name AS made_by, x.time AS run, x.command_line
FROM (SELECT host, path, time, name FROM telemetry.events
      WHERE action IN ('creation', 'rename') AND path != '' AND time > now() - INTERVAL 1 DAY) AS w
INNER JOIN (SELECT host, executable, time, command_line FROM telemetry.events
            WHERE action = 'exec' AND time > now() - INTERVAL 1 DAY) AS x
    ON w.host = x.host AND w.path = x.executable
WHERE x.time BETWEEN w.time AND w.time + INTERVAL 1 HOUR
ORDER BY run DESC LIMIT 100;

-- 10 temporary_programs: what runs out of folders that everyone can write to
SELECT host, executable, user, count() AS times, min(time) AS first, any(command_line) AS example
FROM telemetry.events
WHERE action = 'exec' AND match(executable, '^(/tmp|/var/tmp|/dev/shm|/run/user|memfd:|/memfd:)')
GROUP BY host, executable, user ORDER BY first DESC LIMIT 100;

-- 11 deleted_programs: a program that removed its own file
SELECT e.time, e.host, e.executable, e.command_line, d.time AS removed
FROM (SELECT time, host, entity_id, executable, command_line FROM telemetry.events WHERE action = 'exec') AS e
INNER JOIN (SELECT time, entity_id, path FROM telemetry.events WHERE action = 'deletion') AS d USING entity_id
WHERE d.path = e.executable ORDER BY removed DESC LIMIT 100;

-- 12 beacons: connections at regular intervals
SELECT host, executable, destination_ip, destination_port, count() AS times,
       avg(gap) AS seconds, stddevPop(gap) / avg(gap) AS irregularity
FROM (SELECT host, executable, destination_ip, destination_port,
             dateDiff('millisecond', lagInFrame(time) OVER w, time) / 1000 AS gap, row_number() OVER w AS number
      FROM telemetry.events
      WHERE action = 'connection_attempted' AND destination_port > 0 AND time > now() - INTERVAL 1 DAY
      WINDOW w AS (PARTITION BY host, executable, destination_ip, destination_port ORDER BY time
                   ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))
WHERE number > 1
GROUP BY host, executable, destination_ip, destination_port
HAVING times >= 10 AND seconds > 5 AND irregularity < 0.1 ORDER BY irregularity LIMIT 100;

-- 13 rare_destinations: addresses that a single program on a single host talks to
SELECT destination_ip, destination_port, any(host) AS only_host, any(executable) AS only_program, count() AS times
FROM telemetry.events
WHERE action = 'connection_attempted' AND destination_ip != toIPv6('::') AND time > now() - INTERVAL 1 DAY
GROUP BY destination_ip, destination_port HAVING uniq(host, executable) = 1 ORDER BY times LIMIT 100;

-- 14 scanners: one process, many addresses or ports
SELECT host, entity_id, any(executable) AS program, uniq(destination_ip) AS addresses, uniq(destination_port) AS ports,
       countIf(outcome = 'failure') / count() AS failed
FROM telemetry.events
WHERE code = 'connect' AND destination_port > 0 AND time > now() - INTERVAL 1 DAY
GROUP BY host, entity_id HAVING addresses > 50 OR ports > 50 ORDER BY addresses DESC, ports DESC LIMIT 100;

-- 15 sessions: what did each login do?
SELECT host, login_session, any(auid) AS auid, groupUniqArray(5)(entry_type) AS way_in, min(time) AS first, max(time) AS latest,
       countIf(action = 'exec') AS programs, groupUniqArray(20)(name) AS names
FROM telemetry.events WHERE login_session IS NOT NULL AND time > now() - INTERVAL 1 DAY
GROUP BY host, login_session ORDER BY latest DESC LIMIT 100;

-- 16 became_root: users who became root, and by which program
SELECT time, host, auid, name, command_line, parent_command
FROM telemetry.events
WHERE action = 'uid_change' AND uid = 0 AND auid > 0 AND outcome = 'success'
ORDER BY time DESC LIMIT 100;

-- 17 persistence: changes where the system looks for what to start
SELECT time, host, action, path, name, command_line, user
FROM telemetry.events
WHERE action IN ('creation', 'modification', 'rename', 'attributes_modified')
  AND match(path, '^(/etc/(cron|systemd|init\\.d|rc|profile|ld\\.so|ssh|pam\\.d|sudoers)|/usr/lib/systemd/|/lib/systemd/|/var/spool/cron)|/\\.(bashrc|profile|ssh/)')
ORDER BY time DESC LIMIT 100;

-- 18 containers: what ran in each, how much of it as root, and by hand
SELECT container_id, any(host) AS host, any(pod_uid) AS pod, groupUniqArray(30)(name) AS programs,
       countIf(uid = 0) AS as_root, countIf(interactive) AS by_terminal
FROM telemetry.events WHERE container_id != '' AND action = 'exec' AND time > now() - INTERVAL 1 DAY
GROUP BY container_id ORDER BY by_terminal DESC, as_root DESC LIMIT 100;

-- 19 techniques: what the rules' keys found, by host
SELECT arrayJoin(tags) AS technique, host, count() AS events, uniq(entity_id) AS processes, max(time) AS latest,
       any(command_line) AS example
FROM telemetry.events WHERE notEmpty(tags) AND time > now() - INTERVAL 1 DAY
GROUP BY technique, host ORDER BY processes LIMIT 200;

-- 20 around: everything on a host within a minute of a moment
SELECT time, name, action, command_line, path, destination, outcome, error
FROM telemetry.events
WHERE host = {host:String} AND time BETWEEN parseDateTime64BestEffort({moment:String}, 9) - INTERVAL 1 MINUTE
  AND parseDateTime64BestEffort({moment:String}, 9) + INTERVAL 1 MINUTE
ORDER BY time LIMIT 10000;
