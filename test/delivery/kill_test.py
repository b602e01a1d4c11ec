#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills the program at random moments, with an output of each kind, while those who receive its events misbehave, and
proves by event.id that nothing is missing; of files, that what a kill has cut spoils no other line:
usage: kill_test.py PROGRAM BROKERS [ROUNDS [SEED]]"""
import collections
import gzip
import http.server
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import harness
import receivers

PROGRAM, BROKERS = map(os.path.abspath, sys.argv[1:3])
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 4
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what it takes, and takes when it likes to."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.lines = []
        self.is_kind = False
        self.answers = collections.Counter()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # the program was killed in the middle of a request


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        how = "taken" if self.server.is_kind else random.choice(
            ["taken"] * 6 + ["429", "500", "slow", "cut", "taken and cut", "half"])
        lines = gzip.decompress(body).decode().splitlines()
        with self.server.lock:
            self.server.answers[how] += 1
            if how in ("taken", "slow", "taken and cut"):
                self.server.lines += lines
        if how == "slow":
            time.sleep(0.3)
        if how in ("cut", "taken and cut"):
            self.close_connection = True
            return
        status = {"429": 429, "500": 500, "half": 413 if len(lines) > 1 else 503}.get(how, 200)
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        pass


class Log(receivers.Log):
    """It never goes away: what its kernel had by then would be lost, as syslog has no acknowledgement."""

    def __init__(self):
        super().__init__()
        self.up()


class FarEnds:
    def __init__(self):
        self.web, self.log, self.bus = Receiver(), Log(), receivers.Bus(BROKERS)
        self.from_bus = []

    def misbehave(self):
        self.log.slow(random.random() < 0.5)
        self.bus.make(random.choice(["up", "up", "down"]))
        self.bus.slow(random.random() < 0.3)

    def behave(self):
        self.web.is_kind = True
        self.log.slow(False)
        self.bus.up()
        self.bus.slow(False)

    def drain_bus(self):
        self.bus.up()
        self.bus.slow(False)
        self.from_bus += self.bus.received(after=len(self.from_bus))

    def lines(self):
        return {"http siem": self.web.lines, "syslog log": self.log.received(), "kafka bus": self.from_bus}

    def outputs(self, folder):
        """The queue holds what comes while a busy disk is synced: a kill leaves no time to report what is lost there."""
        reliable = "spool = 64M\nbatch_time = 50ms\nretry_first = 20ms\nretry_longest = 200ms\n"
        sections = {
            "siem": f"kind = http\nurl = http://127.0.0.1:{self.web.server_port}/events\n"
                    f"spool_dir = {folder}/siem\n{reliable}",
            "log": f"kind = syslog\nserver = tcp://127.0.0.1:{self.log.port}\nmessage_bytes = 1M\n"
                   f"spool_dir = {folder}/log\n{reliable}",
            "bus": f"kind = kafka\nbrokers = {self.bus.address}\ntopic = events\ntimeout = 3s\n"
                   f"rdkafka.reconnect.backoff.max.ms = 200\nspool_dir = {folder}/bus\n{reliable}",
            "disk": f"kind = file\npath = {folder}/configured\n",
        }
        return "".join(f"[output.{name}]\nqueue = 64M\n{options}" for name, options in sections.items())


def cut_last_line(path):
    """As a kill in the middle of a write leaves it."""
    text = path.read_bytes()
    last = text.rfind(b"\n", 0, -1) + 1
    if text.endswith(b"\n") and len(text) - last > 2:
        os.truncate(path, random.randrange(last + 1, len(text)))


def check_whole(name, lines, last_run):
    """Each run's events are there from the first to the last; returns how many, and how many came again."""
    runs, causes = harness.numbers_by_run(lines)
    assert causes <= {"output_siem", "output_log", "output_bus"}, (name, causes)  # records of spools that a kill cut
    for run, numbers in runs.items():
        missing = max(numbers) - len(numbers)
        assert missing == 0, f"{name}, run {run}: {missing} of the first {max(numbers)} events are missing"
    assert ROUNDS // 2 < len(runs) <= ROUNDS + 1, f"{name}: {len(runs)} runs"
    assert last_run in map(len, runs.values()), f"{name}: the last run, which ended in order, is not whole"
    events = sum(map(len, runs.values()))
    return events, sum('"getpgid"' in line for line in lines) - events


def is_whole(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def check_file(path, last_run):
    """A cut line costs itself alone, and --verify tells it."""
    lines = path.read_text().splitlines()
    whole = [line for line in lines if is_whole(line)]
    cut = len(lines) - len(whole)
    assert cut <= ROUNDS, f"{path}: {cut} cut lines after {ROUNDS} kills"
    events, again = check_whole(path.name, whole, last_run)
    assert again == 0, (path.name, again)
    verify = subprocess.run([PROGRAM, "--verify", path], stdout=subprocess.PIPE, text=True, check=False).stdout
    assert (f"{cut} lines are cut" in verify) == (cut > 0), verify
    assert " missing" not in verify, verify
    if path.name == "configured":  # -o has no checkpoints
        assert "complete to its end" in verify, verify
    print(f"kill_test.py: {path.name}: {events} events, {cut} lines cut by {ROUNDS} kills")


def run(folder, number, ends):
    """Returns how many events there were."""
    is_last = number == ROUNDS
    if is_last:
        ends.behave()
    else:
        ends.misbehave()
    stop, metrics = folder / f"stop{number}", folder / f"metrics{number}"
    with open(folder / f"log{number}", "w", encoding="utf-8") as log:
        program = harness.start(PROGRAM, folder, ends.outputs(folder), log, options=[
            "-o", folder / "named", "--metrics-file", metrics, "--metrics-interval", "1"])
        caller = harness.call(stop)
        time.sleep(random.uniform(0.3, 1.2))
        if not is_last:
            program.send_signal(signal.SIGKILL)
            program.wait()
        stop.touch()
        calls = int(caller.communicate()[0])
        if is_last:
            harness.wait_for_all(metrics)
            program.send_signal(signal.SIGTERM)
            assert program.wait(30) == 0, (folder / f"log{number}").read_text()
        elif random.random() < 0.5:
            for name in ("named", "configured"):
                cut_last_line(folder / name)
    ends.drain_bus()
    return calls


def main():
    assert os.geteuid() == 0, "needs root"
    random.seed(SEED)
    print("seed", SEED)
    ends = FarEnds()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        last_run = [run(folder, number, ends) for number in range(ROUNDS + 1)][-1]
        summary = harness.summary_of(folder / f"log{ROUNDS}")
        assert summary["imbalance"] == 0 and summary["emitted"] == last_run, (summary, last_run)
        for name, lines in ends.lines().items():
            output = harness.report_of(summary, name)
            assert output["waiting"] == 0, output
            # A kill may cut the record that is being written: the next start counts it.
            assert set(output["lost_by"]) <= {"spool_damaged"}, output
            events, again = check_whole(name, lines, last_run)
            print(f"kill_test.py: {name}: {ROUNDS} kills, {events} events, each there; {again} came again")
        for path in (folder / "named", folder / "configured"):
            check_file(path, last_run)
    print("kill_test.py: answers of the server:", dict(ends.web.answers))
    ends.bus.close()


main()
