#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many hosts and one receiver that goes away and comes back: every event arrives or is counted as lost, and the hosts do
not all come at once. Then the same hosts into the mock cluster of Kafka.

usage: return_test.py SENDERS PROGRAM BROKERS [HOSTS [SECONDS_AWAY]]
"""
import asyncio
import collections
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

SENDERS, PROGRAM, BROKERS = map(os.path.abspath, sys.argv[1:4])
HOSTS = int(sys.argv[4]) if len(sys.argv) > 4 else 60
AWAY = float(sys.argv[5]) if len(sys.argv) > 5 else 4
RATE = 10 if AWAY < 60 else 1  # events a second of each host
LONGEST_PAUSE = 2 if AWAY < 60 else 20  # seconds, of the senders
SECONDS = 2 + AWAY + 1


class Receiver:
    """Counts the events and remembers when which host came first after it was away. While it is away nobody listens."""

    def __init__(self):
        self.ids, self.requests = collections.Counter(), 0
        self.back, self.first = None, {}
        self.loop = asyncio.new_event_loop()
        self.server = None
        self.connections = set()
        self.port = 0
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=4096, limit=1 << 24)
        self.port = self.server.sockets[0].getsockname()[1]
        self.back = time.monotonic()

    async def leave(self):
        self.server.close()
        for writer in list(self.connections):
            writer.transport.abort()
        self.first.clear()

    async def serve(self, reader, writer):
        self.connections.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(re.search(rb"content-length: (\d+)", head, re.I).group(1))
                lines = gzip.decompress(await reader.readexactly(size))
                ids = re.findall(rb'"id":"(sender-(\d+)-\d+)"', lines)
                assert ids
                self.first.setdefault(ids[0][1], time.monotonic() - self.back)
                self.requests += 1
                self.ids.update(i for i, _ in ids)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.connections.discard(writer)
            writer.close()


def record(folder):
    """Some seconds of this machine."""
    work = subprocess.Popen(["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do ls /etc >/dev/null; sleep 0.2; done"])
    subprocess.run([PROGRAM, "-q", "-f", "json", "--no-witness", "-o", folder / "lines", "--duration", "2"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    work.wait()
    return folder / "lines"


def senders(folder, options, hosts, events, rate):
    (folder / "output").write_text("[output.store]\n" + options)
    return subprocess.Popen([SENDERS, folder / "output", folder / "lines", str(hosts), str(events), str(rate)],
                            stdout=subprocess.PIPE, text=True)


def check_spread(first):
    """By when half of the hosts came, after it was back: all at once would be within a small part of the pause."""
    times = sorted(first.values())
    assert len(times) == HOSTS, f"{len(times)} of {HOSTS} hosts came back"
    window = LONGEST_PAUSE / 10
    busiest = max(sum(t <= other < t + window for other in times) for t in times)
    assert busiest <= max(10, HOSTS * 0.4), f"{busiest} of {HOSTS} hosts within {window} s: {times}"
    return busiest, window, times[-1]


def outage(folder):
    receiver = Receiver()
    receiver.call(receiver.listen())
    events = int(SECONDS * RATE)
    process = senders(folder, f"kind = http\nurl = http://127.0.0.1:{receiver.port}\nbatch_time = 300ms\ntimeout = 10s\n"
                      f"retry_first = 100ms\nretry_longest = {LONGEST_PAUSE}s\nspool = 16M\nspool_dir = {folder}/spool@\n",
                      HOSTS, events, RATE)
    time.sleep(2)
    before = len(receiver.ids)
    receiver.call(receiver.leave())
    time.sleep(AWAY)
    receiver.call(receiver.listen())
    result = json.loads(process.communicate(timeout=300)[0])
    assert before > 0 and result["events"] == HOSTS * events, result
    assert result["delivered"] == result["events"] and not result["lost"], result
    assert len(receiver.ids) == result["events"], f"{len(receiver.ids)} of {result}"
    busiest, window, last = check_spread(receiver.first)
    copies = sum(receiver.ids.values()) - len(receiver.ids)
    print(f"return_test.py: {HOSTS} hosts, away for {AWAY} s: {len(receiver.ids)} events, each there, {copies} twice; "
          f"at most {busiest} hosts came back within {window} s, the last after {last:.1f} s")


def kafka(folder):
    with subprocess.Popen([BROKERS, "events"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as brokers:
        address = brokers.stdout.readline().strip()
        hosts = min(HOSTS, 40)  # each has threads of librdkafka's besides
        process = senders(folder, f"kind = kafka\nbrokers = {address}\ntopic = events\nbatch_time = 200ms\nkey = host@\n",
                          hosts, 50, 50)
        result = json.loads(process.communicate(timeout=120)[0])
        consumed = subprocess.run(["kcat", "-C", "-b", address, "-t", "events", "-o", "beginning", "-e", "-q", "-f", "%k %s\\n"],
                                  stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
        brokers.stdin.close()
    ids = set(re.findall(r'"id":"(sender-\d+-\d+)"', consumed))
    assert result["delivered"] == result["events"] == len(ids) == hosts * 50 and not result["lost"], (result, len(ids))
    assert len({line.split(" ", 1)[0] for line in consumed.splitlines()}) == hosts
    print(f"return_test.py: {hosts} hosts into Kafka: {len(ids)} events, each there")


def main():
    assert os.geteuid() == 0, "needs root"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        record(folder)
        outage(folder)
        kafka(folder)


main()
