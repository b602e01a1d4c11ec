#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether the schemas of packaging/fleet have every field that the program writes, by its own list of them
(telemetry/output/json/fields/fields.def), with the types of the Elastic Common Schema: usage: fields_test.py"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KIT = ROOT / "packaging/fleet"
FIELDS = re.findall(r'^FIELD\(\w+, "([^"]+)",', (ROOT / "telemetry/output/json/fields/fields.def").read_text(), re.M)
ECS = json.loads((ROOT / "test/ecs/fields.json").read_text())
# More exact than the schema of the field asks for.
FINER = {("date", "date_nanos"), ("keyword", "constant_keyword")}


def mapped(name):
    """What Elasticsearch's mapping says of a field; None: it would be guessed from the first document."""
    at = json.loads((KIT / "elastic/index-template.json").read_text())["template"]["mappings"]
    for part in name.split("."):
        at = at.get("properties", {}).get(part)
        if at is None:
            return None
    return at


def faults_of_elastic():
    for name in FIELDS:
        mapping = mapped(name)
        if mapping is None:
            yield f"index-template.json has no {name}"
            continue
        kind, wanted = mapping.get("type", "object"), ECS.get(name, "").removesuffix("[]")
        if wanted and kind != wanted and (wanted, kind) not in FINER:
            yield f"index-template.json has {name} as {kind}, and ECS as {wanted}"


def faults_of_clickhouse():
    """A field is a column, or is named as one that is none."""
    text = (KIT / "clickhouse/schema.sql").read_text()
    [comment] = re.findall(r"^-- up to date\. What other fields say already[^\n]*\n((?:-- [^\n]*\n)+)", text, re.M)
    left = set(re.findall(r"[\w.]+", comment.replace("-- ", "")))
    view = text[text.index("CREATE MATERIALIZED VIEW"):]
    read = set(re.findall(r"\b(?:e\.)?((?<=e\.)[\w.]+|linux\.[\w.]+)", view))
    for name in FIELDS:
        # Members of a field that is an object are read one by one.
        is_read = any(one == name or one.startswith(name + ".") for one in read)
        if is_read == (name in left):
            yield f"schema.sql: {name} is {'a column, and named as one that is none' if is_read else 'no column, and not named so'}"
    yield from (f"schema.sql names {name}, which is no field" for name in left - set(FIELDS))
    columns = set(re.findall(r"^    (?:ADD COLUMN IF NOT EXISTS )?(\w+) +[A-Z]\w+", text[:text.index("CREATE MATERIALIZED VIEW")], re.M))
    filled = set(re.findall(r" AS (\w+),?$", view, re.M)) | {"line", "run"}
    yield from (f"schema.sql: the column {name} is filled by nothing" for name in columns - filled - {"INDEX"})
    yield from (f"schema.sql: there is no column {name}" for name in filled - columns - {"e", "linux"})


def main():
    assert len(FIELDS) > 150, "fields.def has another form than this test reads"
    faults = [*faults_of_elastic(), *faults_of_clickhouse()]
    print("\n".join([f"fields_test.py: {len(FIELDS)} fields, {len(faults)} faults", *faults]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
