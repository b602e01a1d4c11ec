#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does the screen keep up? `--top` on a pseudo-terminal while files are opened as often as asked: what was opened, counted and
lost, the CPU time that an event took of all threads, and how long after the last one the screen had all. Needs root and
pyte. Usage: /usr/bin/python3 pace.py EBPF_TELEMETRY [EVENTS_A_SECOND [SECONDS]]"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from terminal import Terminal

PROGRAM = sys.argv[1]
RATE = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 5
LOOP = ("import os, sys, time\npath, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])\n"
        "begin, count = time.monotonic(), 0\n"
        "while (passed := time.monotonic() - begin) < seconds:\n"
        "    for _ in range(min(500, int(passed * rate) - count)):\n"
        "        os.close(os.open(path, os.O_RDONLY))\n"
        "        count += 1\n"
        "    if count >= passed * rate - 1: time.sleep(0.0005)\n"
        "print(count)\n")


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    with tempfile.TemporaryDirectory() as name:
        opened, rules = pathlib.Path(name, "opened"), pathlib.Path(name, "rules")
        opened.touch()
        rules.write_text(f"openat path = {opened}\n")
        top = Terminal([PROGRAM, "--settings", "none", "-r", rules, "--top"])
        assert top.wait_for("PID"), top.text()
        before = cpu_of(top.pid)
        loops = [subprocess.Popen([sys.executable, "-c", LOOP, opened, str(RATE / 2), str(SECONDS)], stdout=subprocess.PIPE, text=True)
                 for _ in range(2)]
        while any(loop.poll() is None for loop in loops):
            top.read(0.1)
        end, count = time.monotonic(), sum(int(loop.communicate()[0]) for loop in loops)

        def shown():
            events = re.search(r"(\d+) events", top.text())
            lost = re.search(r"(\d+) lost", top.text())
            return (int(events.group(1)) if events else 0) + (int(lost.group(1)) if lost else 0)
        has_all = top.until(lambda: shown() >= count, 10)
        late, used = time.monotonic() - end, cpu_of(top.pid) - before
        top.keys("q", 1)
        top.close()
        balance = re.search(r"events: .*lost.*", top.raw.decode(errors="replace")).group(0).strip()
        print(f"{count / SECONDS:,.0f} opens a second, {count} in all; {used / count * 1e6:.2f} us of CPU an event; "
              + (f"all on the screen {late:.1f} s later" if has_all else f"the screen lacks {count - shown()}") + f"\n{balance}")
        sys.exit(0 if has_all else 1)


main()
