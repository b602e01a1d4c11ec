# SPDX-License-Identifier: MIT
"""Recorded events as -f json writes them, any number of them, the same for the same seed."""
import json
import random

BASE = 1_795_000_000_000_000_000  # nanoseconds since 1970
HOSTILE = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "a\u202egnp.exe", "\x1b]0;owned\x07", "'\"><svg/onload=alert(3)>",
           "@DATA@", "${alert(4)}", "line\nbreak", "\u200b\u200b", "javascript:alert(5)", "x" * 3000, "__proto__", "constructor"]
USERS = [("0", "root"), ("1000", "ann"), ("33", "www-data"), ("1001", "bob")]


def when(nanoseconds):
    import datetime
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


class Host:
    def __init__(self, count, hostile, seed):
        self.random = random.Random(seed)
        self.count, self.hostile = count, hostile
        self.processes, self.number = [], 0
        self.make("systemd", None, 0, USERS[0], None)

    def make(self, name, parent, time, user, container):
        self.number += 1
        process = {"pid": self.number, "name": name, "parent": parent, "start": time, "user": user, "container": container, "alive": True}
        self.processes.append(process)
        return process

    def described(self, of, with_parent=True):
        user = {"id": of["user"][0], "name": of["user"][1]}
        told = {"pid": of["pid"], "entity_id": f"boot-{of['pid']}", "start": when(BASE + of["start"]), "name": of["name"], "executable": "/usr/bin/" + of["name"],
                "args": [of["name"]], "command_line": of["name"] + " --serve", "working_directory": "/srv", "user": user, "real_user": user}
        if with_parent and of["parent"]:
            told["parent"] = self.described(of["parent"], False)
        return told

    def event(self, time, process, code, action, category, **more):
        failed = more.pop("error", None)
        line = {"@timestamp": when(BASE + time), "host": {"name": "web1"},
                "event": {"code": code, "kind": "event", "action": action, "category": [category], "outcome": "failure" if failed else "success"},
                "process": self.described(process), "linux": {"telemetry": {"sequence": time}}}
        if failed:
            line["error"] = {"code": failed}
        if process["container"]:
            line["container"] = {"id": process["container"], "runtime": "docker"}
        line.update(more)
        return line

    def lines(self):
        time = 0
        for i in range(self.count):
            time += int(self.random.expovariate(1) * 50_000_000 * 1000 / self.count * 10)
            yield json.dumps(self.one(i, time))

    def one(self, i, time):
        choice = self.random.random()
        process = self.random.choice(self.processes[-40:])
        if choice < 0.12:
            names = HOSTILE if self.hostile else ["bash", "sshd", "nginx", "python3", "cat", "curl", "sudo", "cron"]
            container = self.random.choice([None, None, "c0ffee" * 10 + "0123", process["container"]])
            child = self.make(self.random.choice(names), process, time, self.random.choice(USERS), container)
            return self.event(time, child, "execve", "exec", "process")
        if choice < 0.18 and process["pid"] != 1:
            self.processes.remove(process)
            line = self.event(time, process, "process_exit", "end", "process")
            line["process"]["exit_code"] = self.random.choice([0, 0, 1, 127])
            return line
        if choice < 0.6:
            path = self.random.choice(HOSTILE) if self.hostile else f"/var/lib/app/{self.random.randrange(5000)}.db"
            return self.event(time, process, "openat", "open", "file", file={"path": path}, tags=["secrets"] if i % 9 == 0 else [],
                              error="EACCES" if i % 11 == 0 else None)
        if choice < 0.9:
            address = f"10.0.{self.random.randrange(9)}.{self.random.randrange(250)}"
            return self.event(time, process, "connect", "connection_attempted", "network", destination={"address": address, "port": 443})
        if choice < 0.95:
            line = self.event(time, process, "setuid", "uid_change", "process")
            line["linux"]["syscall"] = {"args": {"uid": "0"}}
            return line
        return {"@timestamp": when(BASE + time), "host": {"name": "web1"}, "event": {"kind": "pipeline_error", "action": "loss"},
                "linux": {"telemetry": {"loss": {"cause": "buffer_full", "count": 3}}}}


def write(path, count, hostile=False, seed=7):
    with open(path, "w", encoding="utf-8") as out:
        for line in Host(count, hostile, seed).lines():
            out.write(line + "\n")
