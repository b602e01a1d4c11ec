#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs workload.py in a container's cgroup under ebpf_telemetry, and checks each of its events.

usage: schema_test.py PROGRAM [--write]

Every field must be one of fields.json, which says how the Elastic Common Schema has it (file.Ext is the
endpoint's extension of it), or be under `linux`; its value must have that type. The first event of each
kind must have the fields, and the values that are the same everywhere, of events.json; --write makes
that file anew. Exits with 77 where no cgroup can be made.
"""
import argparse
import contextlib
import ctypes
import difflib
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

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "events.json"
SKIPPED = 77
CONTAINER = "ebec5" * 12 + "ebec"  # 64 digits, as Docker's ids have
POD = "kubepods", "pod0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
FOLDER = pathlib.Path("/tmp/ebt_ecs")
START_SECONDS = 60
OUTSIDE = "outside"

# What every machine says alike, the workload being what it is.
STABLE = re.compile(r"""event\.(?!id$) | data_stream\. | file\.(?!inode|device|gid|uid) | network\.(?!community_id$) | user\. | container\.
    | orchestrator\. | kubernetes\.
    | destination\.(address|ip)$ | source\.(address|ip)$ | process\.(exit_code|args_count)$ | .*\.entry_meta\.type$
    | linux\.socket\.family$ | linux\.syscall\.executed$""", re.VERBOSE)
# What depends on how the test was started: a terminal, a login, other load; and on the machine.
ANYHOW = re.compile(r"""linux\.audit\. | linux\.telemetry\. | linux\.process\.tty | process\.tty\. | host\. | agent\.id$
    | linux\.syscall\.args""", re.VERBOSE)


def is_ip(value):
    try:
        return bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def is_text(value):
    return isinstance(value, str) and value != ""


CHECKS = {
    "keyword": is_text,
    "constant_keyword": is_text,
    "wildcard": is_text,
    "ip": lambda value: is_text(value) and is_ip(value),
    "date": lambda value: is_text(value) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", value),
    "long": lambda value: type(value) is int,
    "boolean": lambda value: type(value) is bool,
}


def fields_of(value, name=""):
    """Pairs of a leaf's name and value; a list of values is one leaf."""
    for key, inner in value.items():
        full = f"{name}.{key}" if name else key
        if isinstance(inner, dict):
            yield from fields_of(inner, full)
        else:
            yield full, inner


def faults_of(event, schema):
    for name, value in fields_of(event):
        if name.startswith("linux."):
            continue
        if name not in schema:
            yield f"{name}: the schema has no such field"
            continue
        kind, is_list = schema[name].removesuffix("[]"), schema[name].endswith("[]")
        if is_list != isinstance(value, list):
            yield f"{name}: {value!r} is {'no' if is_list else 'a'} list"
        for each in value if isinstance(value, list) else [value]:
            # An empty argument is one all the same.
            if not CHECKS[kind](each) and not (name.endswith(".args") and each == ""):
                yield f"{name}: {each!r} is no {kind}"


def kind_of(event):
    about = event["event"]
    return " ".join(filter(None, [*about["category"], *about["type"], about["action"], about["outcome"],
                                  event.get("network", {}).get("type"), "" if is_contained(event) else OUTSIDE]))


def shape_of(event, schema):
    shape = {}
    for name, value in fields_of(event):
        if ANYHOW.match(name) or (name.startswith("process.entry_leader.") and not is_contained(event)):
            continue  # who let the test in is another's matter
        kind = schema.get(name, type(value).__name__)
        shape[name] = value if STABLE.match(name) else f"<{kind}>"
    return shape


def without_repetition(kinds):
    """What all kinds of the container have alike is written once."""
    shapes = [shape for kind, shape in kinds.items() if not kind.endswith(OUTSIDE)]
    common = {name: value for name, value in (shapes[0].items() if shapes else ())
              if all(shape.get(name) == value for shape in shapes)}
    return {"every event": common} | {
        kind: {name: value for name, value in shape.items() if common.get(name) != value}
        for kind, shape in kinds.items()}


def golden(kinds):
    """Where all of the machine is a container, nothing is outside."""
    all_kinds = json.loads(GOLDEN.read_text())
    if not any(kind.endswith(OUTSIDE) for kind in kinds):
        all_kinds = {kind: shape for kind, shape in all_kinds.items() if not kind.endswith(OUTSIDE)}
    return text_of(all_kinds)


def text_of(kinds):
    return json.dumps(kinds, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def make_cgroup():
    """Where the cgroup file systems are depends on the machine: any hierarchy will do."""
    root = pathlib.Path("/sys/fs/cgroup")
    for hierarchy in (root, root / "unified", root / "systemd", root / "pids"):
        folder = hierarchy.joinpath(*POD, "docker-" + CONTAINER)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / "cgroup.procs").exists():
                return folder
            remove_cgroup(folder)
        except OSError:
            continue
    return None


def remove_cgroup(folder):
    for each in (folder, *folder.parents[:len(POD)]):
        try:
            each.rmdir()
        except OSError:
            pass  # others are in it


def wait_for_start(program, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if "reporting" in pathlib.Path(log.name).read_text():
            return
        if program.poll() is not None:
            break
        time.sleep(0.05)
    sys.exit(f"schema_test.py: the program did not start:\n{pathlib.Path(log.name).read_text()}")


@contextlib.contextmanager
def filtered_process():
    """A process with a seccomp filter, as most machines have one. On a machine without, calls are not watched until
    the workload is traced, and whether that first call ran is then unknown."""
    def take_filter():
        libc = ctypes.CDLL(None, use_errno=True)
        allow = (ctypes.c_uint64 * 1)(0x7fff0000 << 32 | 6)  # BPF_RET | BPF_K, SECCOMP_RET_ALLOW
        program = (ctypes.c_uint64 * 2)(1, ctypes.addressof(allow))
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program):  # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP
            os._exit(1)
    with subprocess.Popen(["sleep", "600"], preexec_fn=take_filter) as process:
        try:
            yield
        finally:
            process.kill()


def record(program, cgroup):
    """The events of the workload."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with tempfile.NamedTemporaryFile() as events, tempfile.NamedTemporaryFile() as log, filtered_process():
        running = subprocess.Popen([program, "-f", "json", "-r", HERE / "workload.rules"], stdout=events, stderr=log)
        try:
            wait_for_start(running, log)
            for where, enter in (("contained", lambda: (cgroup / "cgroup.procs").write_text(str(os.getpid()))),
                                 (OUTSIDE, None)):
                subprocess.run(
                    [sys.executable, HERE / "workload.py", FOLDER, where], check=True, timeout=60,
                    stdin=subprocess.DEVNULL, preexec_fn=enter,
                    start_new_session=True)  # its leaders are in the events, whoever starts the test
        finally:
            running.terminate()
            running.wait()
            shutil.rmtree(FOLDER, ignore_errors=True)
        lines = pathlib.Path(events.name).read_text().splitlines()
        if not lines:
            sys.exit(f"schema_test.py: no events:\n{pathlib.Path(log.name).read_text()}")
    events = list(map(json.loads, lines))
    inside = [event for event in events if is_contained(event)]
    # The interpreter has calls of its own, until the workload makes its first file.
    paths = [event.get("file", {}).get("path") for event in inside]
    first = paths.index(str(FOLDER / "new.conf")) if str(FOLDER / "new.conf") in paths else 0
    return inside[first:] + [event for event in events if is_outside(event)]


def is_contained(event):
    return event.get("container", {}).get("id") == CONTAINER


def is_outside(event):
    """Of the second run, once it is in its folder."""
    about = event.get("process", {})
    return "container" not in event and about.get("working_directory") == str(FOLDER) and \
        OUTSIDE in [*about.get("args", []), *about.get("parent", {}).get("args", [])]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    cgroup = make_cgroup()
    if cgroup is None:
        print("schema_test.py: SKIPPED: no cgroup can be made here, so nothing can be in a container")
        return SKIPPED
    try:
        events = record(arguments.program, cgroup)
    finally:
        remove_cgroup(cgroup)

    schema = json.loads((HERE / "fields.json").read_text())
    faults = sorted({fault for event in events for fault in faults_of(event, schema)})
    kinds = {}
    for event in events:
        kinds.setdefault(kind_of(event), shape_of(event, schema))
    made = text_of(without_repetition(kinds))
    if arguments.write:
        GOLDEN.write_text(made)
    differences = list(difflib.unified_diff(golden(kinds).splitlines(), made.splitlines(), "events.json", "now",
                                            lineterm="", n=8))
    print(f"schema_test.py: {len(events)} events of {len(kinds)} kinds; {len(faults)} faults")
    print("\n".join([*faults, *differences]))
    return 1 if faults or differences else 0


if __name__ == "__main__":
    sys.exit(main())
