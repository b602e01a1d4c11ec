#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program by HTTP to ClickHouse with the schema of packaging/fleet: every event is a row, once, with its columns
right, though a third of the inserts is sent again; and the hunting queries find what was planted:
usage: clickhouse_test.py PROGRAM FOLDER_OF_CHDB"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import chdb

sys.path.insert(0, str(chdb.HERE.parent / "delivery"))
import harness  # noqa: E402

PROGRAM, MODULES = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
RULES = "".join(f"{call} uid = {harness.USER} key mine\n" for call in (
    "getpgid", "@exec", "connect", "unlink", "unlinkat", "rename", "process_fork", "process_exit")) + \
    "".join(f"{call} uid = {harness.USER} key mine\n" for call in ("openat", "creat", "mkdirat", "chmod"))

# What the queries look for. A process keeps its entity_id when it executes another program.
PLANTED = r"""
import os, shutil, socket, subprocess, sys
os.setuid(%d)
os.chdir(sys.argv[1])
shutil.copy('/bin/sh', 'tool')
subprocess.run([os.path.abspath('tool'), '-c', 'exec rm ' + os.path.abspath('tool')], check=True)
shutil.copy('/bin/sh', 'nginx')
subprocess.run([os.path.abspath('nginx'), '-c', '/bin/sh -c "true; true"; true'], check=True)
open('.bashrc', 'w').close()
for port in range(1, 61):
    with socket.socket() as s: s.connect_ex(('127.0.0.1', port))
subprocess.run(['/bin/true', 'é"\\\n' * 3000, 'y' * 5000, '\x01' * 2000])
"""


def outputs(folder, url):
    return (f"[output.store]\nkind = http\ndialect = clickhouse\nurl = {url}\nspool = 64M\nspool_dir = {folder}/spool\n"
            "queue = 64M\nbatch_events = 400\nbatch_time = 100ms\nretry_first = 20ms\nretry_longest = 200ms\n"
            f"[output.reference]\nkind = file\npath = {folder}/reference\nqueue = 64M\nmax_line = 1M\n")


def wait_for_rows(server, folder):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        lines = len((folder / "reference").read_text().splitlines())
        if int(server.ask("SELECT uniqExact(event_id) AS n FROM telemetry.events")[0]["n"]) >= lines:
            return
        time.sleep(0.1)


def run(folder, server):
    with open(folder / "log", "w", encoding="utf-8") as log:
        program = harness.start(PROGRAM, folder, outputs(folder, server.url), log, RULES,
                                ["--metrics-file", folder / "metrics", "--metrics-interval", "1"])
        caller = harness.call(folder / "stop")
        subprocess.run([sys.executable, "-c", PLANTED % harness.USER, folder / "open"], check=True)
        time.sleep(0.5)
        (folder / "stop").touch()
        caller.communicate()
        wait_for_rows(server, folder)
        harness.wait_for_all(folder / "metrics")  # what was stored, and sent again since nobody knew
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    return harness.summary_of(log.name)


def expected_columns(event):
    process, linux = event.get("process", {}), event.get("linux", {})
    return {
        "event_id": event["event"]["id"], "host": event["host"]["name"], "run": event["agent"]["ephemeral_id"],
        "action": event["event"]["action"], "outcome": event["event"].get("outcome", ""),
        "category": event["event"].get("category", []), "tags": event.get("tags", []), "pid": process.get("pid", 0),
        "entity_id": process.get("entity_id", ""), "executable": process.get("executable", ""),
        "args": process.get("args", []), "command_line": process.get("command_line", ""),
        "parent_id": process.get("parent", {}).get("entity_id", ""), "path": event.get("file", {}).get("path", ""),
        "destination_port": event.get("destination", {}).get("port", 0), "exit_code": process.get("exit_code"),
        "syscall": linux.get("syscall", {}).get("name", ""), "arguments": linux.get("syscall", {}).get("args", {}),
        "flags": linux.get("syscall", {}).get("flags", {}), "strings": linux.get("syscall", {}).get("strings", {}),
        "host_id": event["host"].get("id", ""), "agent_version": event["agent"].get("version", ""),
        "thread_name": process.get("thread", {}).get("name", ""), "device": event.get("file", {}).get("device", ""),
        "inode": event.get("file", {}).get("inode", ""), "source": event.get("source", {}).get("address", ""),
        "child_id": linux.get("process", {}).get("child", {}).get("entity_id", ""),
        "gid": int(process["group"]["id"]) if "group" in process else None,
        "notes": {name: fields for name, fields in linux.get("telemetry", {}).items()
                  if isinstance(fields, list) and name not in ("truncated", "raw")},
    }


