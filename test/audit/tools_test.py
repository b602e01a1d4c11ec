#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Gives the audit records of a real run to ausearch, aureport and LAUREL.

usage: tools_test.py PROGRAM [--keep FOLDER]

Exits with 77 where one of the tools is not installed.
"""
import argparse
import collections
import datetime
import ipaddress
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

from running import SKIPPED, check, find, record, report, run

HERE = pathlib.Path(__file__).resolve().parent
ECS = HERE.parent / "ecs"
FOLDER = pathlib.Path("/tmp/ebt_ecs")  # that the rules of the workload name
FORMATS = ("audit", "audit-enriched", "json")
STAMP = re.compile(rb"msg=audit\((\d+\.\d{3}:\d+)\):")
ROUNDS = 2500  # of four calls each
CALLS = 4
# Of each kind a search has to look at, so that all of the tools' parsers run.
SEARCHES = (["-p", "1"], ["-pp", "1"], ["-ui", "0"], ["-ue", "0"], ["-gi", "0"], ["-ge", "0"], ["-ul", "0"],
            ["--session", "1"], ["-x", "/bin/true"], ["-c", "true"], ["-f", "/tmp"], ["-hn", "127.0.0.1"],
            ["-tm", "pts0"], ["-sv", "yes"], ["-e", "0"], ["-k", "none"], ["-sc", "openat"], ["--arch", "x86_64"])
REPORTS = ("", "-e", "-f", "-h", "-p", "-s", "-tm", "-u", "-x", "-n", "-k", "--comm", "-x --summary", "-f --summary")
# Unknown to the tools' searches, as auditd's own records of these types are.
UNPARSED = {"1316", "1320", "1209", "1336"}

def run_workload():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    try:
        leader = subprocess.Popen([sys.executable, ECS / "workload.py", FOLDER, "contained"], stdin=subprocess.DEVNULL,
                                  start_new_session=True)
        check(leader.wait(60) == 0, "the workload failed")
        os.spawnv(os.P_WAIT, "/bin/true", ["true", "x" * 20000, "two words", "a\nb\x1d\"", ""])
        time.sleep(0.2)
        return leader.pid
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


def run_calls():
    """Many calls, on names that would break a record if anything could."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ebt_audit_", dir="/tmp"))
    names = [b"plain", b"two words", b"new\nline type=SYSCALL msg=audit(1.000:1): a0=1", b"\x1dUID=\"root\"", b"\"quote\"",
             b"type=PARENT", b"\xff\xfe\x80", b"it's", b"x" * 255, b"\x01" * 255]
    for i in range(ROUNDS):
        name = os.fsencode(folder) + b"/" + names[i % len(names)]
        os.mkdir(name)
        os.rename(name, name[:-1] + b"2")
        os.chmod(name[:-1] + b"2", 0o700)
        os.rmdir(name[:-1] + b"2")
    time.sleep(0.2)
    shutil.rmtree(folder)
    return folder


def stamps_of(file):
    """The events of a file, in order."""
    return list(dict.fromkeys(STAMP.findall(file.read_bytes())))


def check_quiet(done, what):
    """Types that a search does not look into are no complaint."""
    noise = re.sub(rb"Unparsed type:(\d+)\n - skipped", lambda match: b"" if match[1].decode() in UNPARSED else match[0],
                   done.stderr)
    noise = noise.replace(b"<no matches>", b"").strip()
    check(noise == b"", f"{what} complained: {noise[:500]}")
    check(done.returncode == (0 if done.stdout.replace(b"<no matches>\n", b"") else 1), f"{what} ended with {done.returncode}")


def try_ausearch(tool, file, stamps, searches):
    """It takes every line and every event."""
    for options in (["-i"], ["--format", "csv"], ["--format", "text"]):
        done = run(tool, *options, "-if", file)
        check_quiet(done, f"ausearch {' '.join(options)} on {file.name}")
        if options == ["-i"]:
            shown = done.stdout.count(b"----\n")
            check(shown == len(stamps), f"ausearch -i has {shown} events of the {len(stamps)} of {file.name}")
    done = run(tool, "--raw", "-if", file)
    check_quiet(done, f"ausearch --raw on {file.name}")
    given = collections.Counter(file.read_bytes().splitlines())
    # Where records of an event have names, it ends those that have none with the byte 0x1d too.
    taken = collections.Counter(line.removesuffix(b"\x1d") for line in done.stdout.splitlines())
    lost = [line for line in given - taken if not line.startswith(b"type=EOE")]
    check(not lost, f"ausearch --raw lacks {len(lost)} lines of {file.name}, such as {lost[:1]}")
    check(not taken - given, f"ausearch --raw made up lines: {list(taken - given)[:1]}")
    for search in searches:
        check_quiet(run(tool, "--debug", "--raw", *search, "-if", file), f"ausearch {' '.join(search)} on {file.name}")


