# SPDX-License-Identifier: MIT
"""What the tests of this folder share: faults, tools and the program beside a workload."""
import os
import shutil
import subprocess
import sys
import time

SKIPPED = 77
START_SECONDS = 60

faults = []


def check(holds, what):
    if not holds:
        faults.append(what)
    return holds


def report(name):
    """Prints the faults; the exit status."""
    print(*[fault[:2000] for fault in faults], f"{name}: {len(faults)} faults", sep="\n")
    return 1 if faults else 0


def find(tool):
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def run(*command, stdin=subprocess.DEVNULL):
    return subprocess.run([str(part) for part in command], stdin=stdin, capture_output=True)


def start(program, kind, folder, rules):
    files = [open(folder / f"{kind}.{end}", "wb") for end in ("log", "err")]
    return subprocess.Popen([program, "-f", kind, "-r", rules], stdout=files[0], stderr=files[1])


def wait_for_start(running, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        if "reporting" in log.read_text():
            return
        time.sleep(0.05)
    sys.exit(f"the program did not start:\n{log.read_text()}")


def record(program, folder, rules, formats, work):
    """Runs the work while the program writes FORMAT.log for each format; returns what the work does."""
    running = []
    try:
        for kind in formats:
            running.append(start(program, kind, folder, rules))
            wait_for_start(running[-1], folder / f"{kind}.err")
        return work()
    finally:
        for each in running:
            each.terminate()
        for each in running:
            each.wait()
