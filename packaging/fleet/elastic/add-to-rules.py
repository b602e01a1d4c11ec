#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets Elastic's detection rules for Linux read our data stream: adds logs-ebpf_telemetry.*-* to the index patterns of
every rule that reads those of a sensor for Linux.

usage: add-to-rules.py KIBANA_URL API_KEY_FILE [--ca FILE] [--apply]

Without --apply it says what it would change. Kibana before 8.18 changes no prebuilt rules: duplicate them there first,
or give the rules of your own. Rules without index patterns (ES|QL, machine learning, those of a data view) are left alone.
"""
import argparse
import json
import pathlib
import ssl
import sys
import urllib.error
import urllib.request

PATTERN = "logs-ebpf_telemetry.*-*"
SENSORS = ("logs-endpoint.events.", "auditbeat-", "logs-auditd_manager.", "logs-crowdstrike.fdr", "logs-sentinel_one_cloud_funnel")
PAGE = 100
LONGEST = 64 << 20  # bytes of an answer


class Kibana:
    def __init__(self, url, key, ca):
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"ApiKey {key}", "kbn-xsrf": "true", "Content-Type": "application/json"}
        self.context = ssl.create_default_context(cafile=ca) if self.url.startswith("https:") else None

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, headers=self.headers,
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60, context=self.context) as answer:
                return json.loads(answer.read(LONGEST))
        except urllib.error.HTTPError as error:
            sys.exit(f"add-to-rules.py: {method} {path}: {error.code} {error.read(2000).decode(errors='replace')}")
        except (OSError, ValueError) as error:
            sys.exit(f"add-to-rules.py: {method} {path}: {error}")

    def rules(self):
        page = 1
        while True:
            found = self.call("GET", f"/api/detection_engine/rules/_find?page={page}&per_page={PAGE}")
            yield from found["data"]
            if page * PAGE >= found["total"]:
                return
            page += 1


def wants(rule):
    """Does it read a sensor of Linux hosts, and not ours yet?"""
    patterns = rule.get("index") or []
    is_linux = "OS: Linux" in rule.get("tags", []) or "Linux" in rule.get("tags", [])
    return is_linux and PATTERN not in patterns and any(p.startswith(SENSORS) for p in patterns)


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("url")
    options.add_argument("key_file", type=pathlib.Path)
    options.add_argument("--ca")
    options.add_argument("--apply", action="store_true")
    given = options.parse_args()
    try:
        key = given.key_file.read_text().strip()
    except OSError as error:
        sys.exit(f"add-to-rules.py: {error}")
    kibana = Kibana(given.url, key, given.ca)
    chosen = [rule for rule in kibana.rules() if wants(rule)]
    for rule in chosen:
        print(rule["name"])
    changed = 0
    for begin in range(0, len(chosen) if given.apply else 0, PAGE):
        ids = [rule["id"] for rule in chosen[begin:begin + PAGE]]
        answer = kibana.call("POST", "/api/detection_engine/rules/_bulk_action", {
            "action": "edit", "ids": ids, "edit": [{"type": "add_index_patterns", "value": [PATTERN]}]})
        changed += answer["attributes"]["summary"]["succeeded"]
    print(f"{len(chosen)} rules read sensors for Linux and not {PATTERN}; {changed} changed" +
          ("" if given.apply else " (give --apply)"))
    return 0 if changed == len(chosen) or not given.apply else 1


sys.exit(main())
