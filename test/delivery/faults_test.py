#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One program with an output of each kind that can be away: down at the start, slow, down again; the spools' disk full;
the spools damaged. Whatever came and whatever is counted as lost is, for each, what was emitted, and the reader is never
late: usage: faults_test.py PROGRAM BROKERS"""
import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import harness
from receivers import Bus, Log, Web

PROGRAM, BROKERS = map(os.path.abspath, sys.argv[1:3])
KINDS = {"http": "web", "syslog": "log", "kafka": "bus"}


class Fleet:
    """The three far ends."""

    def __init__(self):
        self.web, self.log, self.bus = Web(), Log(), Bus(BROKERS)
        self.all = (self.web, self.log, self.bus)

    def make(self, method, *arguments):
        for end in self.all:
            getattr(end, method)(*arguments)

    def outputs(self, spools):
        quick = "retry_first = 20ms\nretry_longest = 200ms\nbatch_time = 50ms\nqueue = 64M\nspool = 64M\n"
        return "".join(f"[output.{name}]\n{quick}spool_dir = {spools}/{name}\n{options}" for name, options in {
            "web": f"kind = http\nurl = http://127.0.0.1:{self.web.port}\n",
            "log": f"kind = syslog\nserver = tcp://127.0.0.1:{self.log.port}\nmessage_bytes = 1M\n",
            "bus": f"kind = kafka\nbrokers = {self.bus.address}\ntopic = events\ntimeout = 3s\n"
                   "rdkafka.reconnect.backoff.max.ms = 200\n"}.items())

    def ids(self):
        """Of the events, by kind: reports about the run itself are no events."""
        return {kind: {json.loads(line)["event"]["id"] for line in set(getattr(self, name).received())
                       if '"kind":"event"' in line} for kind, name in KINDS.items()}


def run(folder, fleet, spools, during, all_up):
    """Returns the summary, and the metrics. Where the far ends are all up at the end, everything has time to come."""
    number = run.count = getattr(run, "count", 0) + 1
    stop, metrics = folder / f"stop{number}", folder / f"metrics{number}"
    with open(folder / f"log{number}", "w", encoding="utf-8") as log:
        program = harness.start(PROGRAM, folder, fleet.outputs(spools), log,
                                options=["--metrics-file", metrics, "--metrics-interval", "1"])
        caller = harness.call(stop)
        during()
        stop.touch()
        caller.communicate()
        if all_up:
            harness.wait_for_all(metrics)
        else:
            time.sleep(1.5)
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) in (0, 9), "9: an output took nothing"
    return harness.summary_of(log.name), metrics.read_text()


def check_lag(metrics):
    late = {float(bound): float(count) for bound, count in re.findall(r'lag_seconds_bucket\{[^}]*le="([^"]+)"\} (\S+)', metrics)}
    assert late[1] == late[float("inf")] > 0, f"events were read later than a second: {late}"


def check(summaries, fleet, what):
    """What an output counts as written has come. What still waits may have come too: the program had not heard of it."""
    emitted = sum(summary["emitted"] for summary in summaries)
    reports = {kind: [harness.report_of(summary, f"{kind} {name}") for summary in summaries] for kind, name in KINDS.items()}
    written = {kind: sum(report["written"] for report in reports[kind]) for kind in KINDS}
    lost = {kind: sum((collections.Counter(report["lost_by"]) for report in reports[kind]), collections.Counter())
            for kind in KINDS}
    end = time.monotonic() + 10
    while any(len(fleet.ids()[kind]) < written[kind] for kind in KINDS) and time.monotonic() < end:
        time.sleep(0.1)  # the far end's kernel has it, and its thread has not read it
    came = fleet.ids()
    for kind in KINDS:
        waiting = reports[kind][-1]["waiting"]
        account = f"{what}, {kind}: {written[kind]} written, {len(came[kind])} came, {dict(lost[kind])} lost, " \
                  f"{waiting} wait, of {emitted}"
        print(f"faults_test.py: {account}")
        assert written[kind] + lost[kind].total() + waiting == emitted, account
        assert written[kind] <= len(came[kind]) <= written[kind] + waiting, account
        yield kind, lost[kind], waiting


def outages(folder):
    fleet = Fleet()

    def during():
        time.sleep(1)
        fleet.make("up")
        fleet.make("slow", True)
        time.sleep(1.5)
        fleet.make("slow", False)
        fleet.make("down")
        time.sleep(1)
        fleet.make("up")
        time.sleep(1)

    summary, metrics = run(folder, fleet, folder / "spools", during, all_up=True)
    for kind, lost, waiting in check([summary], fleet, "away and slow"):
        assert not lost and not waiting, (kind, lost, waiting)
    check_lag(metrics)
    fleet.make("close")


def full_disk(folder):
    fleet, disk = Fleet(), folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=0755", "tmpfs", disk], check=True)
    try:
        summary, metrics = run(folder, fleet, disk, lambda: time.sleep(4), all_up=False)
        fleet.make("up")
        for kind, lost, _ in check([summary], fleet, "disk full"):
            assert lost["disk_full"] > 0, (kind, lost)
        check_lag(metrics)
    finally:
        fleet.make("close")
        subprocess.run(["umount", "-l", disk], check=True)


def damaged(folder):
    fleet, spools = Fleet(), folder / "damaged"
    first, _ = run(folder, fleet, spools, lambda: time.sleep(0.7), all_up=False)
    for name in KINDS.values():
        segment = max((spools / name).glob("*.seg"), key=lambda path: path.stat().st_size)
        bytes_ = bytearray(segment.read_bytes())
        bytes_[len(bytes_.rstrip(b"\0")) // 2] ^= 0x55
        segment.write_bytes(bytes_)
    fleet.make("up")
    second, metrics = run(folder, fleet, spools, lambda: time.sleep(0.7), all_up=True)
    for kind, lost, waiting in check([first, second], fleet, "spool damaged"):
        assert not waiting and 1 <= lost.pop("spool_damaged") <= 3 and not lost, (kind, lost)
    check_lag(metrics)
    fleet.make("close")


def main():
    assert os.geteuid() == 0, "needs root"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        (folder / "spools").mkdir()
        (folder / "damaged").mkdir()
        outages(folder)
        full_disk(folder)
        damaged(folder)


main()
