#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`ebpf_telemetry top` and `--top` on a pseudo-terminal: what the screen shows against the events, keys, hostile names, and how
fast recorded events are read. Needs root. Usage: top_test.py EBPF_TELEMETRY"""
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "report"))
import generate
from terminal import Terminal

PROGRAM = sys.argv[1]
SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="top-"))
failures = 0


def check(what, is_so, seen=""):
    global failures
    if not is_so:
        failures += 1
        print(f"FAILED: {what}\n{seen}")


def events_of(path):
    lines = [json.loads(line) for line in open(path, encoding="utf-8")]
    return [line for line in lines if line["event"]["kind"] == "event"]


def check_tables():
    """What is printed, and what is read of recorded lines."""
    path = SCRATCH / "events.json"
    events = events_of(path)
    printed = subprocess.run([PROGRAM, "top", "-f", "json", path], capture_output=True, text=True, check=True).stdout
    activity = json.loads(printed)["activity"]
    check("the number of events", activity["events"] == len(events), activity["events"])
    check("failures", activity["failed"] == sum(event["event"]["outcome"] == "failure" for event in events))
    check("bytes", activity["bytes"] == sum(len(line) for line in open(path, "rb") if b'"kind": "event"' in line))
    for name, key in (("calls", lambda e: e["event"]["code"]), ("users", lambda e: e["process"]["user"]["name"]),
                      ("executables", lambda e: e["process"]["executable"]), ("containers", lambda e: e.get("container", {}).get("id", "(none)")),
                      ("rules", lambda e: "key " + e["tags"][0] if e.get("tags") else "(no key)")):
        wanted = collections.Counter(map(key, events))
        seen = {row["name"]: row["events"] for row in activity[name] if row["name"] is not None}
        check(f"table of {name}", seen == dict(wanted.most_common(10)) or (len(wanted) > 10 and all(wanted[n] == c for n, c in seen.items())),
              f"{seen} {wanted.most_common(12)}")
        check(f"sum of {name}", sum(row["events"] for row in activity[name]) == len(events))
    text = subprocess.run([PROGRAM, "top", path], capture_output=True, text=True, check=True).stdout
    check("the text has a row for each table", all(f"by {name}:" in text for name in ("executable", "user", "container", "call", "rule")), text)
    (SCRATCH / "bad.json").write_text("[" * 200000 + "\n{}\nno\n" + path.read_text().split("\n", 1)[0] + "\n")
    bad = subprocess.run([PROGRAM, "top", SCRATCH / "bad.json"], capture_output=True, text=True)
    check("lines that are no events are told", bad.returncode == 1 and "line 1" in bad.stderr and "warning" in bad.stderr, bad.stderr)
    check("a missing file", subprocess.run([PROGRAM, "top", "/no/file"], capture_output=True).returncode == 2)


def check_screen():
    events = events_of(SCRATCH / "events.json")
    calls = collections.Counter(event["event"]["code"] for event in events)
    top = Terminal([PROGRAM, "top", SCRATCH / "events.json"])
    check("the screen counts all", top.wait_for(f"{len(events)} events"), top.text())
    top.keys("5")
    def rows():
        return [line for line in top.lines()[4:-1] if line]
    def names():
        return [row.split()[-1] for row in rows()]
    name, count = calls.most_common(1)[0]
    check("calls in order", top.until(lambda: rows()[0].split()[::len(rows()[0].split()) - 1] == [str(count), name]), top.text())
    top.keys("n")
    check("calls by name", top.until(lambda: names() == sorted(calls)), top.text())
    top.keys("/conn\r")
    check("the filter", top.until(lambda: names() == ["connect"]), top.text())
    top.keys("\x1b", 0.6)
    top.keys("1e")
    check("processes", top.until(lambda: "PID" in top.lines()[3]), top.text())
    top.keys("t")
    def is_tree():
        shown = [row[68:] for row in rows()]
        return shown[0].strip() == "systemd" and any(one.startswith("   ") for one in shown[1:])
    check("the tree begins at the root", top.until(is_tree), top.text())
    top.keys("\x1b[B", 0.3)
    top.keys("\r")  # follows the second process
    check("following", top.until(lambda: "following" in top.lines()[2]), top.text())
    followed = [int(line[34:42]) for line in rows()]
    parents = {}
    for event in events:
        if parent := event["process"].get("parent"):
            parents[event["process"]["pid"]] = parent["pid"]
    def descends(pid):
        while pid is not None and pid != followed[0]:
            pid = parents.get(pid)
        return pid is not None
    check("those that are followed descend from it", followed and all(descends(pid) for pid in followed), top.text())
    top.keys("\r")
    top.keys("?")
    check("help", top.wait_for("in order of events"), top.text())
    top.keys(" ")
    top.resize(60, 12)
    check("a small terminal", top.until(lambda: "events" in top.lines()[1] and "q end" in top.lines()[11]), top.text())
    top.keys("q")
    check("the end", top.close() == 0)
    check("the terminal is given back", b"\x1b[?1049l" in top.raw[-200:], top.raw[-200:])


def check_hostile():
    top = Terminal([PROGRAM, "top", SCRATCH / "hostile.json"])
    check("hostile names are shown", top.wait_for("events"), top.text())
    for key in "123456t":
        top.keys(key, 0.2)
    top.keys("2")
    top.until(lambda: "EXECUTABLE" in top.lines()[3])
    shown = top.text()
    check("an escape sequence is escaped", r"\x1b]0;owned" in shown or r"\u{" in shown, shown)
    check("none reaches the terminal", b"\x1b]0;" not in top.raw and b"\x07" not in top.raw and "\u202e".encode() not in top.raw)
    check("nothing stands where a column is not", all(line[:1] in (" ", ">") for line in top.lines()[4:-1] if line), shown)
    top.keys("\x03")
    check("Ctrl-C ends it", top.close() == 0)


def check_live():
    top = Terminal([PROGRAM, "--settings", "none", "--top", "-o", SCRATCH / "live.json", "-f", "json"], env={"TERM": "of-no-kind"})
    check("an unknown terminal does", top.wait_for("PID"), top.text())
    for _ in range(30):
        subprocess.run(["/bin/cat", "/etc/shadow"], stdout=subprocess.DEVNULL, check=False)
    check("live processes", top.wait_for("cat", 8), top.text())
    top.keys("6")
    check("live rules, with their lines", top.wait_for("built-in rules:", 8), top.text())
    top.keys("a", 0.5)
    top.keys("q", 1)
    check("it ends", top.close() == 0, top.text())
    check("the balance is printed afterwards", b'"emitted":' in top.raw, top.raw[-600:])
    count = sum(b'"kind":"event"' in line.replace(b": ", b":") for line in open(SCRATCH / "live.json", "rb"))
    check("events went to the file meanwhile", count >= 30, count)
    refused = subprocess.run([PROGRAM, "--top"], capture_output=True, text=True)
    check("without a terminal it says so", refused.returncode == 2 and "--summary" in refused.stderr, refused.stderr)


def check_first_lines():
    """What a person is told when a run begins, and a service is not."""
    rules = SCRATCH / "quiet.rules"
    rules.write_text("unlink path = /no/such/file\n")
    arguments = [PROGRAM, "--settings", "none", "-r", rules]
    run = Terminal(arguments)
    check("the first lines", run.wait_for("reporting"), run.text())
    told = " ".join(run.text().split())
    check("what, where to and how to narrow it", all(word in told for word in ("Reported: what the rules of", "Goes to: this screen as brief", "Too much: -r")), told)
    run.keys("\x03")
    check("Ctrl-C ends a run", run.close() == 0)
    piped = subprocess.run([*arguments, "--duration", "0.1"], capture_output=True, text=True)
    check("nobody looks", piped.returncode == 0 and "Reported:" not in piped.stderr, piped.stderr)


def check_summary():
    rules = SCRATCH / "two.rules"
    rules.write_text("# two rules\nopenat path = /etc/shadow key S\nopenat path = /etc/hostname\n")
    run = subprocess.Popen([PROGRAM, "--settings", "none", "-r", rules, "-q", "-f", "json", "--summary=1", "--duration", "3.5"], stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    for _ in range(7):
        open("/etc/hostname", encoding="utf-8").close()
    for _ in range(3):
        open("/etc/shadow", encoding="utf-8").close()
    lines = [json.loads(line)["activity"] for line in run.communicate()[1].splitlines() if line.startswith('{"activity"')]
    rows = {row["name"]: row["events"] for row in lines[-1]["rules"] if row["name"]}
    check("events by rule", rows.get(f"{rules}:3") == 7 and rows.get(f"{rules}:2 key S") == 3, rows)
    check("tables at an interval, and of all at the end", len(lines) >= 3 and sum(line["events"] for line in lines[:-1]) <= lines[-1]["events"], lines)


def check_speed():
    path = SCRATCH / "many.json"
    line = max(open(SCRATCH / "events.json", encoding="utf-8"), key=len)
    more = json.loads(line)
    more["linux"]["syscall"] = {"args": {f"a{i}": "0x7ffd00000000" for i in range(6)}, "padding": "x" * 2500}
    with open(path, "w", encoding="utf-8") as out:
        text = json.dumps(more) + "\n"
        for _ in range(20):
            out.write(text * 1000)
    before = os.times()
    subprocess.run([PROGRAM, "top", "-f", "json", path], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"20,000 recorded events of {len(text)} bytes take {seconds:.2f} s of a CPU")
    check("recorded events are read in time", seconds < 0.2 * float(os.environ.get("EBT_REPORT_PATIENCE", "1")), seconds)


try:
    generate.write(SCRATCH / "events.json", 3000)
    generate.write(SCRATCH / "hostile.json", 1000, hostile=True)
    for part in (check_tables, check_screen, check_hostile, check_live, check_first_lines, check_summary, check_speed):
        begun = time.monotonic()
        part()
        print(f"{part.__name__}: {time.monotonic() - begun:.1f} s")
    print(f"top_test.py: {failures} failures")
    sys.exit(1 if failures else 0)
finally:
    shutil.rmtree(SCRATCH)
