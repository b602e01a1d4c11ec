#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sums up the results of test.sh.

usage: test-report.py SECONDS NAME=FOLDER... NAME=results.json...

A FOLDER has the results of ctest (ctest.xml) and, for each test program that runs many tests in one
process, a result file of googletest, named after the ctest entry. results.json comes from vm-test.sh.
Prints each skipped test with the reason, then each failed test with the first lines of its message;
the last line has the sums.
"""
import collections
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as xml


MESSAGE_LINES = 12


class Sum:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    @property
    def total(self):
        return self.passed + len(self.failed) + len(self.skipped)


def reason(text):
    """The text that follows "Skipped" in the output of googletest, in one line."""
    match = re.search(r"Skipped\n(.*?)(?:\n\n|\n\[|\Z)", text or "", re.S)
    return " ".join((match.group(1) if match else text or "no reason given").split())


def failure(name, message):
    """A failed test with the first lines of its message, for readers who have only the end of the output."""
    lines = [line.rstrip()[:200] for line in (message or "").splitlines() if line.strip()]
    return "\n  | ".join([name, *lines[:MESSAGE_LINES]])


def add_googletest(file, entry, sums):
    for case in xml.parse(file).iter("testcase"):
        name = f"{entry}: {case.get('classname')}.{case.get('name')}"
        if (found := case.find("failure")) is not None:
            sums.failed.append(failure(name, found.get("message")))
        elif (skipped := case.find("skipped")) is not None:
            sums.skipped.append(f"{name}: {' '.join(skipped.get('message', '').split()[1:])}")
        elif case.get("status") == "run":
            sums.passed += 1
        else:  # disabled by the test program itself
            sums.skipped.append(f"{name.replace('DISABLED_', '')}: it is disabled")


def add_ctest(folder, sums):
    for case in xml.parse(folder / "ctest.xml").iter("testcase"):
        name = case.get("name")
        own = folder / f"{name}.xml"
        failed = len(sums.failed)
        if own.exists():
            add_googletest(own, name, sums)
        output = case.findtext("system-out")
        if case.get("status") == "run":
            sums.passed += not own.exists()
        elif (skipped := case.find("skipped")) is not None and "SKIP" in skipped.get("message", ""):
            sums.skipped.append(f"{name}: {reason(output)}")
        elif failed == len(sums.failed):  # none of its tests failed: it crashed, or was missing
            end = (output or "").splitlines()[-MESSAGE_LINES:]
            sums.failed.append(failure(f"{name}: {case.get('status')}", "\n".join(end)))


def add_kernels(file, sums):
    """Adds the results of vm-test.sh. A test that a kernel does not support is skipped in each tier, and listed once."""
    for kernel in json.loads(file.read_text()):
        name = kernel.get("release") or kernel.get("image")
        parts = [*kernel["tiers"], *(kernel[part] for part in ("together", "program", "imds", "cases") if kernel.get(part))]
        sums.passed += kernel["passed"]
        for part in parts:
            sums.failed += [failure(f"{name}: {test['name']}", test["message"]) for test in part.get("failures", [])]
        sums.failed += [f"{name}: {problem}" for problem in kernel["problems"] if ": failed: " not in problem]
        sums.skipped += [f"{name}: {test}" for part in parts for test in part.get("skipped", [])]


def main(seconds, *parts):
    all_sums = {}
    for part in parts:
        name, place = part.split("=", 1)
        sums = all_sums[name] = Sum()
        try:
            add = add_kernels if place.endswith(".json") else add_ctest
            add(pathlib.Path(place), sums)
        except (OSError, ValueError, xml.ParseError) as error:
            sums.failed.append(f"no results: {error}")
    for name, sums in all_sums.items():
        for test, times in collections.Counter(sums.skipped).items():
            print(f"skipped, {name}: {test}" + (f" ({times} times)" if times > 1 else ""))
    for name, sums in all_sums.items():
        for test in sums.failed:
            print(f"FAILED, {name}: {test}")
    every = all_sums.values()
    passed, failed, skipped = (sum(s.passed for s in every), sum(len(s.failed) for s in every),
                               sum(len(s.skipped) for s in every))
    detail = ", ".join(f"{sums.total} {name}" for name, sums in all_sums.items())
    print(f"== test.sh: {passed} of {passed + failed + skipped} tests passed, {failed} failed, {skipped} skipped"
          f" ({detail}; {int(seconds) // 60} min {int(seconds) % 60} s)")
    return bool(failed) or any(s.total == 0 for s in every)


sys.exit(main(*sys.argv[1:]))
