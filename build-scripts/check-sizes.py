#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails if a folder has more than 25 source files, or if a source file that is not a table has more than 400 lines."""
import collections
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER_MAX, FILE_MAX = 25, 400
SOURCES = {".c", ".cpp", ".h", ".hpp", ".py", ".sh", ".jq", ".cmake"}

listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z"],
                        capture_output=True, text=True)
if listed.returncode == 0:
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
else:  # not a clone: an unpacked archive
    tops = [top for top in ROOT.iterdir() if not (top / "CMakeCache.txt").exists()]
    files = [path for top in tops for path in [top, *top.rglob("*")]]
files = [path for path in files if path.suffix in SOURCES and path.is_file()]

faults = []
for folder, count in collections.Counter(path.parent for path in files).items():
    if count > FOLDER_MAX:
        faults.append(f"{folder.relative_to(ROOT)}: {count} source files; at most {FOLDER_MAX}, sort them by subject")
for path in files:
    lines = len(path.read_bytes().splitlines())
    if lines > FILE_MAX:
        faults.append(f"{path.relative_to(ROOT)}: {lines} lines; at most {FILE_MAX}, split it by subject")
print(*sorted(faults), f"check-sizes.py: {len(files)} files, {len(faults)} faults", sep="\n")
sys.exit(bool(faults))