def found(tool, file, *search):
    done = run(tool, "--raw", *search, "-if", file)
    return len(set(STAMP.findall(done.stdout)))


def try_aureport(tool, file, stamps):
    for report in REPORTS:
        done = run(tool, *report.split(), "-if", file)
        noise = done.stderr.strip()
        check(noise == b"", f"aureport {report} on {file.name} complained: {noise[:500]}")
        if report == "":
            number = int(re.search(rb"Number of events: (\d+)", done.stdout)[1])
            check(number == len(stamps), f"aureport has {number} events of the {len(stamps)} of {file.name}")


def try_laurel(tool, file, stamps, folder):
    """Its events by their stamps."""
    config = folder / "laurel.toml"
    config.write_text(f'directory = "{folder}"\n[auditlog]\nfile = "-"\n[transform]\nexecve-argv = [ "array" ]\n'
                      '[translate]\nuniversal = false\nuser-db = false\n[enrich]\npid = false\n')
    with open(file, "rb") as lines:
        done = run(tool, "-c", config, stdin=lines)
    log = done.stderr.decode(errors="replace")
    check(done.returncode == 0, f"laurel ended with {done.returncode}: {log[:500]}")
    check(re.search(r"processed \d+ lines \d+ events with 0 errors", log), f"laurel complained: {log[:500]}")
    events = {event["ID"]: event for event in map(json.loads, done.stdout.decode().splitlines())}
    check(len(events) == len(stamps), f"laurel has {len(events)} events of the {len(stamps)} of {file.name}")
    return events


def decoded(value):
    """LAUREL writes bytes beyond ASCII, and some others, like in a URL."""
    return urllib.parse.unquote(value, errors="surrogateescape") if isinstance(value, str) else value


def process_tree(events, leader):
    """The processes that the leader began, by their forks."""
    pids = {leader}
    for event in events:
        if event["process"]["pid"] in pids and event["event"]["action"] == "fork":
            pids.add(event["linux"]["process"]["child"]["pid"])
    return pids


def from_json(event):
    """What both forms say of a call."""
    call, process = event["linux"]["syscall"], event["process"]
    paths = [each.get("path") for each in call.get("paths", [])] or [event.get("file", {}).get("path")]
    return {
        "syscall": call["nr"], "exit": call.get("ret"), "ppid": process["parent"]["pid"], "comm": process["thread"]["name"],
        "exe": process.get("executable"), "uid": int(process["real_user"]["id"]), "euid": int(process["user"]["id"]),
        "suid": int(process.get("saved_user", process["user"])["id"]), "gid": int(process["real_group"]["id"]), "cwd": process.get("working_directory"),
        "paths": [path for path in paths if path],
        "argv": process.get("args") if call["name"] == "execve" and call.get("ret") == 0 else None,
        "addresses": [event[end]["ip"] for end in ("source", "destination") if event.get(end, {}).get("ip")],
        "time": event["@timestamp"],
    }


def ip_of(record):
    saddr = decoded(record["saddr"]).encode("utf-8", errors="surrogateescape")
    if saddr.startswith(b"\x02\0"):
        return str(ipaddress.ip_address(saddr[4:8]))
    return str(ipaddress.ip_address(saddr[8:24])) if saddr.startswith(b"\x0a\0") else None


def from_laurel(event):
    call = event["SYSCALL"]
    return {
        "syscall": call["syscall"], "exit": call.get("exit"), "ppid": call["ppid"], "comm": decoded(call["comm"]),
        "exe": decoded(call["exe"]), "uid": call["uid"], "euid": call["euid"], "suid": call["suid"], "gid": call["gid"],
        "cwd": decoded(event.get("CWD", {}).get("cwd")),
        "paths": [decoded(path["name"]) for path in event.get("PATH", []) if path["name"]],
        "argv": [decoded(argument) for argument in event["EXECVE"]["ARGV"]] if "EXECVE" in event else None,
        "addresses": [address for address in map(ip_of, event.get("SOCKADDR", [])) if address],
        "time": event["ID"],
    }


def seconds_of(time_text):
    if "T" in time_text:
        moment = datetime.datetime.fromisoformat(time_text[:26] + "+00:00")
        return moment.timestamp()
    return float(time_text.split(":")[0])


