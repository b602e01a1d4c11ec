#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures how long lines of JSON are while a machine works, and fails where they are longer than they may be.

usage: size_test.py PROGRAM

Each of --fields is measured while a shell compiles a small file, lists /etc, searches /etc/pam.d and starts
Python. Figures are medians of the bytes of a line of calls that succeeded. What `host` takes is the machine's own, and
what `process.entry_leader` takes is that of whoever started the test, by up to 256 bytes of arguments: the bounds are for
lines that have 375 bytes of the one and nothing of the other.
"""
import collections
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BOUNDS = {("full", "openat"): 2600, ("full", "execve"): 3200, ("compact", "openat"): 900}
HOST_BYTES = 375
START_SECONDS = 60
ROUNDS = 2
GROUP = 60999  # of the work alone, whatever else the machine does
WORK = """
echo 'int main(void) { return 0; }' >small.c
gcc -o small small.c
./small
ls -l /etc >list
grep -r auth /etc/pam.d >found
/usr/bin/python3 -c 'import json'
"""


def record(program, fields, folder):
    """The lines of a run."""
    rules, events, log, work = (folder / name for name in ("rules", "events", "log", "work.sh"))
    work.write_text(WORK)
    rules.write_text(f"execve gid = {GROUP}\nopenat gid = {GROUP}\n")
    with open(events, "w") as out, open(log, "w") as err:
        running = subprocess.Popen([program, "-f", "json", "--fields", fields, "-r", rules], stdout=out, stderr=err)
        try:
            deadline = time.monotonic() + START_SECONDS
            while "reporting" not in log.read_text():
                if running.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"size_test.py: the program did not start:\n{log.read_text()}")
                time.sleep(0.05)
            for _ in range(ROUNDS):
                subprocess.run(["sh", work.name], cwd=folder, group=GROUP, check=True, timeout=60,
                               start_new_session=True, stdin=subprocess.DEVNULL,
                               env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
        finally:
            running.terminate()
            running.wait()
    return events.read_text().splitlines()


def bytes_of(parent, name):
    """What a member of an object takes in a line, with its name and two braces or commas."""
    if name not in parent:
        return 0
    return len(json.dumps({name: parent[name]}, separators=(",", ":"), ensure_ascii=False).encode())


def length_of(line, event):
    """In bytes, with the line end, with a host of HOST_BYTES and without an entry leader."""
    size = len(line.encode()) + 1 - bytes_of(event["process"], "entry_leader")
    return size + HOST_BYTES - bytes_of(event, "host") if "host" in event else size


def medians(lines):
    """By call, of the lines of calls that succeeded: how many, and how long."""
    sizes = collections.defaultdict(list)
    for line in lines:
        event = json.loads(line)
        about = event["event"]
        if about["outcome"] == "success" and about.get("category") in (["file"], ["process"]):
            sizes["execve" if about["action"] == "exec" else "openat"].append(length_of(line, event))
    return {call: (len(each), statistics.median(each)) for call, each in sizes.items()}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    faults = 0
    for fields in ("full", "rules", "compact"):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ebt_sizes."))
        try:
            for call, (number, size) in sorted(medians(record(sys.argv[1], fields, folder)).items()):
                bound = BOUNDS.get((fields, call))
                print(f"{fields:8} {call}: {size:5.0f} bytes, {number} lines" + (f", at most {bound}" if bound else ""))
                faults += bound is not None and (number < 2 * ROUNDS or size > bound)
        finally:
            shutil.rmtree(folder)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
