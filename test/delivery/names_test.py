#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Outputs to servers by name, in a network and mounts of their own with a name server of the tests': only the helper asks
it, has no rights, and is replaced when it is killed: usage: names_test.py PROGRAM"""
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import harness
from receivers import Log, Web

PROGRAM = os.path.abspath(sys.argv[1])
WEB, LOG, PROXY = "intake.example", "log.example", "proxy.example"


def who_has_port(port):
    """The processes with a socket at that port of UDP."""
    inodes = {line.split()[9] for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]
              if int(line.split()[1].split(":")[1], 16) == port}
    found = set()
    for fd in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if re.sub(r"\D", "", os.readlink(fd)) in inodes and os.readlink(fd).startswith("socket:"):
                found.add(int(fd.parts[2]))
        except OSError:
            pass
    return found


class NameServer(threading.Thread):
    """Says that each host is this machine, by IPv4 alone, and notes who asks for what. Asked for a host that is in
    `deadly`, it kills who asks, once."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.asked, self.askers, self.deadly = [], {}, set()

    def run(self):
        while True:
            question, sender = self.socket.recvfrom(4096)
            name, at = [], 12
            while question[at]:
                name.append(question[at + 1:at + 1 + question[at]].decode())
                at += 1 + question[at]
            name, kind = ".".join(name), question[at + 2]
            self.asked.append(name)
            for pid in who_has_port(sender[1]):
                self.askers[pid] = pathlib.Path(f"/proc/{pid}/status").read_text()
                if name in self.deadly:
                    self.deadly.remove(name)
                    os.kill(pid, signal.SIGKILL)
            is_address = kind == 1
            self.socket.sendto(question[:2] + struct.pack(">HHHHH", 0x8180, 1, is_address, 0, 0) + question[12:at + 5]
                               + (b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1" if is_address else b""), sender)


def outputs(folder, web, log, proxy):
    quick = "retry_first = 20ms\nretry_longest = 200ms\nbatch_time = 50ms\n"
    return (f"[output.web]\nkind = http\nurl = http://{WEB}:{web.port}\n{quick}"
            f"[output.by_proxy]\nkind = http\nurl = http://nowhere.invalid\nproxy = http://{PROXY}:{proxy.port}\n{quick}"
            f"[output.log]\nkind = syslog\nserver = tcp://{LOG}:{log.port}\n{quick}"
            f"[output.reference]\nkind = file\npath = {folder}/reference\n")


def check_askers(server, program):
    assert server.askers and program.pid not in server.askers, server.askers
    for pid, status in server.askers.items():
        assert status.startswith("Name:\tebt-names\n"), status
        for line in ("CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
                     "NoNewPrivs:\t1", "Seccomp:\t2", "Uid:\t65534\t65534\t65534\t65534"):
            assert line + "\n" in status, (pid, line, status)


def inside(folder):
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (folder / "nsswitch.conf").write_text("hosts: files dns\n")
    (folder / "hosts").write_text("127.0.0.1 localhost\n")
    for name in ("resolv.conf", "nsswitch.conf", "hosts"):
        subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = NameServer()
    server.deadly = {LOG}
    server.start()
    web, log, proxy = Web(), Log(), Web()
    for one in (web, log, proxy):
        one.up()
    metrics = folder / "metrics"
    with open(folder / "log", "w", encoding="utf-8") as text:
        program = harness.start(PROGRAM, folder, outputs(folder, web, log, proxy), text,
                                options=("--metrics-file", metrics, "--metrics-interval", "1"))
        caller = harness.call(folder / "stop")
        time.sleep(2)
        (folder / "stop").touch()
        calls = int(caller.communicate()[0])
        harness.wait_for_all(metrics)
        page = metrics.read_text()
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    said = (folder / "log").read_text()
    summary = harness.summary_of(folder / "log")
    for name in ("http web", "http by_proxy", "syslog log"):
        output = harness.report_of(summary, name)
        assert output["written"] == summary["emitted"] >= calls and output["lost"] == 0, output
    reference = sorted(harness.without_checkpoints((folder / "reference").read_text().splitlines()))
    for one in (web, log, proxy):
        lines = sorted(set(harness.without_checkpoints(one.received())))
        assert lines == reference, f"{len(lines)} of {len(reference)}"
    assert set(server.asked) == {WEB, LOG, PROXY}, "a server behind a proxy is not asked for"
    check_askers(server, program)
    assert summary["name_helper_failures"] == 1, summary
    assert 'helper_failures_total{program="ebpf_telemetry",helper="name"} 1\n' in page, page
    assert "the helper for names failed: it ended (signal 9)" in said, said
    assert "was refused" not in said, said
    print(f"names_test.py: {len(reference)} lines to three servers by name, {len(server.asked)} questions")


def main():
    assert os.geteuid() == 0, "needs root"
    with tempfile.TemporaryDirectory() as temporary:
        os.chmod(temporary, 0o755)
        if len(sys.argv) == 2:
            run = subprocess.run(["unshare", "--net", "--mount", sys.executable, __file__, PROGRAM, temporary])
            sys.exit(run.returncode)
        inside(pathlib.Path(sys.argv[2]))


main()
