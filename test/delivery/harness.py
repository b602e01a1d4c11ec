# SPDX-License-Identifier: MIT
"""What the tests of deliveries have in common: the program, calls with numbers, and what became of them."""
import atexit
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import time

USER = 60000 + os.getpid() % 5000  # whose calls are reported, and nobody else's


def ends_with_test(process):
    """A test that fails leaves nothing behind."""
    atexit.register(lambda: process.poll() is None and process.kill())
    return process


def start(program, folder, outputs, log, rules=f"getpgid uid = {USER} key mine\n", options=()):
    """The program, once it reports, with the text of an outputs file."""
    (folder / "rules").write_text(rules)
    (folder / "outputs.conf").write_text(outputs)
    process = ends_with_test(subprocess.Popen(
        [program, "-c", "none", "-r", folder / "rules", "-q", "-f", "json", "--no-witness", "--output-config",
         folder / "outputs.conf", *options], stdout=subprocess.DEVNULL, stderr=log))
    end = time.monotonic() + 60
    while b"reporting" not in pathlib.Path(log.name).read_bytes():
        assert process.poll() is None and time.monotonic() < end, pathlib.Path(log.name).read_text()
        time.sleep(0.02)
    return process


def call(stop):
    """Calls with the numbers from 1 on until it is to stop, and prints how often; the first is made when this returns."""
    code = ("import os, sys, time\nos.setuid(%d)\nn = 0\n"
            "while not os.path.exists(sys.argv[1]):\n"
            "    for _ in range(20):\n"
            "        n += 1\n"
            "        try: os.getpgid(n)\n"
            "        except OSError: pass\n"
            "    if n == 20: print('calling', flush=True)\n"
            "    time.sleep(0.01)\nprint(n)\n") % USER
    caller = ends_with_test(subprocess.Popen([sys.executable, "-c", code, stop], stdout=subprocess.PIPE, text=True))
    assert caller.stdout.readline() == "calling\n"
    return caller


def numbers_by_run(lines):
    """Those of the calls that are there, and the causes of losses that are reported."""
    numbers, causes = collections.defaultdict(set), set()
    for line in set(lines):
        event = json.loads(line)
        if event["event"]["action"] == "loss":
            causes.add(re.search('"cause":"([^"]*)"', line).group(1))
        elif "args" in event.get("linux", {}).get("syscall", {}):
            numbers[event["agent"]["ephemeral_id"]].add(int(event["linux"]["syscall"]["args"]["pid"]))
    return numbers, causes


def without_checkpoints(lines):
    """Each output has its own."""
    return [line for line in lines if '"action":"checkpoint"' not in line]


def summary_of(log):
    """The last one that the program wrote."""
    return [json.loads(line) for line in pathlib.Path(log).read_text().splitlines() if line[0] == "{"][-1]


def report_of(summary, name):
    return next(output for output in summary["outputs"] if output["name"] == name)


def wait_for_all(metrics):
    """Until nothing waits any more, by a page that was written after the last call."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        time.sleep(1.5)
        if not any(map(float, re.findall(r"output_waiting_events\{[^}]*\} (\S+)", metrics.read_text()))):
            return
