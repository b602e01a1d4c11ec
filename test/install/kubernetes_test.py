#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The DaemonSet's options and rules are ones that the program takes, and what its parts say of each other is so.

usage: kubernetes_test.py MANIFEST DOCKERFILE PROGRAM"""
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

manifest, dockerfile, program = sys.argv[1:]
objects = {o["kind"]: o for o in yaml.safe_load_all(pathlib.Path(manifest).read_text())}
assert set(objects) == {"Namespace", "ConfigMap", "DaemonSet"}, objects.keys()
files = objects["ConfigMap"]["data"]
pod = objects["DaemonSet"]["spec"]["template"]["spec"]
container, = pod["containers"]

# Every volume is mounted, and every mount has a volume.
mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
assert set(mounts) == {v["name"] for v in pod["volumes"]}, mounts
namespace = objects["Namespace"]["metadata"]["name"]
assert all(objects[k]["metadata"]["namespace"] == namespace for k in ("ConfigMap", "DaemonSet"))
labels = objects["DaemonSet"]["spec"]["selector"]["matchLabels"]
assert labels.items() <= objects["DaemonSet"]["spec"]["template"]["metadata"]["labels"].items()
assert pod["volumes"][0]["configMap"]["name"] == objects["ConfigMap"]["metadata"]["name"]

# The files as the program finds them, in a folder.
with tempfile.TemporaryDirectory() as scratch:
    for point in mounts.values():
        pathlib.Path(scratch + point).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        for path in [*mounts.values(), "/host"]:
            text = re.sub(rf"= {path}(?=[/\n])", f"= {scratch}{path}", text)
        pathlib.Path(scratch + mounts["config"], name).write_text(text)
    settings = scratch + mounts["config"] + "/ebpf-telemetry.conf"
    assert "rules = " + scratch in pathlib.Path(settings).read_text(), "the rules are not in a volume"

    def run(*arguments):
        done = subprocess.run([program, "--settings", settings, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout
    assert run("--check").startswith("rules, outputs and kernel offsets"), "not all of it is checked"
    in_force = dict(re.findall(r"^([a-z-]+) = (.*)$", run("--print-config"), re.M))

# Resources are those of the limits, with a quarter more of memory for what the kernel counts besides.
requests, limits = container["resources"]["requests"], container["resources"]["limits"]
assert requests["cpu"] == f"{int(in_force['max-cpu']) * 10}m", requests
assert int(limits["memory"].removesuffix("Mi")) >= int(in_force["max-memory"]) * 5 / 4, limits
# Probes ask where it listens.
for probe in ("livenessProbe", "readinessProbe"):
    get = container[probe]["httpGet"]
    assert f"{get['host']}:{get['port']}" == in_force["listen"] and get["path"] == "/healthz", get
assert pod["hostPID"] and pod["hostNetwork"] and not container["securityContext"]["privileged"]
# Outputs and observed offsets are written to volumes: the container's own root is read-only.
writable = [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")]
path = re.search(r"^path = (.*)$", files["ebpf-telemetry.conf"], re.M)[1]
assert any(path.startswith(point + "/") for point in writable), (path, writable)
assert "/var/cache/ebpf_telemetry" in writable

# No more capabilities than the service has, and those by which the service manager sets its limits and priority.
unit = pathlib.Path(manifest).parent.parent / "systemd/ebpf-telemetry.service.in"
allowed = re.search(r"^CapabilityBoundingSet=(.*)$", unit.read_text(), re.M)[1].split()
assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
assert sorted("CAP_" + c for c in container["securityContext"]["capabilities"]["add"]) == sorted({*allowed, "CAP_SYS_RESOURCE", "CAP_SYS_NICE"})

# The image's program is the one that it starts.
lines = pathlib.Path(dockerfile).read_text().splitlines()
copied = [(*line.split()[1:-1], line.split()[-1]) for line in lines if line.startswith("COPY ")]
assert ("sbin/ebpf_telemetry", "sbin/imds-tracker", "/usr/sbin/") in copied, copied
assert 'ENTRYPOINT ["/usr/sbin/ebpf_telemetry"]' in lines
print("kubernetes: all as it should be")
