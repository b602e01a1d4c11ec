#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pieces of packaging/fleet with what the program really says: rsyslog's configuration by TLS into a file, the metrics
of the dashboard, and whether Elasticsearch's mapping would take every line: usage: kit_test.py PROGRAM"""
import ipaddress
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "delivery"))
import harness  # noqa: E402
from certificates import free_port, make_authority, make_certificate  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
KIT = HERE.parent.parent / "packaging/fleet"
RULES = "".join(f"{call} uid = {harness.USER} key mine\n" for call in (
    "getpgid", "@exec", "connect", "openat", "unlink", "rename", "process_fork", "process_exit"))
WORK = r"""
import os, socket, subprocess, sys
os.setuid(%d)
os.chdir(sys.argv[1])
open('a', 'w').close()
os.rename('a', 'b')
os.unlink('b')
for family, address in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
    with socket.socket(family) as s: s.connect_ex((address, 1))
with socket.socket(socket.AF_UNIX) as s: s.connect_ex('/nowhere')
subprocess.run(['/bin/true', 'é"\\\n' * 3000, 'y' * 5000, '\x01' * 2000])
"""


def rsyslog(folder, port):
    """The configuration of the kit with this folder's certificates and file."""
    text = (KIT / "collectors/rsyslog.conf").read_text()
    for old, new in (("/etc/rsyslog.d/fleet-ca.pem", f"{folder}/authority.pem"), ("/etc/rsyslog.d/server", f"{folder}/localhost"),
                     ("/var/log/telemetry/events.json", f"{folder}/received"), ('"6514"', f'"{port}"'),
                     ("global(", f'global(workDirectory="{folder}"')):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "rsyslog.conf").write_text(text)
    with open(folder / "rsyslog.log", "ab") as log:
        subprocess.run(["rsyslogd", "-N1", "-f", folder / "rsyslog.conf"], check=True, stdout=log, stderr=log)
        process = subprocess.Popen(["rsyslogd", "-n", "-f", folder / "rsyslog.conf", "-i", folder / "pid"], stdout=log, stderr=log)
    end = time.monotonic() + 20
    while True:
        assert process.poll() is None and time.monotonic() < end, (folder / "rsyslog.log").read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.05)


def run(folder, port):
    text = (f"[output.siem]\nkind = syslog\nserver = tls://localhost:{port}\nca_file = {folder}/authority.pem\n"
            f"cert_file = {folder}/client.pem\nkey_file = {folder}/client.key\nmessage_bytes = 250K\nqueue = 64M\n"
            f"spool = 64M\nspool_dir = {folder}/spool\n"
            f"[output.reference]\nkind = file\npath = {folder}/reference\nqueue = 64M\nmax_line = 1M\n")
    with open(folder / "log", "w", encoding="utf-8") as log:
        program = harness.start(PROGRAM, folder, text, log, RULES,
                                ["--metrics-file", folder / "metrics", "--heartbeat", "1"])
        caller = harness.call(folder / "stop")
        subprocess.run([sys.executable, "-c", WORK % harness.USER, folder / "open"], check=True)
        time.sleep(1.2)
        (folder / "stop").touch()
        caller.communicate()
        time.sleep(1)
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0


def check_received(folder):
    lines = harness.without_checkpoints((folder / "reference").read_text().splitlines())
    received = harness.without_checkpoints((folder / "received").read_text().splitlines())
    assert sorted(line.removeprefix(" ") for line in received) == sorted(lines), f"{len(received)} of {len(lines)}"
    assert max(map(len, lines)) > 30_000
    return lines


def check_dashboard(folder):
    """Each metric that the dashboard asks for is one that the program has."""
    known = set(re.findall(r"^(ebpf_telemetry_\w+)", (folder / "metrics").read_text(), re.M))
    asked = set(re.findall(r"ebpf_telemetry_\w+", (KIT / "grafana/health.json").read_text()))
    assert asked and asked <= known, asked - known
    for name in ("health", "hunting"):
        board = json.loads((KIT / f"grafana/{name}.json").read_text())
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids) > 5 and all(panel["targets"] for panel in board["panels"])


class Mapping:
    """Elasticsearch's rules for a document, as far as the template uses them."""
    LONGEST_TERM = 32766  # bytes; longer ones have the document refused

    def __init__(self, template):
        self.properties = template["template"]["mappings"]["properties"]
        self.dynamic = template["template"]["mappings"]["dynamic_templates"]
        self.seen = {}  # type of what the template leaves open, by the first document that has it

    def check(self, value, path="", mapping=None):
        mapping = mapping or {"properties": self.properties if not path else {}}
        kind = mapping.get("type", "object")
        if mapping.get("enabled") is False or kind == "flattened":
            assert isinstance(value, (dict, list)), path
        elif isinstance(value, dict):
            assert kind == "object", f"{path} is an object, not {kind}"
            for name, inner in value.items():
                inner_path = f"{path}.{name}" if path else name
                self.check(inner, inner_path, mapping.get("properties", {}).get(name) or self.guess(inner, inner_path))
        elif isinstance(value, list):
            for one in value:
                self.check(one, path, mapping)
        else:
            self.check_leaf(value, path, mapping, kind)

    def guess(self, value, path):
        """What the template leaves to Elasticsearch is what differs from call to call alone."""
        assert path.startswith("linux.syscall.paths."), f"the template has no {path}"
        one = value[0] if isinstance(value, list) and value else value
        if isinstance(one, (dict, list)):
            return {"properties": {}}
        kind = "boolean" if isinstance(one, bool) else "long" if isinstance(one, int) else "keyword"
        assert self.seen.setdefault(path, kind) == kind, f"{path} was {self.seen[path]} before, and is {kind}"
        return {"type": kind, "ignore_above": 8191} if kind == "keyword" else {"type": kind}

    def check_leaf(self, value, path, mapping, kind):
        fits = {
            "keyword": lambda: isinstance(value, str) and (len(value) > mapping.get("ignore_above", self.LONGEST_TERM) or
                                                           len(value.encode()) <= self.LONGEST_TERM),
            "constant_keyword": lambda: mapping.get("value", value) == value,
            "wildcard": lambda: isinstance(value, str) and mapping["ignore_above"] <= self.LONGEST_TERM,
            "long": lambda: type(value) is int and -2**63 <= value < 2**63,
            "boolean": lambda: type(value) is bool,
            "ip": lambda: bool(ipaddress.ip_address(value)),
            "date_nanos": lambda: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", value) is not None,
        }
        assert kind in fits and fits[kind](), f"{path}: {str(value)[:100]!r} as {mapping}"


def check_mapping(lines):
    mapping = Mapping(json.loads((KIT / "elastic/index-template.json").read_text()))
    json.loads((KIT / "elastic/ingest-pipeline.json").read_text())
    for line in lines:
        mapping.check(json.loads(line))


def main():
    assert os.geteuid() == 0, "needs root"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        (folder / "open").mkdir()
        os.chmod(folder / "open", 0o777)
        make_authority(folder, "authority")
        make_certificate(folder, "localhost", "authority")
        make_certificate(folder, "client", "authority")
        port = free_port()
        server = rsyslog(folder, port)
        try:
            run(folder, port)
        finally:
            server.terminate()
            server.wait(20)
        lines = check_received(folder)
        check_dashboard(folder)
        check_mapping((folder / "reference").read_text().splitlines())
    print(f"kit_test.py: {len(lines)} lines by rsyslog, identical, and fit for the mapping")


main()