def compare(events, laurel, leader):
    """The calls of the workload, process by process, in the order that they came in."""
    pids = process_tree(events, leader)
    expected, made = collections.defaultdict(list), collections.defaultdict(list)
    for event in events:
        if event["process"]["pid"] in pids and "syscall" in event["linux"]:
            expected[event["process"]["pid"]].append(from_json(event))
    for event in laurel.values():
        if "SYSCALL" in event and event["SYSCALL"]["pid"] in pids:
            made[event["SYSCALL"]["pid"]].append(from_laurel(event))
    compared = 0
    for pid in pids:
        ours, theirs = expected[pid], made[pid]
        if not check([call["syscall"] for call in ours] == [call["syscall"] for call in theirs],
                     f"process {pid}: calls {[call['syscall'] for call in ours]} and {[call['syscall'] for call in theirs]}"):
            continue
        for one, other in zip(ours, theirs):
            late = abs(seconds_of(one.pop("time")) - seconds_of(other.pop("time")))
            check(late < 0.1, f"process {pid}: a call {late} s away")
            # JSON has both ends of a socket, the record that which the call is about.
            ends, named = one.pop("addresses"), other.pop("addresses")
            check(set(named) <= set(ends) and (named != []) == (ends != []), f"process {pid}: {ends} is {named} in {one}")
            check(one == other, f"process {pid}: {one} is {other}")
            compared += 1
    check(compared > 40, f"only {compared} calls of the workload were compared")
    return compared


def try_tools(tools, file, folder, searches=SEARCHES):
    stamps = stamps_of(file)
    longest = max(map(len, file.read_bytes().splitlines()), default=0)
    check(longest < 8970, f"a record of {longest} bytes in {file.name}")
    try_ausearch(tools["ausearch"], file, stamps, searches)
    try_aureport(tools["aureport"], file, stamps)
    laurel = try_laurel(tools["laurel"], file, stamps, folder) if tools["laurel"] else {}
    return stamps, laurel


def test_workload(program, tools, folder):
    leader = record(program, folder, ECS / "workload.rules", FORMATS, run_workload)
    events = [json.loads(line) for line in (folder / "json.log").read_text().splitlines()]
    for kind in FORMATS[:2]:
        file = folder / f"{kind}.log"
        stamps, laurel = try_tools(tools, file, folder)
        check(found(tools["ausearch"], file, "-x", "/usr/bin/true") + found(tools["ausearch"], file, "-x", "/bin/true") > 0,
              f"ausearch -x finds no /bin/true in {file.name}")
        check(found(tools["ausearch"], file, "-f", FOLDER / "renamed.so") >= 3, f"ausearch -f finds too few in {file.name}")
        check(found(tools["ausearch"], file, "-hn", "127.0.0.1") >= 3, f"ausearch -hn finds too few in {file.name}")
        check(found(tools["ausearch"], file, "-p", leader) > 30, f"ausearch -p finds too few in {file.name}")
        compared = compare(events, laurel, leader) if laurel else "no"
        print(f"tools_test.py: workload, {kind}: {len(stamps)} events; {compared} calls compared with JSON")


def test_stream(program, tools, folder):
    rules = folder / "calls.rules"
    keys = {"mkdir": "", "rename": "key renamed", "chmod": 'key "mode changed"', "rmdir": ""}
    rules.write_text("".join(f"{call} path ^ /tmp/ebt_audit_ {key}\n" for call, key in keys.items()))
    record(program, folder, rules, FORMATS[:2], run_calls)
    for kind in FORMATS[:2]:
        file = folder / f"{kind}.log"
        stamps, _ = try_tools(tools, file, folder, searches=(["-f", "/tmp"], ["-x", "/bin/true"], ["-k", "none"]))
        calls = sum(found(tools["ausearch"], file, "-m", "SYSCALL", "-sc", call) for call in ("mkdir", "rename", "chmod"))
        check(calls == 3 * ROUNDS + 1, f"ausearch -sc finds {calls} of {3 * ROUNDS + 1} calls in {file.name}")
        for key in ("renamed", "mode changed"):
            keyed = found(tools["ausearch"], file, "-k", key)
            check(keyed == ROUNDS, f"ausearch -k finds {keyed} of {ROUNDS} calls in {file.name}")
        # The folder is made and removed, too.
        check(len(stamps) == CALLS * ROUNDS + 2, f"{len(stamps)} events of {CALLS * ROUNDS + 2} calls")
        print(f"tools_test.py: stream, {kind}: {len(stamps)} events, {file.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--keep", type=pathlib.Path, help="leave the files here")
    options = parser.parse_args()
    tools = {name: find(name) for name in ("ausearch", "aureport", "laurel")}
    missing = [name for name, path in tools.items() if path is None]
    if {"ausearch", "aureport"} & set(missing):
        print(f"tools_test.py: SKIPPED: there is no {' and no '.join(missing)} (packages auditd and laurel)")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ebt_audit_tools_") as scratch:
        folder = options.keep or pathlib.Path(scratch)
        for name, test in (("workload", test_workload), ("stream", test_stream)):
            part = folder / name
            part.mkdir(parents=True, exist_ok=True)
            test(options.program, tools, part)
    status = report("tools_test.py")
    if status == 0 and missing:
        print("tools_test.py: SKIPPED: there is no laurel (package laurel)")
        return SKIPPED
    return status


if __name__ == "__main__":
    sys.exit(main())
