#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keeps docs/performance.md true.

usage: build-scripts/pages/performance.py make REPORT [PAGE]   puts in the tables and charts of a run of bench.sh --out REPORT
       build-scripts/pages/performance.py check [PAGE]         fails if the page says in words what its tables do not

What stands behind the line "measured" of the page is a run's report as it is. What stands before it is written by hand,
with figures that are computed from those tables:

  <!--= EXPRESSION -->1.4<!--/-->   a figure: `make` writes it, `check` compares it
  <!--? EXPRESSION -->              a claim that the words make: it has to hold for both

In an expression, cell(TABLE, ROW, COLUMN) is the first figure in a cell: TABLE is the beginning of the paragraph or heading
before the table, ROW the first cell or, with |, the first cells of the row. figure(REGEX) is the first group that
matches in the report's text. delivered(SUBJECT, LOOPS) is the share of the loops' opens that were reported: "all" or
"74.5 %". times(x) and whole(x) write a number with one decimal, and without any.
"""
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs/performance.md"
MEASURED = "<!-- measured: what follows is the report of a run, put here by build-scripts/pages/performance.py make -->\n"
FIGURE = re.compile(r"<!--= (.*?) -->(.*?)<!--/-->", re.S)
CLAIM = re.compile(r"<!--\? (.*?) -->", re.S)
NUMBER = re.compile(r"[-+]?[\d,]+(?:\.\d+)?")


def fail(message):
    sys.exit(f"performance.py: {message}")


def cells_of(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


class Report:
    """The tables of a report, by the paragraph or heading before each."""

    def __init__(self, text):
        self.text = text
        self.tables = []
        before = heading = ""
        rows = []
        for line in text.splitlines() + [""]:
            if line.startswith("|"):
                rows.append(cells_of(line))
                continue
            if rows:
                self.tables.append((before, heading, rows[0], rows[2:]))
                rows = []
            if line.startswith("#"):
                heading = before = line.lstrip("# ")
            elif line.strip():
                before = line

    def cell(self, table, row, column):
        wanted = [part.strip() for part in row.split("|")]
        for before, heading, header, rows in self.tables:
            if not (before.startswith(table) or heading == table) or column not in header:
                continue
            for cells in rows:
                if cells[:len(wanted)] == wanted:
                    number = NUMBER.search(cells[header.index(column)])
                    if number:
                        return float(number.group().replace(",", ""))
        fail(f"no table {table!r} has a figure in row {row!r}, column {column!r}")

    def figure(self, pattern):
        found = re.search(pattern, self.text)
        return float(found.group(1).replace(",", "")) if found else fail(f"nothing in the report matches {pattern!r}")

    def delivered(self, subject, loops):
        for _, _, header, rows in self.tables:
            if "delivered" not in header:
                continue
            for cells in rows:
                if cells[:2] == [subject, str(loops)]:
                    return cells[header.index("delivered")].replace("%", " %")
        fail(f"no table says what {subject!r} delivered of {loops} loops")

    def value(self, expression):
        names = {"cell": self.cell, "figure": self.figure,
                 "delivered": self.delivered, "times": lambda x: f"{x:.1f}", "whole": lambda x: f"{x:,.0f}",
                 "max": max, "min": min, "__builtins__": {}}
        try:
            return eval(" ".join(expression.split()), names)  # the page is ours
        except (SyntaxError, NameError, TypeError, ZeroDivisionError) as error:
            fail(f"cannot compute {expression!r}: {error}")


def written(words, report):
    """The words with their figures; those that hold no more are faults."""
    faults = [f"no longer true: {' '.join(claim.split())}" for claim in CLAIM.findall(words) if not report.value(claim)]
    return FIGURE.sub(lambda m: f"<!--= {m[1]} -->{report.value(m[1])}<!--/-->", words), faults


def split(page):
    words, mark, measured = page.read_text().partition(MEASURED)
    return (words, measured) if mark else fail(f"{page} lacks the line {MEASURED.strip()!r}")


def told(page, faults):
    for fault in faults:
        print(f"performance.py: {page}: {fault}", file=sys.stderr)
    return 1 if faults else 0


def make(folder, page):
    try:
        measured = (folder / "report.md").read_text()
    except OSError as error:
        fail(f"{error}; run build-scripts/bench.sh --out {folder} first")
    measured = re.sub(r"\A# .*\n\n?", "", measured)
    measured = re.sub(r"\]\((?:performance/)?([\w-]+\.svg)\)", r"](performance/\1)", measured)
    words, faults = written(split(page)[0], Report(measured))
    page.write_text(words + MEASURED + "\n" + measured)
    for chart in folder.glob("*.svg"):
        shutil.copy(chart, page.parent / "performance")
    return told(page, faults)


def check(page):
    words, measured = split(page)
    now, faults = written(words, Report(measured))
    for (expression, says), (_, has) in zip(FIGURE.findall(words), FIGURE.findall(now)):
        if says != has:
            faults.append(f"says {says!r} where the tables give {has!r}: {expression}")
    claims = len(FIGURE.findall(words)) + len(CLAIM.findall(words))
    print(f"performance.py: {claims} figures and claims, {len(faults)} faults")
    return told(page, faults)


def main(command="", *rest):
    paths = [pathlib.Path(path) for path in rest]
    if command == "make" and len(paths) in (1, 2):
        return make(paths[0], paths[1] if paths[1:] else PAGE)
    if command == "check" and len(paths) < 2:
        return check(paths[0] if paths else PAGE)
    print(__doc__, file=sys.stderr)
    return 0 if command in ("-h", "--help") else 2


sys.exit(main(*sys.argv[1:]))
