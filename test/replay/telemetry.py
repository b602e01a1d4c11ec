# SPDX-License-Identifier: MIT
"""The program under test, its events, and which of them an act made."""
import fnmatch
import json
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import time

START_SECONDS = 120
SETTLE_SECONDS = 1.5  # until the last event of the last act is written

SKIPPED = 77
SANDBOX_SECONDS = 100  # of all acts of a test

# What expectations call these fields.
SHORT = {
    "action": "event.action", "type": "event.type", "outcome": "event.outcome", "error": "error.code",
    "call": "linux.syscall.name", "path": "file.path", "from": "file.Ext.original.path", "key": "tags",
    "exe": "process.executable", "name": "process.name", "line": "process.command_line", "user": "user.id",
    "address": "destination.address", "port": "destination.port", "env": "process.env_vars", "mode": "file.mode",
}


class Telemetry:
    """A run of ebpf_telemetry; leaves with its events in `events`."""

    def __init__(self, program, rules=None):
        self.command = [program, "-f", "json", "--stats", "1"] + (["-r", str(rules)] if rules else [])
        self.events = []

    def __enter__(self):
        self.out, self.log = tempfile.NamedTemporaryFile(), tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen(self.command, stdout=self.out, stderr=self.log)
        deadline = time.monotonic() + START_SECONDS
        while "reporting" not in self.logged():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                sys.exit(f"the program did not start:\n{self.logged()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        time.sleep(SETTLE_SECONDS)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        lines = pathlib.Path(self.out.name).read_text().splitlines()
        self.events = sorted((json.loads(line) for line in lines), key=lambda event: event["@timestamp"])

    def logged(self):
        return pathlib.Path(self.log.name).read_text()

    def balance(self):
        """The last statistics, with what was lost."""
        return json.loads([line for line in self.logged().splitlines() if line.startswith("{")][-1])


def do(acts, agent):
    """Does acts in the sandbox; returns what it says of each."""
    done = subprocess.run(
        ["unshare", "--mount", "--uts", "--ipc", "--net", "--propagation", "private",
         sys.executable, str(pathlib.Path(__file__).with_name("sandbox.py"))],
        input=json.dumps({"agent": agent, "acts": acts}), capture_output=True, text=True, timeout=SANDBOX_SECONDS)
    if done.stderr.startswith("unshare:"):
        print(f"SKIPPED: no name spaces can be made here: {done.stderr.strip()}")
        sys.exit(SKIPPED)
    if done.returncode != 0:
        sys.exit(f"the sandbox failed:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_act(events, roots):
    """Events of each process in `roots` (its id to any name) and of all that descend from it."""
    act_of, found = dict(roots), {name: [] for name in roots.values()}
    for event in events:
        process = event.get("process", {})
        leader = process.get("session_leader", {}).get("pid")
        act = act_of.get(process.get("pid"), roots.get(leader))
        if act is None:
            continue
        found[act].append(event)
        child = event["linux"].get("process", {}).get("child", {}).get("pid")
        if child:
            act_of[child] = act
    return found


def values(event, field):
    """All values of a field as text, a constant's name where it has one."""
    inner = event
    for part in SHORT.get(field, field).split("."):
        if not isinstance(inner, dict) or part not in inner:
            return []
        inner = inner[part]
    return [str(value) for value in (inner if isinstance(inner, list) else [inner])]


def matches(event, expectation):
    """Whether an event has all that a line like `action=creation path=/etc/*` says."""
    for each in shlex.split(expectation):
        field, _, pattern = each.partition("=")
        if not any(fnmatch.fnmatchcase(value, pattern) for value in values(event, field)):
            return False
    return True


def nearest(events, expectation):
    """The event that has most of what was expected, for a report of what failed."""
    def score(event):
        return sum(matches(event, shlex.quote(each)) for each in shlex.split(expectation))
    best = max(events, key=score, default=None)
    if best is None:
        return "no event at all"
    fields = {name: values(best, name) for name in SHORT}
    fields |= {each.partition("=")[0]: values(best, each.partition("=")[0]) for each in shlex.split(expectation)}
    return " ".join(f"{name}={','.join(value)}" for name, value in fields.items() if value and name not in ("line",))
