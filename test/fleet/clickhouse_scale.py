#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long the hunting queries take on many events: those of some seconds of this machine, as so many hosts would have
them within a day, without the column that has the whole line, which no query reads.

usage: clickhouse_scale.py PROGRAM FOLDER_OF_CHDB [MILLIONS]
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import chdb

PROGRAM, MODULES = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
EVENTS = int(sys.argv[3] if len(sys.argv) > 3 else 10) * 1_000_000
WORK = "for i in $(seq 20); do find /etc -maxdepth 1 -exec cat {} + >/dev/null 2>&1; sh -c 'ls / | sort' >/dev/null; " \
       "curl -s http://127.0.0.1:1/; sleep 0.1; done"
HOSTS = 200


def record(folder):
    work = subprocess.Popen(["sh", "-c", WORK], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([PROGRAM, "-q", "-f", "json", "-o", folder / "lines", "--duration", "4"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    work.wait()
    return (folder / "lines").read_text().splitlines()


def multiply(server, recorded):
    """A copy of all recorded events for each host and moment; processes of different copies are different."""
    copies = EVENTS // recorded + 1
    server.ask("CREATE TABLE telemetry.recorded ENGINE = Memory AS SELECT * FROM telemetry.events")
    server.ask("TRUNCATE TABLE telemetry.events")
    columns = {row["name"] for row in server.ask("DESCRIBE telemetry.recorded")}
    changed = {"time": f"now64(9, 'UTC') - toIntervalSecond(number * 80000 / {copies}) - toIntervalMillisecond(rowNumberInAllBlocks() % 1000)",
               "host": f"concat('host', toString(number % {HOSTS}))", "line": "''",
               "event_id": "concat(lower(hex(MD5(toString(number)))), '-run', substring(r.event_id, 37))",
               "entity_id": "if(r.entity_id = '', '', concat(r.entity_id, '-', toString(number)))",
               "parent_id": "if(r.parent_id = '', '', concat(r.parent_id, '-', toString(number)))"}
    names = sorted(columns)
    piece = max(1, 500_000 // recorded)
    for begin in range(0, copies, piece):
        server.ask(f"INSERT INTO telemetry.events ({', '.join(names)}) SELECT "
                   + ", ".join(f"{changed.get(name, 'r.' + name)} AS {name}" for name in names)
                   + f" FROM numbers({begin}, {min(piece, copies - begin)}) AS n CROSS JOIN telemetry.recorded AS r")


def main():
    assert os.geteuid() == 0, "needs root"
    chdb.install(MODULES)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lines = record(folder)
        server = chdb.Server(MODULES, folder / "data")
        try:
            server.insert(lines)
            begin = time.monotonic()
            multiply(server, len(lines))
            rows = server.ask("SELECT count() AS n, uniq(host) AS hosts, min(entity_id) AS e FROM telemetry.events")[0]
            assert int(rows["n"]) >= EVENTS and int(rows["hosts"]) == HOSTS, rows
            size = server.ask("SELECT sum(bytes_on_disk) AS b FROM system.parts WHERE active AND table = 'events'")[0]["b"]
            print(f"{rows['n']} events of {rows['hosts']} hosts, {len(lines)} of them recorded; {int(size) >> 20} MiB; "
                  f"made in {time.monotonic() - begin:.0f} s")
            process = server.ask("SELECT parent_id AS p FROM telemetry.events WHERE action = 'exec' AND parent_id != '' LIMIT 1")[0]["p"]
            moment = server.ask("SELECT toString(max(time)) AS t FROM telemetry.events WHERE host = 'host7'")[0]["t"]
            for title, query in chdb.questions().items():
                begin = time.monotonic()
                found = server.ask(query, process=process, host="host7", moment=moment)
                print(f"| {title} | {len(found)} | {time.monotonic() - begin:.2f} |", flush=True)
        finally:
            server.close()


main()
