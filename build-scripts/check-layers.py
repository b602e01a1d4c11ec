#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails if a file includes one of a higher layer or of another folder of its own layer, or if includes form a cycle."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYERS = {  # lowest first; folders in one pair of braces must not include each other
    "telemetry": "base rights {helper,event} names process account elf {stack,rules,output} {activity,fold} hash spool sink delivery limits health recorded {report,top,verify} cli reload app",
    "imds": "model http {conversation,judge} {helper,output} app",
    "kern": "abi base arch lib",
    "loader/src": "base {tables,offsets,arch} {discovery,probe,load,read} self_check engine",
}
BELOW = {"imds": ["telemetry/"], "telemetry": [], "loader/src": [], "kern": [], "get_offsets": ["loader/src/"]}
# What parses bytes of strangers, and who may include it: what the helper runs, never the program itself.
IN_HELPER = r"imds/(http/(parser|content_coding)|conversation/conversation|judge/(redactor|body_fields)|helper/work)\.[ch]pp"
# Who asks name servers: the helper for names.
ASKS = r"\b(getaddrinfo|getnameinfo|gethostby\w+|ares_\w+)\s*\("
rank = {f"{top}/{name}": level for top, layers in LAYERS.items()
        for level, names in enumerate(layers.split()) for name in names.strip("{}").split(",")}
faults = []
includes = {}
for path in sorted(p for top in [*BELOW] for p in (ROOT / top).rglob("[!.]*.[ch]*")):
    includes[str(path.relative_to(ROOT))] = re.findall(r'^#include "([^"]+)"', path.read_text(), re.M)

for file in includes:
    asked = re.search(ASKS, re.sub(r"//.*", "", (ROOT / file).read_text()))
    if asked and not file.startswith("telemetry/names/lookup_"):
        faults.append(f"{file}: calls {asked[1]}, which only the helper for names may")

for file, targets in includes.items():
    top = next(t for t in BELOW if file.startswith(t + "/"))
    room = "/".join(file.split("/")[:top.count("/") + 2])
    if top in LAYERS and room not in rank and not file.endswith(("main.cpp", ".c")):
        faults.append(f"{file}: is in no layer of {top}: move it, or add its folder to LAYERS")
    for target in targets:
        to = "/".join(target.split("/")[:top.count("/") + 2])
        if target.startswith(top + "/"):
            if to != room and rank.get(to, 0) >= rank.get(room, 99):
                faults.append(f"{file}: includes {target}, which is not below it")
        if re.fullmatch(IN_HELPER, target) and not re.fullmatch(IN_HELPER, file) and room != "imds/http":
            faults.append(f"{file}: includes {target}, which only the helper for HTTP may run")
        if not target.startswith(top + "/") and not any(target.startswith(t) for t in BELOW[top]) and not file.endswith("main.cpp") \
                and not file.startswith("kern/abi/"):
            faults.append(f"{file}: includes {target}, which {top} must not include")

def visit(file, path, done=set()):
    if file in path:
        faults.append("cycle: " + " -> ".join(path[path.index(file):] + [file]))
    elif file not in done:
        for target in includes.get(file, []):
            visit(target, path + [file])
        done.add(file)

for file in includes:
    visit(file, [])
print(*faults, f"check-layers.py: {len(includes)} files, {len(faults)} faults", sep="\n")
sys.exit(bool(faults))
