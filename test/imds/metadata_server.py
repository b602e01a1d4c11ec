#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Metadata services of the test's own, as the clouds document theirs.

Listens on each ADDRESS:PORT given, prints "ready", and ends with its standard input.
"""
import http.server
import json
import socket
import sys
import threading

TOKEN = "SECRET-aws-session-token-5f1c"
CREDENTIALS = {
    "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z",
    "Expiration": "2026-01-01T06:00:00Z", "AccessKeyId": "ASIATESTACCESSKEY000",
    "SecretAccessKey": "SECRET-aws-secret-access-key-77ab", "Token": "SECRET-aws-credential-token-c0de",
}
OAUTH = {"access_token": "SECRET-oauth-access-token-91d2", "expires_in": "3599", "token_type": "Bearer"}
USER_DATA = b"#!/bin/sh\n# SECRET-user-data-0d4e\n" + b"x" * 300_000
ROLE = "/latest/meta-data/iam/security-credentials/"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def version_string(self):
        if self.path.startswith("/computeMetadata/"):
            return "Metadata Server for VM"
        return "IMDS/150.870.65.1854" if self.path.startswith("/metadata/") else "EC2ws"

    def log_message(self, *_):
        pass

    def reply(self, status, body, kind="text/plain"):
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/latest/api/token" and self.headers.get("X-aws-ec2-metadata-token-ttl-seconds"):
            self.reply(200, TOKEN)
        else:
            self.reply(400, "bad request")

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.startswith("/computeMetadata/"):
            return self.google(path)
        if path.startswith("/metadata/"):
            return self.azure(path)
        token = self.headers.get("X-aws-ec2-metadata-token")
        if token and token != TOKEN:
            return self.reply(401, "unauthorized")
        if path == ROLE + "test-role":
            return self.reply(200, json.dumps(CREDENTIALS), "application/json")
        if path == "/latest/user-data":
            return self.reply(200, USER_DATA, "application/octet-stream")
        if path == "/latest/chunked":
            return self.chunked()
        if path.startswith("/latest/"):
            return self.reply(200, "i-0123456789abcdef0")
        self.reply(404, "not found")

    def google(self, path):
        if self.headers.get("Metadata-Flavor") != "Google":
            return self.reply(403, "missing header")
        if path.endswith("/token"):
            return self.reply(200, json.dumps(OAUTH), "application/json")
        self.reply(200, "test-project")

    def azure(self, path):
        if self.headers.get("Metadata") != "true":
            return self.reply(400, "missing header")
        if path == "/metadata/identity/oauth2/token":
            return self.reply(200, json.dumps(OAUTH), "application/json")
        self.reply(200, json.dumps({"compute": {"vmId": "test"}}), "application/json")

    def chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (b"one", b"two", b"three"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    do_HEAD = do_POST = do_GET


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self):  # without looking for the host's name
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)


class Server6(Server):
    address_family = socket.AF_INET6


def main():
    for place in sys.argv[1:]:
        address, _, port = place.rpartition(":")
        kind = Server6 if ":" in address else Server
        server = kind((address.strip("[]"), int(port)), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


main()
