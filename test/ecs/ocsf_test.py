#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs workload.py under ebpf_telemetry -f ocsf, and validates each of its events.

usage: ocsf_test.py PROGRAM [--lines FILE]

With EBT_OCSF_SCHEMA, a checkout of github.com/ocsf/ocsf-schema, by the schema's own files: every attribute is one of
its class or object, of the type and with the enum values it has there; what is required is there, and so is one of
those of which one is. Without, what ocsf_required.json lists is there. --lines validates the lines of a file instead.
"""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import schema_test  # pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent
PROFILES = {"container", "host", "linux/linux_users"}
BASES = {"string_t": str, "integer_t": int, "long_t": int, "boolean_t": bool, "float_t": float}


class Schema:
    """The files of a checkout."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.dictionary = self.load("dictionary.json")
        self.categories = {name: each["uid"] for name, each in self.load("categories.json")["attributes"].items()}
        self.objects = {path.stem: path for path in self.root.glob("objects/**/*.json")}
        self.files = {}
        for path in self.root.glob("events/**/*.json"):
            self.files[path.stem] = json.loads(path.read_text())
        self.extensions = collections.defaultdict(list)
        for path in self.root.glob("extensions/linux/objects/*.json"):
            each = json.loads(path.read_text())
            self.extensions[each["extends"]].append(each)
        self.types = {}

    def load(self, name):
        return json.loads((self.root / name).read_text())

    def included(self, attributes, folder):
        made = {}
        for name in attributes.get("$include", []):
            path = next(each for each in (self.root / name, folder / name) if each.exists())
            profile = json.loads(path.read_text())
            label = ("linux/" if folder != self.root else "") + profile.get("name", "")
            if profile.get("meta") == "profile" and label not in PROFILES:
                continue
            made |= profile["attributes"]
        made |= {name: each for name, each in attributes.items() if name != "$include"}
        return made

    def merged(self, chain):
        """Attributes and constraints of a type, its bases first."""
        attributes, constraints = {}, {}
        for each, folder in chain:
            for name, attribute in self.included(each["attributes"], folder).items():
                known = attributes.get(name, {})
                enum = known.get("enum", {}) | attribute.get("enum", {})
                attributes[name] = known | attribute | ({"enum": enum} if enum else {})
            constraints = each.get("constraints", constraints)
        return attributes, constraints

    def object(self, name):
        if name not in self.types:
            chain, base = [], name
            while base and base != "object":
                each = json.loads(self.objects[base].read_text())
                chain.insert(0, (each, self.root))
                base = each.get("extends")
            linux = self.root / "extensions/linux"
            chain += [(each, linux) for each in self.extensions[name]]
            self.types[name] = self.merged(chain)
        return self.types[name]

    def event(self, uid):
        for name, each in self.files.items():
            chain, base, category = [], name, None
            while base:
                chain.insert(0, (self.files[base], self.root))
                category = category or self.files[base].get("category")
                base = self.files[base].get("extends")
            number = self.categories.get(category, 0) * 1000 + each["uid"] if "uid" in each else None
            if number == uid or (uid == 0 and name == "base_event"):
                return self.merged(chain)
        return None

    def faults_of(self, event):
        found = self.event(event.get("class_uid"))
        if not found:
            yield f"class_uid: no class {event.get('class_uid')}"
            return
        if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
            yield "type_uid: is not made of class and activity"
        yield from self.faults_in(event, *found, "")

    def faults_in(self, value, attributes, constraints, path):
        for name, each in value.items():
            if name not in attributes:
                yield f"{path}{name}: the schema has no such attribute"
            elif name != "unmapped":
                yield from self.faults_of_value(each, name, attributes[name], path + name)
        for name, attribute in attributes.items():
            is_ours = attribute.get("profile") in (None, *PROFILES)
            if attribute.get("requirement") == "required" and is_ours and name not in value:
                yield f"{path}{name}: is required"
        one_of = constraints.get("at_least_one", [])
        if one_of and not any(name in value for name in one_of):
            yield f"{path}: has none of {one_of}"

    def faults_of_value(self, value, name, attribute, path):
        known = self.dictionary["attributes"].get(name, {}) | {
            key: each for key, each in attribute.items() if key in ("type", "is_array", "@deprecated")}
        if "@deprecated" in known:
            yield f"{path}: is deprecated"
        if bool(known.get("is_array")) != isinstance(value, list):
            yield f"{path}: {value!r} is {'no' if known.get('is_array') else 'a'} list"
            return
        enum = self.dictionary["attributes"].get(name, {}).get("enum", {}) | attribute.get("enum", {})
        if name in ("category_uid", "class_uid"):  # the schema's server makes their enums; event() has looked
            enum = {}
        for each in value if isinstance(value, list) else [value]:
            if enum and str(each) not in enum:
                yield f"{path}: {each!r} is none of {sorted(enum)}"
            kind = known.get("type", "string_t")
            if kind in self.objects:
                yield from self.faults_in(each, *self.object(kind), path + ".")
            else:
                yield from self.faults_of_type(each, kind, path)

    def faults_of_type(self, value, kind, path):
        about = self.dictionary["types"]["attributes"].get(kind, {})
        base = BASES.get(about.get("type", kind))
        if base and type(value) is not base:
            yield f"{path}: {value!r} is no {kind}"
        elif "regex" in about and not re.search(about["regex"], value):
            yield f"{path}: {value!r} is no {kind}"
        elif "range" in about and not about["range"][0] <= value <= about["range"][1]:
            yield f"{path}: {value!r} is not in {about['range']}"
        elif base is int and not -(2**31) <= value < 2**31 and kind == "integer_t":
            yield f"{path}: {value!r} has more than 32 bits"


