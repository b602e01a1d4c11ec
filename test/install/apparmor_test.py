#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The AppArmor profiles are in order, and let the services do what units, files of options and sources name.

usage: apparmor_test.py SOURCE BUILD"""
import itertools
import pathlib
import re
import subprocess
import sys
import tempfile

source, build = map(pathlib.Path, sys.argv[1:])
profiles = source / "packaging/apparmor"


def parser(*arguments, profile):
    # Everything of AppArmor 3.0 is taken to be there, whatever this kernel has. No cache, and nothing is loaded.
    return subprocess.run(["/sbin/apparmor_parser", "--skip-kernel-load", "--skip-cache", "--features-file=/etc/apparmor.d/abi/3.0",
                           "--warn=all", "--Werror", f"--Include={profiles}", *arguments, profile], capture_output=True)


def alternatives(glob):
    """The glob without braces: {a,b} is each of them."""
    brace = re.search(r"\{([^{}]*)\}", glob)
    if not brace:
        return [glob]
    return list(itertools.chain.from_iterable(
        alternatives(glob[:brace.start()] + part + glob[brace.end():]) for part in brace[1].split(",")))


def expression(glob):
    """A pattern of re for what apparmor.d(5) says of *, ** and []; behind a slash at least one character stands for them."""
    pattern = ""
    for piece in re.findall(r"\*\*|\*|\[[^]]*\]|.", glob):
        kind = {"**": ".", "*": "[^/]"}.get(piece)
        if kind:
            pattern += kind + ("+" if pattern.endswith("/") else "*")
        else:
            pattern += piece if piece[0] == "[" else re.escape(piece)
    return re.compile(pattern)


class Profile:
    def __init__(self, name):
        self.name = name
        file = profiles / name
        for output in ("--stdout", "--names"):
            done = parser(output, profile=file)
            assert done.returncode == 0 and done.stdout, (name, done.stderr.decode())
        assert done.stdout.decode().strip() == name, done.stdout # AppArmorProfile=%N
        text = parser("--preprocess", profile=file).stdout.decode()
        text = re.sub(r"#.*", "", text[text.index(f"profile {name} "):])
        text = text.replace("@{pid}", "[0-9]*").replace("@{tid}", "[0-9]*")
        self.files = [(expression(glob), rights) for line in re.findall(r"^\s*(/\S*\s+[a-z]+),", text, re.M)
                      for path, rights in [line.split()] for glob in alternatives(path)]
        self.capabilities = set(re.findall(r"^\s*capability (\w+),", text, re.M))
        self.families = set(re.findall(r"^\s*(?:network )?(unix|inet6?|netlink)\b", text, re.M))
        self.executes = {path for path, rights in re.findall(r"^\s*(/\S*)\s+([a-z]+),", text, re.M) if "x" in rights}
        self.text = text

    def allows(self, path, rights):
        found = set().union(*(r for glob, r in self.files if glob.fullmatch(path)))
        return set(rights) <= found

    def require(self, path, rights):
        assert self.allows(path, rights), f"the profile {self.name} does not allow {rights} of {path}"

    def forbid(self, path, rights):
        assert not self.allows(path, rights), f"the profile {self.name} allows {rights} of {path}"


def literals(*files):
    """Paths that the sources name."""
    found = set()
    for file in files:
        code = re.sub(r"//.*", "", (source / file).read_text())
        found |= set(re.findall(r'"(/(?:etc|usr|var|run|sys|proc|dev)/[^"]*)"', code))
    assert found, files
    return found


def check_unit(profile, program):
    unit = (build / f"packaging/{profile.name}.service").read_text()
    setting = lambda name: re.findall(rf"^{name}=(.*)$", unit, re.M)
    profile.require(f"/usr/sbin/{program}", "mr")
    assert setting("ExecStart")[0].split()[0].endswith(f"/sbin/{program}")
    assert setting("Type") == ["notify"]
    profile.require("/run/systemd/notify", "w")
    options, = setting("Environment")
    for path in re.findall(r"(/var/\S+|/run/[^\s\"]+)", options):
        profile.require(path, "rw")
    for kind, above in {"Logs": "/var/log", "Runtime": "/run", "Cache": "/var/cache", "State": "/var/lib"}.items():
        for name in setting(f"{kind}Directory"):
            profile.require(f"{above}/{name}/", "r")
            profile.require(f"{above}/{name}/folder/file", "rwk" if kind == "State" else "rw")
    bounds = {c.removeprefix("CAP_").lower() for c in setting("CapabilityBoundingSet")[0].split()}
    assert profile.capabilities == bounds, profile.capabilities ^ bounds
    families = {f.removeprefix("AF_").lower() for f in setting("RestrictAddressFamilies")[0].split()}
    assert families <= profile.families, families


def check_files(profile):
    name = profile.name
    for path in (f"/etc/{name}/{name}.conf", f"/etc/{name}/conf.d/site.conf", f"/etc/{name}/rules.d/50-default.rules",
                 f"/etc/{name}/conf.d/", f"/etc/{name}/rules.d/", f"/etc/{name}/siem.password"):
        profile.require(path, "r")
    for path in re.findall(r"= (/\S+)", (source / f"packaging/conf/{name}.conf").read_text()):
        profile.require(path, "r")
    for path in re.findall(r"^(/\S+) \{", (source / f"packaging/logrotate/{name}").read_text(), re.M):
        profile.require(path.replace("*", "events"), "rw")
    rest = {"/etc/ebpf-telemetry/rules.d"} # of ebpf_telemetry alone, and above
    for path in literals("telemetry/base/paths.hpp", "telemetry/sink/certificates.cpp", "loader/src/base/cpus.cpp",
                         "loader/src/base/kernel_image.cpp", "loader/src/load/witness/kprobe_switches.cpp") - rest:
        profile.require(path, "r")
    of_portable = (source / "telemetry/helper/readable_files.cpp").read_text().split("#ifndef EBT_PORTABLE")[0]
    for path in re.findall(r'"(/\w+/[^"]+)"', of_portable):
        profile.require(path, "r")
    for path in literals("telemetry/process/container_names.cpp"):
        end = "config.v2.json" if "docker" in path else "config.json" if "containerd" in path else "userdata/config.json"
        profile.require(f"{path}3f9a/{end}", "r")
    for path in literals("loader/src/self_check/own_process.cpp", "loader/src/probe/probe.cpp", "loader/src/base/procfs.cpp",
                         "telemetry/limits/memory_budget.cpp", "telemetry/app/engine_setup.cpp"):
        path = path.replace("/proc/self/", "/proc/4711/")
        # Links are read without a right, folders looked at.
        if not re.fullmatch(r"/proc/self|/proc/\d+/(exe|cwd|fd/?|ns/\w*|task)|/sys/kernel/security", path):
            profile.require(path, "r")
    profile.require("/var/cache/ebpf_telemetry/6.1.conf.a1b2c3", "rw")
    for metrics in {"ebpf-telemetry": ("ebpf_telemetry.prom", "ebpf_telemetry.prom.new")}.get(name, ()):
        profile.require(f"/var/lib/prometheus/node-exporter/{metrics}", "rw")


def check_narrowness(profile):
    for path in ("/etc/shadow", "/root/.ssh/id_rsa", "/home/a/.bashrc", "/etc/ssl/private/key.pem", "/proc/1/mem", "/usr/bin/true", "/tmp/a"):
        profile.forbid(path, "r")
    for path in (f"/etc/{profile.name}/{profile.name}.conf", f"/usr/share/ebpf_telemetry/rules/minimal.rules", "/proc/1/comm",
                 "/etc/passwd", "/var/log/syslog", "/etc/apparmor.d/local/x", "/sys/kernel/tracing/events/enable"):
        profile.forbid(path, "w")
    assert profile.executes == {"/"}, profile.executes
    assert not re.search(r"\b(change_profile|mount|pivot_root|dbus|userns)\b", profile.text)


for name, program in {"ebpf-telemetry": "ebpf_telemetry", "imds-tracker": "imds-tracker"}.items():
    profile = Profile(name)
    check_unit(profile, program)
    check_files(profile)
    check_narrowness(profile)
    assert re.search(rf"^abi <abi/3.0>,$", (profiles / name).read_text(), re.M)
    assert f"include if exists <local/{name}>" in (profiles / name).read_text()

# What is wrong is seen here.
with tempfile.NamedTemporaryFile("w") as wrong:
    wrong.write((profiles / "ebpf-telemetry").read_text().replace(" rwk,", " rwk"))
    wrong.flush()
    assert parser("--stdout", profile=wrong.name).returncode != 0
    assert not Profile("ebpf-telemetry").allows("/var/log/ebpf-telemetry-2/events.json", "w")
print("profiles: all as they should be")