def check_rows(server, lines):
    stored = {row["event_id"]: row for row in server.ask(
        "SELECT *, run FROM telemetry.events FINAL WHERE action != 'checkpoint'")}
    assert len(stored) == len(lines), f"{len(stored)} rows of {len(lines)} lines"
    for line in lines:
        expected = expected_columns(json.loads(line))
        row = stored[expected["event_id"]]
        assert row["line"] == line
        row["result"] = row["result"] and int(row["result"])
        different = {name: (value, row[name]) for name, value in expected.items() if row[name] != value}
        assert not different, different
    assert max(map(len, lines)) > 30_000, "the large one is missing"


def check_questions(server, folder):
    """Each is understood, and finds what was planted for it."""
    processes = server.ask("SELECT entity_id, parent_id FROM telemetry.events WHERE parent_name = 'nginx' LIMIT 1")
    moment = server.ask("SELECT toString(max(time)) AS t FROM telemetry.events")[0]["t"]
    host = server.ask("SELECT any(host) AS h FROM telemetry.events")[0]["h"]
    found = {name: server.ask(query, process=processes[0]["parent_id"], host=host, moment=moment)
             for name, query in chdb.questions().items()}
    made = f"{folder}/open"
    [complete] = found["complete"]
    assert {complete[name] for name in ("missing", "gaps", "reported", "lost_before")} <= {0, "0"}, complete
    assert complete["ended"], complete  # merges may have left no copies
    assert not found["losses"] and not found["silent_hosts"]
    assert any(row["executable"] == f"{made}/nginx" for row in found["rare_programs"])
    assert any(row["executable"] == f"{made}/nginx" for row in found["new_programs"])
    assert {"nginx", "dash"} <= {row["name"] for row in found["tree"]}, found["tree"]
    assert found["ancestry"][0]["name"] == "nginx" and len(found["ancestry"]) >= 2, found["ancestry"]
    assert any(row["parent_exe"] == f"{made}/nginx" for row in found["shells_of_servers"])
    assert any(row["path"] == f"{made}/tool" for row in found["downloaded_and_run"])
    assert any(row["executable"] == f"{made}/tool" for row in found["temporary_programs"])
    assert any(row["executable"] == f"{made}/tool" for row in found["deleted_programs"])
    assert any(row["ports"] in (60, "60") for row in found["scanners"]), found["scanners"]
    assert any(row["path"] == f"{made}/.bashrc" for row in found["persistence"])
    assert any(row["technique"] == "mine" for row in found["techniques"])
    assert found["around"]
    board = json.loads((chdb.KIT.parent / "grafana/hunting.json").read_text())
    for panel in board["panels"]:  # what Grafana puts in for its macro and its variable
        query = panel["targets"][0]["rawSql"].replace("$__timeFilter(time)", "time > now() - INTERVAL 6 HOUR")
        rows = server.ask(query.replace("${host:raw}", "%"))
        assert rows, panel["title"]


def main():
    assert os.geteuid() == 0, "needs root"
    chdb.install(MODULES)
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        (folder / "open").mkdir(mode=0o777)
        os.chmod(folder / "open", 0o777)
        server = chdb.Server(MODULES, folder / "data")
        try:
            summary = run(folder, server)
            output = harness.report_of(summary, "http store")
            assert output["lost"] == 0 and output["waiting"] == 0, output
            lines = harness.without_checkpoints((folder / "reference").read_text().splitlines())
            check_rows(server, lines)
            check_questions(server, folder)
        finally:
            server.close()
    print(f"clickhouse_test.py: {len(lines)} rows, equal; twenty queries")


main()
