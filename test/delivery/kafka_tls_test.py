#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kind = kafka over TLS with certificates of both sides. librdkafka's mock cluster speaks no TLS and says in its answers at
which address it is, so the program runs in a network namespace of its own, where something that speaks TLS is at that
very address and hands on to the cluster outside: usage: kafka_tls_test.py PROGRAM BROKERS"""
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import harness
from certificates import make_authority, make_certificate

PROGRAM, BROKERS = map(os.path.abspath, sys.argv[1:3])
TOPIC = "events"
# The child's only socket is made within; the parent accepts on it from without.
LISTENER = ("import socket, subprocess, sys\n"
            "subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)\n"
            "listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
            "channel = socket.socket(fileno=int(sys.argv[2]))\n"
            "socket.send_fds(channel, [b'.'], [listener.fileno()])\n"
            "channel.recv(1)\n")


class TlsFront:
    """At the cluster's address in another namespace: takes clients of the authority alone."""

    def __init__(self, folder, address):
        self.address = address
        self.accepted, self.refused = 0, 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "localhost.pem", folder / "localhost.key")
        self.context.load_verify_locations(folder / "authority.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.channel, theirs = socket.socketpair()
        self.child = harness.ends_with_test(subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", LISTENER, str(address[1]), str(theirs.fileno())],
            pass_fds=[theirs.fileno()]))
        theirs.close()
        _, fds, _, _ = socket.recv_fds(self.channel, 1, 1)
        self.listener = socket.socket(fileno=fds[0])
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def within(self):
        """What a command begins with that runs in that namespace."""
        return ["nsenter", f"--net=/proc/{self.child.pid}/ns/net"]

    def accept(self):
        while True:
            threading.Thread(target=self.serve, args=self.listener.accept()[:1], daemon=True).start()

    def serve(self, client):
        try:
            client = self.context.wrap_socket(client, server_side=True)
        except OSError:
            self.refused += 1
            client.close()
            return
        self.accepted += 1
        server = socket.create_connection(self.address)
        threading.Thread(target=self.carry, args=(server, client), daemon=True).start()
        self.carry(client, server)

    @staticmethod
    def carry(source, target):
        try:
            while got := source.recv(65536):
                target.sendall(got)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def output(name, address, authority, client, folder):
    host, port = address
    text = (f"[output.{name}]\nkind = kafka\nbrokers = {host}:{port}\ntopic = {TOPIC}\nbatch_time = 50ms\nretry_first = 20ms\n"
            "retry_longest = 200ms\ntimeout = 2s\nrdkafka.security.protocol = ssl\n"
            f"rdkafka.ssl.ca.location = {folder}/{authority}.pem\n")
    if client:
        text += f"rdkafka.ssl.certificate.location = {folder}/{client}.pem\nrdkafka.ssl.key.location = {folder}/{client}.key\n"
    return text


def consumed(address):
    run = subprocess.run(["kcat", "-C", "-b", "%s:%d" % address, "-t", TOPIC, "-o", "beginning", "-e", "-q"],
                         stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    return run.stdout.splitlines()


def run_program(folder, address, front):
    wrapper = folder / "within"
    wrapper.write_text("#!/bin/sh\nexec " + " ".join(front.within) + f" {PROGRAM} \"$@\"\n")
    wrapper.chmod(0o755)
    outputs = (output("good", address, "authority", "client", folder) +
               output("stranger", address, "other", "client", folder) +  # does not know who the server is
               output("nobody", address, "authority", None, folder) +  # shows no certificate
               f"[output.reference]\nkind = file\npath = {folder}/reference\n")
    with open(folder / "log", "w", encoding="utf-8") as log:
        program = harness.start(wrapper, folder, outputs, log)
        caller = harness.call(folder / "stop")
        time.sleep(1)
        (folder / "stop").touch()
        calls = int(caller.communicate()[0])
        time.sleep(1)
        program.send_signal(signal.SIGTERM)
        assert program.wait(60) in (0, 9)  # 9: two outputs took nothing
    return calls, harness.summary_of(log.name)


def main():
    assert os.geteuid() == 0, "needs root"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        for authority in ("authority", "other"):
            make_authority(folder, authority)
        for certificate in ("localhost", "client"):
            make_certificate(folder, certificate, "authority")
        brokers = harness.ends_with_test(
            subprocess.Popen([BROKERS, TOPIC], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        host, port = brokers.stdout.readline().strip().rsplit(":", 1)
        address = (host, int(port))
        front = TlsFront(folder, address)
        calls, summary = run_program(folder, address, front)
        good, stranger, nobody = (harness.report_of(summary, f"kafka {name}") for name in ("good", "stranger", "nobody"))
        assert summary["imbalance"] == 0 and summary["emitted"] >= calls, summary
        assert good["written"] == summary["emitted"] and good["lost"] == 0, good
        for refused in (stranger, nobody):
            assert refused["written"] == 0 and refused["lost"] == summary["emitted"], refused
        assert front.accepted > 0 and front.refused > 0, (front.accepted, front.refused)
        lines = harness.without_checkpoints(dict.fromkeys(consumed(address)))
        reference = harness.without_checkpoints((folder / "reference").read_text().splitlines())
        assert sorted(lines) == sorted(reference), f"{len(lines)} lines of {len(reference)}"
        print(f"kafka_tls_test.py: {len(lines)} lines over TLS, identical; nothing where one side does not trust the other")
        front.channel.close()
        brokers.stdin.close()
        brokers.wait(10)


main()
