#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Replays the techniques of techniques/*.toml under the default rules, and looks for the events of each.

usage: replay_test.py PROGRAM [--only TEXT] [--rules FILE] [--events FILE]
       replay_test.py --write

Each is done twice, by a command and by a script's own calls, in name spaces and on copies of folders that end with
the test (sandbox.py). The table says what was seen; what was not is named below it, with the nearest event.
The techniques must be in the table of rules/README.md; --write puts them there.
"""
import argparse
import json
import pathlib
import re
import shlex
import sys
import tomllib

from telemetry import Telemetry, by_act, do, matches, nearest

HERE = pathlib.Path(__file__).resolve().parent
README = HERE.parents[1] / "rules" / "README.md"
TABLE = re.compile("(?<=<!-- techniques -->\n).*?(?=<!-- end of techniques -->)", re.DOTALL)
WAYS = ("command", "script")
LEAST = 60


def load(only):
    found = []
    for file in sorted((HERE / "techniques").glob("*.toml")):
        for technique in tomllib.loads(file.read_text())["technique"]:
            unknown = set(technique) - {"id", "name", "expect", *WAYS}
            missing = {"id", "name", "expect", *WAYS} - set(technique)
            if unknown or missing or not technique["expect"]:
                sys.exit(f"{file.name}: {technique.get('name')}: needs {missing or 'an expectation'}, "
                         f"and does not know {unknown or 'nothing'}")
            found.append(technique)
    return [technique for technique in found if only in f"{technique['id']} {technique['name']}"]


def table(techniques):
    """Technique, rule and event, as rules/README.md has them."""
    lines = ["| technique | act | rule | event |", "|---|---|---|---|"]
    for technique in techniques:
        tests = [dict(each.split("=", 1) for each in shlex.split(line)) for line in technique["expect"]]
        keys = dict.fromkeys(f"`{test['key']}`" for test in tests if "key" in test)
        events = [" ".join(test[name] for name in ("action", "call", "path", "exe", "address", "env") if name in test)
                  for test in tests]
        lines.append(f"| {technique['id']} | {technique['name']} | {', '.join(keys)} | "
                     + ", ".join(f"`{event}`" for event in dict.fromkeys(events)) + " |")
    return "\n".join(lines) + "\n"


def replay(techniques, agent):
    """Does all acts; returns what the sandbox says of each."""
    acts = [{"name": f"{index}.{way}", way: technique[way]}
            for index, technique in enumerate(techniques) for way in WAYS]
    return do(acts, agent)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", nargs="?")
    parser.add_argument("--write", action="store_true", help="write the table of rules/README.md")
    parser.add_argument("--only", default="", help="techniques whose number or name has this text")
    parser.add_argument("--rules", help="other rules than the default ones")
    parser.add_argument("--events", help="keep the events in this file")
    arguments = parser.parse_args()

    techniques = load(arguments.only)
    if arguments.write:
        README.write_text(TABLE.sub(lambda _: table(load("")), README.read_text()))
        return 0
    with Telemetry(arguments.program, arguments.rules) as telemetry:
        done = replay(techniques, telemetry.process.pid)
    if arguments.events:
        pathlib.Path(arguments.events).write_text("".join(json.dumps(event) + "\n" for event in telemetry.events))
    events = by_act(telemetry.events, {each["pid"]: each["name"] for each in done})
    ends = {each["name"]: each for each in done}

    faults = []
    for index, technique in enumerate(techniques):
        seen = {}
        for way in WAYS:
            of_way, end = events[f"{index}.{way}"], ends[f"{index}.{way}"]
            missing = [text for text in technique["expect"] if not any(matches(event, text) for event in of_way)]
            seen[way] = "NOT SEEN" if missing else "seen"
            who = f"{technique['id']} {technique['name']}, by {way}"
            faults += [f"{who}: no event with {text}\n    nearest of {len(of_way)}: {nearest(of_way, text)}"
                       + (f"\n    it said: {end['said']}" if end["said"] else "") for text in missing]
            if end["status"] is None:
                faults.append(f"{who}: did not end in time")
        print(f"{technique['id']:10} {technique['name']:45} command {seen['command']:9} script {seen['script']}")
    lost = telemetry.balance().get("lost")
    if lost:
        faults.append(f"events were lost: {lost}")
    if table(load("")) not in README.read_text():
        faults.append("rules/README.md has other techniques: replay_test.py --write")
    if not arguments.only and len(techniques) < LEAST:
        faults.append(f"{len(techniques)} techniques are fewer than {LEAST}")
    print("\n".join(faults))
    print(f"replay_test.py: {len(techniques)} techniques, each in {len(WAYS)} ways; {len(telemetry.events)} events, "
          f"{sum(map(len, events.values()))} of theirs; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
