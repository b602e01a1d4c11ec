#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program to Kafka's protocol (librdkafka's mock cluster) to a consumer (kcat), through brokers that are away and
kill -9: usage: kafka_test.py PROGRAM BROKERS"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import harness

PROGRAM, BROKERS = map(os.path.abspath, sys.argv[1:3])
TOPIC = "events"


class Brokers:
    def __init__(self):
        self.process = subprocess.Popen([BROKERS, TOPIC], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()

    def make(self, state):
        print(state, file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == state + "\n"

    def consumed(self):
        """Everything in the topic: key, headers and text of each message."""
        run = subprocess.run(["kcat", "-C", "-b", self.address, "-t", TOPIC, "-o", "beginning", "-e", "-q", "-f",
                              "%k\\t%h\\t%s\\n"], stdout=subprocess.PIPE, text=True, check=True, timeout=60)
        return [line.split("\t", 2) for line in run.stdout.splitlines()]


def outputs(folder, brokers):
    return (f"[output.bus]\nkind = kafka\nbrokers = {brokers.address}\ntopic = {TOPIC}\nspool = 64M\n"
            f"spool_dir = {folder}/spool\nqueue = 64M\nbatch_time = 50ms\nretry_first = 20ms\nretry_longest = 200ms\n"
            "timeout = 2s\nrdkafka.reconnect.backoff.max.ms = 200\n"
            f"[output.reference]\nkind = file\npath = {folder}/reference\nqueue = 64M\n")


def numbered_calls(folder, name, seconds):
    caller = harness.call(folder / name)
    time.sleep(seconds)
    return caller


def ended(folder, name, caller):
    (folder / name).touch()
    return int(caller.communicate()[0])


def large_exec():
    """Of a process of the user, with arguments of 30 KB and characters that have to be escaped."""
    code = f"import os; os.setuid({harness.USER}); os.execv('/bin/true', ['true', 'é\"\\\\\\n' * 5000, 'y' * 5000])"
    subprocess.run([sys.executable, "-c", code], check=True)


def whole_run(folder, brokers):
    """Down at the start, and once more while events come."""
    brokers.make("down")
    with open(folder / "log", "w", encoding="utf-8") as log:
        program = harness.start(PROGRAM, folder, outputs(folder, brokers), log,
                                f"getpgid uid = {harness.USER}\nexecve uid = {harness.USER}\n")
        caller = numbered_calls(folder, "stop", 0.5)
        large_exec()
        brokers.make("up")
        time.sleep(1)
        brokers.make("down")
        time.sleep(0.5)
        brokers.make("up")
        calls = ended(folder, "stop", caller)
        time.sleep(1)
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    summary = harness.summary_of(log.name)
    output = harness.report_of(summary, "kafka bus")
    assert summary["imbalance"] == 0 and summary["emitted"] > calls, summary
    assert output["waiting"] == 0 and output["lost"] == 0 and output["written"] == summary["emitted"], output
    messages = brokers.consumed()
    assert {key for key, _, _ in messages} == {socket.gethostname()}
    assert {headers for _, headers, _ in messages} == {"format=json,schema=ecs 8.17.0"}, messages[0]
    lines = harness.without_checkpoints(dict.fromkeys(text for _, _, text in messages))
    reference = harness.without_checkpoints((folder / "reference").read_text().splitlines())
    assert sorted(lines) == sorted(reference), f"{len(lines)} lines of {len(reference)}"
    large = max(lines, key=lambda line: len(line.encode()))
    assert 30_000 < len(large.encode()) < 32 << 10, "the large one is missing, or is longer than max_line"
    cut = {entry["field"] for entry in json.loads(large)["linux"]["telemetry"]["truncated"]}
    assert {"process.args", "process.command_line"} <= cut, cut
    print(f"kafka_test.py: {len(lines)} lines, identical; {len(messages) - len(lines)} came again")


def killed_run(folder, brokers):
    before = len(brokers.consumed())
    runs = 2
    last = 0
    for number in range(runs):
        with open(folder / f"log{number}", "w", encoding="utf-8") as log:
            program = harness.start(PROGRAM, folder, outputs(folder, brokers), log)
            caller = numbered_calls(folder, f"stop{number}", 0.7)
            is_last = number == runs - 1
            if not is_last:
                program.kill()
                program.wait()
            last = ended(folder, f"stop{number}", caller)
            if is_last:
                time.sleep(1)
                program.send_signal(signal.SIGTERM)
                assert program.wait(30) == 0
    messages = [text for _, _, text in brokers.consumed()[before:]]
    numbers, causes = harness.numbers_by_run(messages)
    assert not causes and len(numbers) == runs, (causes, len(numbers))
    for run in numbers.values():
        assert len(run) == max(run), f"{max(run) - len(run)} of the first {max(run)} are missing"
    assert last in map(len, numbers.values()), "the last run is not whole"
    print(f"kafka_test.py: kill -9, {sum(map(len, numbers.values()))} events, each there")


def main():
    assert os.geteuid() == 0, "needs root"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        brokers = Brokers()
        try:
            whole_run(folder, brokers)
            killed_run(folder, brokers)
        finally:
            brokers.process.stdin.close()
            brokers.process.wait(10)


main()
