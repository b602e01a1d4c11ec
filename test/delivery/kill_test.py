#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills the program at random moments, while the receiver of its events misbehaves in every way, and proves by
event.id that nothing is missing: usage: kill_test.py PROGRAM [ROUNDS [SEED]]"""
import collections
import gzip
import http.server
import os
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time

import harness

PROGRAM = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 4
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)


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


def outputs(folder, url):
    """The queue holds what comes while a busy disk is synced: a kill leaves no time to report what is lost there."""
    return (f"[output.siem]\nkind = http\nurl = {url}\nspool = 64M\nspool_dir = {folder}/spool\n"
            "queue = 64M\nbatch_time = 50ms\nretry_first = 20ms\nretry_longest = 200ms\n")


def main():
    assert os.geteuid() == 0, "needs root"
    random.seed(SEED)
    print("seed", SEED)
    receiver = Receiver()
    url = f"http://127.0.0.1:{receiver.server_port}/events"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        last_run = 0
        for number in range(ROUNDS + 1):
            is_last = number == ROUNDS
            receiver.is_kind = is_last
            stop = folder / f"stop{number}"
            with open(folder / f"log{number}", "w", encoding="utf-8") as log:
                program = harness.start(PROGRAM, folder, outputs(folder, url), log)
                caller = harness.call(stop)
                time.sleep(random.uniform(0.3, 1.2))
                if not is_last:
                    program.send_signal(signal.SIGKILL)
                    program.wait()
                stop.touch()
                calls = int(caller.communicate()[0])
                if is_last:
                    last_run = calls
                    time.sleep(1)  # the spool is emptied
                    program.send_signal(signal.SIGTERM)
                    assert program.wait(30) == 0
        summary = harness.summary_of(folder / f"log{ROUNDS}")
    output = harness.report_of(summary, "http siem")
    assert output["waiting"] == 0, output
    # A kill may cut the record that is being written: the next start counts it.
    assert set(output["lost_by"]) <= {"spool_damaged"}, output
    assert summary["imbalance"] == 0 and summary["emitted"] == last_run, (summary, last_run)
    runs, causes = harness.numbers_by_run(receiver.lines)
    assert causes <= {"output_siem"}, causes
    for run, numbers in runs.items():
        missing = max(numbers) - len(numbers)
        assert missing == 0, f"run {run}: {missing} of the first {max(numbers)} events are missing"
    assert ROUNDS // 2 < len(runs) <= ROUNDS + 1, f"{len(runs)} runs"
    assert last_run in map(len, runs.values()), "the last run, which ended in order, is not whole"
    events = sum(map(len, runs.values()))
    copies = sum('"getpgid"' in line for line in receiver.lines)
    print(f"kill_test.py: {ROUNDS} kills, {events} events, each there; {copies - events} came again; {dict(receiver.answers)}")


main()
