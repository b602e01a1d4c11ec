# SPDX-License-Identifier: MIT
"""Far ends that tests let go away, come back and be slow: HTTP, syslog over TCP, Kafka."""
import gzip
import http.server
import socket
import socketserver
import subprocess
import threading
import time

from certificates import free_port


class Server:
    """Listens when it is up; each connection is a thread's, and ends when it goes down."""

    def __init__(self):
        self.port, self.lines, self.server, self.is_slow, self.sockets = free_port(), [], None, False, []

    def up(self):
        far = self

        class Handler(self.handler):
            def setup(self):
                far.sockets.append(self.request)
                self.far = far
                super().setup()

        class Listener(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads, block_on_close, request_queue_size = True, True, False, 64

            def handle_error(self, request, client_address):
                pass  # it went down in the middle

        self.server = Listener(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def down(self):
        self.server.shutdown()
        self.server.server_close()
        for one in self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.sockets.clear()

    def slow(self, is_slow):
        self.is_slow = is_slow

    def received(self):
        return list(self.lines)

    def close(self):
        self.down()


class Web(Server):
    class handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            lines = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"]))).decode().splitlines()
            self.far.lines += lines
            time.sleep(0.7 if self.far.is_slow else 0)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format, *args):
            pass


class Log(Server):
    class handler(socketserver.StreamRequestHandler):
        def handle(self):
            while True:
                size = b""
                while not size.endswith(b" "):
                    byte = self.rfile.read(1)
                    if not byte:
                        return
                    size += byte
                message = self.rfile.read(int(size))
                if len(message) < int(size):
                    return  # cut in the middle
                self.far.lines.append(message[message.index(b"{"):].decode())
                if self.far.is_slow:
                    time.sleep(0.01)


class Bus:
    """Brokers of Kafka with the topic "events", by the program kafka_brokers; down at first."""

    def __init__(self, brokers):
        self.process = subprocess.Popen([brokers, "events"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        self.make("down")

    def make(self, state):
        print(state, file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == state + "\n"

    def up(self):
        self.make("up")

    def down(self):
        self.make("down")

    def slow(self, is_slow):
        self.make("slow" if is_slow else "quick")

    def received(self, after=0):
        """What is in the topic, but for so many at its beginning; brokers of tests keep 5 MB."""
        return subprocess.run(["kcat", "-C", "-b", self.address, "-t", "events", "-o", str(after), "-e", "-q"], check=True,
                              stdout=subprocess.PIPE, text=True, timeout=60).stdout.splitlines()

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
