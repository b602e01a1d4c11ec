#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what events and the start cost with table.json, and fails when a figure has grown by more than 3%.

usage: guard.py COST_FIGURES --build "GNU 12.2.0 Release" [--write]

Who makes something dearer on purpose writes the table anew (cmake --build build --target cost-table)
and commits it with the change: the review sees by how much.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

TABLE = pathlib.Path(__file__).resolve().parent / "table.json"
ALLOWED = 1.03
ROUNDS = 300
PARSES = 3
SKIPPED = 77
# The C library picks its string functions by the processor; those for any processor are alike everywhere.
TUNABLES = "glibc.cpu.hwcaps=" + ",".join(f"-{name}" for name in (
    "AVX2", "AVX2_Usable", "AVX512F", "AVX512VL", "AVX512BW", "BMI2", "BMI1", "LZCNT", "MOVBE", "RTM", "ERMS", "FSRM",
    "SSE4_1", "SSE4_2", "SSSE3", "AVX_Fast_Unaligned_Load"))


def ask(program, *arguments):
    return json.loads(subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout)


def instructions(program, *arguments):
    run = subprocess.run(
        ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
         program, *map(str, arguments)],
        capture_output=True, text=True, env={"PATH": os.environ["PATH"], "GLIBC_TUNABLES": TUNABLES})
    counted = re.search(r"I +refs: +([0-9,]+)", run.stderr)
    if run.returncode != 0 or not counted:
        sys.exit(f"guard.py: valgrind failed:\n{run.stderr}")
    return int(counted.group(1).replace(",", ""))


def instructions_an_event(program):
    """The difference of two runs: start-up and the first of everything cancel out."""
    known = ask(program, "stages")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {stage: [pool.submit(instructions, program, "take", stage, rounds) for rounds in (ROUNDS, 2 * ROUNDS)]
                for stage in known["stages"]}
        return {stage: round((more.result() - few.result()) / ROUNDS / known["samples"])
                for stage, (few, more) in runs.items()}


def instructions_a_start(program):
    few, more = (instructions(program, "parse", rounds) for rounds in (PARSES, 2 * PARSES))
    return {"built_in_rules": round((more - few) / PARSES)}


def flat(figures, path=""):
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{name}.")
        elif not isinstance(value, str):
            yield path + name, value


def compare(now, table):
    faults, cheaper = [], 0
    for name, value in now.items():
        if name not in table:
            faults.append(f"{name}: {value}, which the table does not have")
        elif value > table[name] * ALLOWED:
            faults.append(f"{name}: {value} instead of {table[name]} (+{100 * value / max(table[name], 1) - 100:.1f}%)")
        cheaper += value < table.get(name, 0) / ALLOWED
    return faults + [f"{name}: is gone" for name in table if name not in now], cheaper


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--build", required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()

    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    # The minor version of the compiler may change instructions too, but not by 3%.
    kind = re.sub(r"^(\w+ \d+)\S*", r"\1", options.build)
    now = {"build": kind, "objects": ask(options.program, "objects"), "bytes_a_line": ask(options.program, "lines")}
    skipped = None
    if not options.write and kind != table.get("build"):
        skipped = f"instructions are those of {table.get('build')}, this is {kind}"
    elif shutil.which("valgrind") is None:
        skipped = "there is no valgrind"
    else:
        now["instructions_an_event"] = instructions_an_event(options.program)
        now["instructions_a_start"] = instructions_a_start(options.program)

    if options.write:
        if skipped:
            sys.exit(f"guard.py: {skipped}")
        TABLE.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n")
        return
    if skipped:
        for name in ("instructions_an_event", "instructions_a_start"):
            table.pop(name, None)
    faults, cheaper = compare(dict(flat(now)), dict(flat(table)))
    print(*faults, sep="\n")
    if faults:
        sys.exit("guard.py: these have grown; if that is worth it: cmake --build BUILD --target cost-table, and commit it")
    if cheaper:
        print(f"guard.py: {cheaper} figures are more than 3% below the table; write it anew to keep them there")
    if skipped:
        print(f"Skipped\n{skipped}")
        sys.exit(SKIPPED)


main()