class Table:
    """What is required, by class: names of attributes with points between, and the type that each has."""

    def __init__(self):
        self.table = json.loads((HERE / "ocsf_required.json").read_text())

    def faults_of(self, event):
        required = self.table["every class"] | self.table.get(str(event.get("class_uid")), {"class_uid": "class"})
        for name, kind in required.items():
            value = event
            for part in name.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if value is None or type(value).__name__ != kind:
                yield f"class {event.get('class_uid')}: {name}: {value!r} is no {kind}"


def record(program):
    """The lines of the workload's events."""
    folder = schema_test.FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with tempfile.NamedTemporaryFile() as events, tempfile.NamedTemporaryFile() as log:
        running = subprocess.Popen([program, "-f", "ocsf", "-r", HERE / "workload.rules"], stdout=events, stderr=log)
        try:
            schema_test.wait_for_start(running, log)
            subprocess.run([sys.executable, HERE / "workload.py", folder, "contained"], check=True, timeout=60,
                           stdin=subprocess.DEVNULL, start_new_session=True)
        finally:
            running.terminate()
            running.wait()
            shutil.rmtree(folder, ignore_errors=True)
        return pathlib.Path(events.name).read_text().splitlines()


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "--lines":
        lines = pathlib.Path(sys.argv[2]).read_text().splitlines()
    else:
        lines = record(sys.argv[1])
    root = os.environ.get("EBT_OCSF_SCHEMA")
    schema = Schema(root) if root else Table()
    events = [json.loads(line) for line in lines]
    faults = collections.Counter(fault for event in events for fault in schema.faults_of(event))
    classes = collections.Counter((event["class_uid"], event["activity_name"]) for event in events)
    print(f"ocsf_test.py: {len(events)} events, {len(classes)} kinds, {len(faults)} faults, "
          f"{'by the schema of ' + root if root else 'by the table of what is required'}")
    print("\n".join(f"{count} times {fault}" for fault, count in faults.items()))
    expected = {1001, 1003, 1005, 1007, 3003, 4001}
    missing = expected - {uid for uid, _ in classes}
    if len(sys.argv) == 2 and missing:
        print(f"no event of the classes {missing}; there are {sorted(classes)}")
        return 1
    return 1 if faults or not events else 0


if __name__ == "__main__":
    sys.exit(main())
