#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program to a real rsyslog over TLS with client certificates, to a file: usage: syslog_test.py PROGRAM"""
import collections
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import harness
from certificates import free_port, make_authority, make_certificate

PROGRAM = os.path.abspath(sys.argv[1])
RSYSLOGD = "/usr/sbin/rsyslogd"


def start_rsyslog(folder, ports):
    """With its own limits of a message: 8 KiB. What it gets it writes as it is; the first port is TLS, then TCP, UDP."""
    tls, tcp, udp = ports
    raw = 'action(type="omfile" template="raw" file="{}")'
    (folder / "rsyslog.conf").write_text(
        f'global(workDirectory="{folder}" DefaultNetstreamDriverCAFile="{folder}/authority.pem"\n'
        f'  DefaultNetstreamDriverCertFile="{folder}/localhost.pem" DefaultNetstreamDriverKeyFile="{folder}/localhost.key")\n'
        'module(load="imtcp") module(load="imudp")\n'
        'template(name="raw" type="string" string="%pri-text%|%app-name%|%hostname%|%msg%\\n")\n'
        + "".join(f'ruleset(name="{name}") {{ {raw.format(folder / name)} }}\n' for name in ("tls", "tcp", "udp"))
        + f'input(type="imtcp" port="{tls}" ruleset="tls" streamDriver.name="ossl" streamDriver.mode="1"'
        ' streamDriver.authMode="x509/certvalid")\n'
        f'input(type="imtcp" port="{tcp}" ruleset="tcp")\ninput(type="imudp" port="{udp}" ruleset="udp")\n')
    with open(folder / "rsyslog.log", "ab") as log: # whom it does not trust
        process = subprocess.Popen([RSYSLOGD, "-n", "-f", folder / "rsyslog.conf", "-i", folder / "rsyslog.pid"],
                                   stdout=log, stderr=log)
    end = time.monotonic() + 20
    for port in (tls, tcp):
        while True:
            assert process.poll() is None and time.monotonic() < end, (folder / "rsyslog.log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
    return process


def end_rsyslog(process):
    process.terminate()
    process.wait(20)


def outputs(folder, ports):
    tls, tcp, udp = ports
    quick = "retry_first = 20ms\nretry_longest = 200ms\nbatch_time = 50ms\nqueue = 64M\n"
    own = f"cert_file = {folder}/client.pem\nkey_file = {folder}/client.key\n"
    ours, other = f"ca_file = {folder}/authority.pem\n", f"ca_file = {folder}/stranger.pem\n"
    server = f"server = tls://localhost:{tls}\n"
    sections = {
        "tls": f"{server}{ours}{own}spool = 64M\nspool_dir = {folder}/spool\nfacility = local3\n",
        "address": f"server = tls://127.0.0.1:{tls}\n{ours}{own}",
        "wrong_authority": f"{server}{other}{own}",
        "wrong_name": f"{server}{ours}{own}server_name = syslog.example.com\n",
        "no_certificate": f"{server}{ours}",
        "wrong_certificate": f"{server}{ours}cert_file = {folder}/forged.pem\nkey_file = {folder}/forged.key\n",
        "tcp": f"server = tcp://127.0.0.1:{tcp}\nrfc = 3164\n",
        "udp": f"server = udp://127.0.0.1:{udp}\n",
    }
    text = "".join(f"[output.{name}]\nkind = syslog\n{quick}{options}" for name, options in sections.items())
    return text + f"[output.reference]\nkind = file\npath = {folder}/reference\nqueue = 64M\nmax_line = 1M\n"


def lines_of(path, facility):
    """Of one output, parts put together; how often each line came."""
    whole, parts = collections.Counter(), collections.defaultdict(dict)
    for text in path.read_text().splitlines():
        priority, identity, host, message = text.split("|", 3)
        if priority != f"{facility}.info":
            continue
        assert identity == "ebpf-telemetry" and host == socket.gethostname().split(".")[0], text[:100]
        message = message.removeprefix(" ")  # of RFC 3164
        part = re.match(r"part=(\d+)/(\d+) line=(\d+) ", message)
        if not part:
            whole[message] += 1
            continue
        number, count, line = map(int, part.groups())
        parts[line, count][number] = message[part.end():]
    for (_, count), texts in parts.items():
        if len(texts) < count:
            continue
        whole["".join(texts[number] for number in range(1, count + 1))] += 1
    return whole


def wait_for_lines(received, count):
    end = time.monotonic() + 20
    while time.monotonic() < end and any(not path.exists() or len(lines_of(path, facility)) < count
                                         for path, facility in received):
        time.sleep(0.1)


def large_exec():
    code = f"import os; os.setuid({harness.USER}); os.execv('/bin/true', ['true', 'é\"\\\\\\n' * 5000, 'y' * 5000])"
    subprocess.run([sys.executable, "-c", code], check=True)


def calls(folder, name, seconds):
    caller = harness.call(folder / name)
    time.sleep(seconds)
    (folder / name).touch()
    return int(caller.communicate()[0])


def check_refused(summary):
    """Whom the program does not trust gets nothing; who does not trust the program takes nothing."""
    for name, reason in {"wrong_authority": "certificate", "wrong_name": "hostname mismatch", "no_certificate": "",
                         "wrong_certificate": ""}.items():
        output = harness.report_of(summary, f"syslog {name}")
        assert output["written"] == 0 and reason in output["error"].lower() and output["error"], output


def main():
    assert os.geteuid() == 0, "needs root"
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        os.chmod(folder, 0o755)
        for name in ("authority", "stranger"):
            make_authority(folder, name)
        for name, authority in {"localhost": "authority", "client": "authority", "forged": "stranger"}.items():
            make_certificate(folder, name, authority)
        ports = [free_port() for _ in range(3)]
        received = [(folder / "tls", "local3"), (folder / "tls", "user"), (folder / "tcp", "user")]
        with open(folder / "log", "w", encoding="utf-8") as log:
            program = harness.start(PROGRAM, folder, outputs(folder, ports), log,
                                    f"getpgid uid = {harness.USER}\nexecve uid = {harness.USER}\n")
            number = calls(folder, "away", 0.3)  # and the server is not there
            rsyslog = start_rsyslog(folder, ports)
            large_exec()
            wait_for_lines(received, number + 1)
            end_rsyslog(rsyslog)
            rsyslog = start_rsyslog(folder, ports)
            number += calls(folder, "back", 0.5)
            wait_for_lines(received, number + 1)
            program.send_signal(signal.SIGTERM)
            assert program.wait(30) == 0
            end_rsyslog(rsyslog)
        summary = harness.summary_of(log.name)
        reference = harness.without_checkpoints((folder / "reference").read_text().splitlines())
        assert len(reference) > number and max(map(len, reference)) > 30_000, (len(reference), number)
        for path, facility in received:
            lines = harness.without_checkpoints(lines_of(path, facility))
            missing = set(reference) - set(lines)
            assert not missing and set(lines) <= set(reference), f"{path}: {len(missing)} of {len(reference)} missing"
        tls = harness.report_of(summary, "syslog tls")
        assert tls["written"] == summary["emitted"] and tls["lost"] == 0 and tls["waiting"] == 0, tls
        assert harness.report_of(summary, "syslog address")["written"] == summary["emitted"]
        assert set(harness.without_checkpoints(lines_of(folder / "udp", "user"))) <= set(reference) and (folder / "udp").stat().st_size > 0
        check_refused(summary)
        print(f"syslog_test.py: {len(reference)} lines by TLS and TCP, identical")


main()
