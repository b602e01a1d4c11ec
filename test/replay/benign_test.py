#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many events an ordinary day makes under the default rules; benign.toml has its parts and their bounds.

usage: benign_test.py PROGRAM [--rules FILE]
"""
import argparse
import collections
import pathlib
import sys
import tomllib

from telemetry import Telemetry, by_act, do, values


def kinds(events, count=6):
    """What most events are."""
    of = collections.Counter((values(event, "call") + values(event, "action"))[0] for event in events)
    return ", ".join(f"{number} {kind}" for kind, number in of.most_common(count))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rules", help="other rules than the default ones")
    arguments = parser.parse_args()
    phases = tomllib.loads(pathlib.Path(__file__).with_name("benign.toml").read_text())["phase"]
    acts = [{"name": phase["name"], "command": phase["command"], "seconds": phase.get("seconds", 10)} for phase in phases]
    with Telemetry(arguments.program, arguments.rules) as telemetry:
        done = do(acts, telemetry.process.pid)
    events = by_act(telemetry.events, {each["pid"]: each["name"] for each in done})

    faults = []
    for phase, end in zip(phases, done):
        count = len(events[phase["name"]])
        each = count / phase["units"]
        print(f"{phase['name']:40} {count:5} events in {end['seconds']:5.1f} s, {count / end['seconds']:6.0f}/s; "
              f"{each:5.1f} a {phase['unit']}, at most {phase['most']}: {kinds(events[phase['name']])}")
        if end["status"] != 0:
            faults.append(f"{phase['name']}: ended with {end['status']}: {end['said']}")
        if not 0 < each <= phase["most"]:
            faults.append(f"{phase['name']}: {each:.1f} events a {phase['unit']}, not at most {phase['most']}")
        nscd = [event for event in events[phase["name"]] if "nscd" in "".join(values(event, "address"))]
        if nscd:
            faults.append(f"{phase['name']}: {len(nscd)} connects to a daemon that is not there")
    lost = telemetry.balance().get("lost")
    if lost:
        faults.append(f"events were lost: {lost}")
    print("\n".join(faults))
    print(f"benign_test.py: {len(phases)} parts of a day, {sum(map(len, events.values()))} events; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
