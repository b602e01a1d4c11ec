#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a workload under auditd and under ebpf_telemetry -f audit with the same rule file, and compares the records.

usage: live_test.py PROGRAM [--keep FOLDER]

Exits with 77 where the kernel or auditd does not let it, or where an auditd runs already.
"""
import argparse
import collections
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from running import SKIPPED, check, find, record, report, run

HERE = pathlib.Path(__file__).resolve().parent
GROUP = "4242"
LEAST_CALLS = 70
LINE = re.compile(r"type=(\S+) msg=audit\((\d+\.\d+:\d+)\): ?(.*)")
FIELD = re.compile(r'([\w-]+)=("[^"]*"|\S*)')
# What README.md says that our records lack or have besides, and why.
COUNT_OF_PATHS = "items"
OURS_ALONE = {"user_memory", "called_path", "shared", "lexical", "missing"}
THEIRS_ALONE = {"subj", "obj", "rdev", "cap_fp", "cap_fi", "cap_fe", "cap_fver", "cap_frootid", "node"}
OF_FILES = ("inode", "dev", "mode", "ouid", "ogid")  # of a PATH, where the record has them
BIND, CONNECT, EXECVE, FTRUNCATE, FCHMOD, FCHOWN = "49", "42", "59", "77", "91", "93"
# auditd has a PATH for the file of a Unix socket, which we have in SOCKADDR alone, and none for the file that is truncated.
OTHER_PATHS = {BIND, CONNECT, EXECVE, FTRUNCATE}

CONFIG = """log_file = {folder}/auditd.log
log_format = RAW
flush = INCREMENTAL_ASYNC
freq = 50
max_log_file_action = IGNORE
space_left = 2
space_left_action = IGNORE
admin_space_left = 1
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
"""


def status_of(auditctl):
    return dict(line.split(" ", 1) for line in run(auditctl, "-s").stdout.decode().splitlines() if " " in line)


def control(tools, *options):
    done = run(tools["auditctl"], *options)
    if done.returncode != 0:
        raise RuntimeError(f"auditctl {' '.join(map(str, options))}: {done.stderr.decode()}")


@contextlib.contextmanager
def auditd(tools, folder):
    """The daemon, with its log in the folder, and the rules in the kernel."""
    (folder / "auditd.log").unlink(missing_ok=True)
    (folder / "auditd.conf").write_text(CONFIG.format(folder=folder))
    with open(folder / "auditd.err", "wb") as errors:
        daemon = subprocess.Popen([tools["auditd"], "-n", "-s", "disable", "-c", folder], stdout=errors, stderr=errors)
    try:
        for _ in range(250):
            if status_of(tools["auditctl"])["pid"] == str(daemon.pid):
                break
            time.sleep(0.02)
        for options in (["-D"], ["-b", "8192"], ["-R", HERE / "live.rules"], ["-e", "1"]):
            control(tools, *options)
        yield
    finally:
        # New processes are none of audit's from now on: the kernel gives them a slower way into calls otherwise.
        for options in (["-D"], ["-a", "task,never"], ["-e", "0"]):
            run(tools["auditctl"], *options)
        daemon.terminate()
        daemon.wait()


def run_workload():
    with tempfile.TemporaryDirectory(prefix="ebt_audit_live_", dir="/tmp") as folder:
        done = subprocess.run([sys.executable, HERE / "live_workload.py", folder, GROUP], stdin=subprocess.DEVNULL)
        check(done.returncode == 0, "the workload failed")
        time.sleep(0.5)


def calls_of(file):
    """The events with a SYSCALL record, by process, in order; each a list of fields by type of record."""
    events = {}
    for line in file.read_text(errors="surrogateescape").splitlines():
        if match := LINE.search(line):
            fields = dict(FIELD.findall(match[3].split("\x1d")[0]))
            events.setdefault(match[2], collections.defaultdict(list))[match[1]].append(fields)
    calls = collections.defaultdict(list)
    for records in events.values():
        if any(call.get("gid") == GROUP for call in records["SYSCALL"]):
            calls[records["SYSCALL"][0]["pid"]].append(records)
    return calls


def text_of(value):
    """A value that may be quoted or hexadecimal."""
    if value.startswith('"'):
        return value[1:-1]
    return bytes.fromhex(value).decode(errors="surrogateescape") if re.fullmatch("(?:[0-9A-F]{2})+", value) else value


def compare_fields(what, theirs, ours, ignored):
    for name in theirs.keys() | ours.keys():
        if name not in ignored and check(name in theirs and name in ours, f"{what}: {name} of {theirs} and {ours}"):
            check(theirs[name] == ours[name], f"{what}: {name} is {theirs[name]} and {ours[name]}")


def compare_paths(number, succeeded, theirs, ours):
    """Ours are absolute; auditd has the directory that a name is in as a record of its own."""
    named = [path for path in theirs if path.get("nametype") != "PARENT"]
    if number in (FCHMOD, FCHOWN):  # theirs has no name
        check(len(named) == len(ours) == 1 and ours[0]["name"] != "(null)", f"{number}: {theirs} and {ours}")
        named = []
    if number == EXECVE:  # theirs has the interpreters, too, and the name before it was resolved
        named = named[:1] if named and text_of(named[0]["name"]).split("/")[-1] == text_of(ours[0]["name"]).split("/")[-1] else []
    elif succeeded and number not in OTHER_PATHS | {FCHMOD, FCHOWN}:
        check(len(named) == len(ours), f"{number}: paths {theirs} and {ours}")
    for one, other in zip(named, ours):
        short, full = text_of(one["name"]), text_of(other["name"])
        what = f"PATH {full} of call {number}"
        check(full.endswith(short.removeprefix(".")) or number == EXECVE, f"{what}: auditd has {short}")
        if succeeded:  # what a call would have done to the name is not told otherwise
            check(one["nametype"] == other["nametype"], f"{what}: {one['nametype']} and {other['nametype']}")
        for name in OF_FILES:
            if name in other and name in one:
                check(one[name] == other[name], f"{what}: {name} is {one[name]} and {other[name]}")
    return len(named)


def compare_call(theirs, ours):
    number = theirs["SYSCALL"][0]["syscall"]
    what = f"call {number}"
    compare_fields(what, theirs["SYSCALL"][0], ours["SYSCALL"][0], OURS_ALONE | THEIRS_ALONE | {COUNT_OF_PATHS})
    for kind in ("EXECVE", "CWD"):
        for one, other in zip(theirs[kind], ours[kind]):
            compare_fields(f"{kind} of {what}", one, other, set())
    check(len(theirs["EXECVE"]) == len(ours["EXECVE"]), f"{what}: {theirs['EXECVE']} and {ours['EXECVE']}")
    check(len(theirs["CWD"]) <= len(ours["CWD"]), f"{what}: no CWD")
    check(len(theirs["SOCKADDR"]) == len(ours["SOCKADDR"]), f"{what}: {theirs['SOCKADDR']} and {ours['SOCKADDR']}")
    for one, other in zip(theirs["SOCKADDR"], ours["SOCKADDR"]):
        port = slice(4, 8) if number == BIND else slice(0, 0)  # theirs is what was asked for, ours what was given
        cut = [address["saddr"][:port.start] + address["saddr"][port.stop:] for address in (one, other)]
        check(cut[0] == cut[1], f"{what}: saddr {one['saddr']} and {other['saddr']}")
    return compare_paths(number, theirs["SYSCALL"][0]["success"] == "yes", theirs["PATH"], ours["PATH"])


def compare(theirs, ours):
    calls = paths = 0
    check(theirs.keys() == ours.keys(), f"processes {list(theirs)} and {list(ours)}")
    for pid in theirs:
        numbers = [[call["SYSCALL"][0]["syscall"] for call in side[pid]] for side in (theirs, ours)]
        if check(numbers[0] == numbers[1], f"process {pid}: calls {numbers[0]} and {numbers[1]}"):
            for one, other in zip(theirs[pid], ours[pid]):
                paths += compare_call(one, other)
                calls += 1
    check(calls >= LEAST_CALLS, f"only {calls} calls were compared")
    return calls, paths


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--keep", type=pathlib.Path, help="leave the files here")
    options = parser.parse_args()
    tools = {name: find(name) for name in ("auditd", "auditctl")}
    status = status_of(tools["auditctl"]) if tools["auditctl"] else {}
    reason = ("there is no auditd (package auditd)" if None in tools.values() else
              "this kernel has no audit" if "pid" not in status else
              "an auditd runs already" if status["pid"] != "0" else
              "the rules of this kernel are locked" if status["enabled"] == "2" else "")
    if reason:
        print(f"live_test.py: SKIPPED: {reason}")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ebt_audit_live_") as scratch:
        folder = options.keep or pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        with auditd(tools, folder):
            record(options.program, folder, HERE / "live.rules", ["audit"], run_workload)
            lost = int(status_of(tools["auditctl"])["lost"]) - int(status["lost"])
        check(lost == 0, f"auditd lost {lost} records")
        calls, paths = compare(calls_of(folder / "auditd.log"), calls_of(folder / "audit.log"))
        print(f"live_test.py: {calls} calls and {paths} paths are as auditd has them")
    return report("live_test.py")


if __name__ == "__main__":
    sys.exit(main())
