#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kind = http over TLS: who is not whom the program was told to trust gets nothing, whom the server does not trust gives
nothing, and nothing is lost where both do: usage: tls_test.py PROGRAM"""
import gzip
import http.server
import os
import pathlib
import signal
import ssl
import sys
import tempfile
import threading
import time

import harness
from certificates import make_authority, make_certificate

PROGRAM = os.path.abspath(sys.argv[1])


class Receiver(http.server.ThreadingHTTPServer):
    """Shows the certificate of that name, and takes clients of the authority alone."""
    daemon_threads = True

    def __init__(self, folder, certificate):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lines, self.lock = [], threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{certificate}.pem", folder / f"{certificate}.key")
        context.load_verify_locations(folder / "authority.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a handshake that failed

    @property
    def url(self):
        return f"https://localhost:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def do_POST(self):
        lines = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"]))).decode().splitlines()
        with self.server.lock:
            self.server.lines += lines
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        pass


def outputs(folder, good, other, expired):
    quick = "kind = http\nretry_first = 20ms\nretry_longest = 200ms\nbatch_time = 50ms\nqueue = 64M\n"
    ours, stranger = f"ca_file = {folder}/authority.pem\n", f"ca_file = {folder}/stranger.pem\n"

    def client(name):
        return f"cert_file = {folder}/{name}.pem\nkey_file = {folder}/{name}.key\n"

    sections = {
        "good": f"url = {good.url}\n{ours}{client('client')}spool = 64M\nspool_dir = {folder}/spool\n",
        "wrong_authority": f"url = {good.url}\n{stranger}{client('client')}",
        "wrong_name": f"url = {other.url}\n{ours}{client('client')}",
        "expired": f"url = {expired.url}\n{ours}{client('client')}",
        "no_certificate": f"url = {good.url}\n{ours}",
        "forged_certificate": f"url = {good.url}\n{ours}{client('forged')}",
        "expired_certificate": f"url = {good.url}\n{ours}{client('client_expired')}",
    }
    text = "".join(f"[output.{name}]\n{quick}{options}" for name, options in sections.items())
    return text + f"[output.reference]\nkind = file\npath = {folder}/reference\nqueue = 64M\nmax_line = 1M\n", set(sections) - {"good"}


def main():
    assert os.geteuid() == 0, "needs root"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        for authority in ("authority", "stranger"):
            make_authority(folder, authority)
        make_certificate(folder, "localhost", "authority")
        make_certificate(folder, "elsewhere.example.com", "authority", address="192.0.2.1")
        make_certificate(folder, "client", "authority")
        make_certificate(folder, "forged", "stranger")
        make_certificate(folder, "client_expired", "authority", days=-1)
        (folder / "keep").mkdir()
        os.rename(folder / "localhost.pem", folder / "keep/pem")
        os.rename(folder / "localhost.key", folder / "keep/key")
        make_certificate(folder, "localhost", "authority", days=-1)
        os.rename(folder / "localhost.pem", folder / "expired.pem")
        os.rename(folder / "localhost.key", folder / "expired.key")
        os.rename(folder / "keep/pem", folder / "localhost.pem")
        os.rename(folder / "keep/key", folder / "localhost.key")
        good, other, expired = (Receiver(folder, certificate)
                                for certificate in ("localhost", "elsewhere.example.com", "expired"))
        text, refused = outputs(folder, good, other, expired)
        with open(folder / "log", "w", encoding="utf-8") as log:
            program = harness.start(PROGRAM, folder, text, log)
            caller = harness.call(folder / "stop")
            time.sleep(0.7)
            (folder / "stop").touch()
            caller.communicate()
            end = time.monotonic() + 20
            while time.monotonic() < end and len(set(good.lines)) < len((folder / "reference").read_text().splitlines()):
                time.sleep(0.1)
            program.send_signal(signal.SIGTERM)
            assert program.wait(30) == 0
        summary = harness.summary_of(log.name)
        reference = harness.without_checkpoints((folder / "reference").read_text().splitlines())
        assert set(harness.without_checkpoints(good.lines)) == set(reference)
        output = harness.report_of(summary, "http good")
        assert output["written"] == summary["emitted"] and output["lost"] == 0 and output["waiting"] == 0, output
        assert not other.lines and not expired.lines
        for section in refused:
            output = harness.report_of(summary, f"http {section}")
            assert output["written"] == 0 and output["error"], (section, output)
            assert output["lost"] == output["offered"] and set(output["lost_by"]) <= {"run_end", "queue_full"}, output
        print(f"tls_test.py: {len(reference)} lines by TLS, identical; {len(refused)} kinds of distrust, nothing")


main()
