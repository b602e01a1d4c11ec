# SPDX-License-Identifier: MIT
"""Does the acts of techniques where they change nothing: in name spaces of their own, on copies.

usage: unshare --mount --uts --ipc --net --propagation private sandbox.py < JOBS > DONE

JOBS is JSON: {"agent": PID, "acts": [{"name", "command" or "script"}, ...]}. DONE has a JSON line for each act:
its name, the id of its process, how it ended, when and what it said. Every act is a process with a session of its own.
"""
import ctypes  # all that a script may need is loaded before folders are covered
import fcntl
import json
import mmap
import os
import pathlib
import platform
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

import calls

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
ACT_SECONDS = 10
COPIED = ["/etc"]
EMPTY = ["/root", "/home", "/var/log", "/var/spool", "/var/www", "/usr/local", "/boot", "/opt", "/srv", "/lib/modules",
         "/tmp", "/var/tmp", "/dev/shm", "/run"]
FOLDERS = """/home/replay/.ssh /home/replay/.aws /home/replay/.kube /home/replay/project/.git/hooks /root/.ssh
    /var/spool/cron/crontabs /var/spool/at /var/www/html /usr/local/bin /usr/local/lib/python3/dist-packages
    /boot/grub /run/secrets/kubernetes.io/serviceaccount /lib/modules/replay /etc/pam.d /etc/sudoers.d /etc/cron.d
    /etc/profile.d /etc/init.d /etc/systemd/system /etc/udev/rules.d /etc/modules-load.d /etc/apt/apt.conf.d
    /etc/update-motd.d /etc/NetworkManager/dispatcher.d /etc/kubernetes/manifests /etc/dbus-1/system.d /etc/audit/rules.d
    /etc/ssh /etc/selinux /etc/ssl/certs /etc/rsyslog.d""".split()
FILES = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nreplay:x:54321:54321::/home/replay:/bin/sh\n",
    "/etc/group": "root:x:0:\nreplay:x:54321:\n",
    "/etc/shadow": "root:*:19000:0:99999:7:::\nreplay:!:19000:0:99999:7:::\n",
    "/etc/gshadow": "root:*::\nreplay:!::\n",
    "/etc/sudoers": "root ALL=(ALL:ALL) ALL\n",
    "/etc/ssh/ssh_host_rsa_key": "no key\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
    "/home/replay/.bashrc": "# a user's\n",
    "/home/replay/.profile": "# a user's\n",
    "/home/replay/.bash_history": "ls\n",
    "/home/replay/.ssh/id_rsa": "no key\n",
    "/home/replay/.ssh/authorized_keys": "",
    "/home/replay/.aws/credentials": "[default]\n",
    "/home/replay/.kube/config": "apiVersion: v1\n",
    "/run/secrets/kubernetes.io/serviceaccount/token": "no token\n",
    "/var/log/auth.log": "a line\n",
    "/var/log/syslog": "a line\n",
    "/var/log/kern.log": "a line\n",
    "/var/log/wtmp": "",
}
PRIVATE = {"/etc/shadow": 0o640, "/etc/gshadow": 0o640, "/etc/sudoers": 0o440, "/etc/ssh/ssh_host_rsa_key": 0o600}


def cover(folder, content):
    """A file system in memory over a folder, which nobody else sees."""
    if not os.path.isdir(folder):
        return False
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "mode=0755", "replay", folder], check=True)
    if content:
        for each in pathlib.Path(content).iterdir():
            shutil.copytree(each, f"{folder}/{each.name}", symlinks=True, ignore_dangling_symlinks=True) \
                if each.is_dir() and not each.is_symlink() else shutil.copy2(each, folder, follow_symlinks=False)
    return True


def prepare():
    """Everything that acts change is covered; where that fails nothing is done at all."""
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "mode=0755", "replay", "/mnt"], check=True)
    for folder in COPIED:
        subprocess.run(["/bin/cp", "-a", folder, "/mnt/copy"], check=True)
        cover(folder, "/mnt/copy")
        shutil.rmtree("/mnt/copy")
    for folder in EMPTY:
        if not cover(folder, None) and folder.count("/") == 1:
            raise SystemExit(f"there is no {folder}")
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        os.chmod(folder, 0o1777)
    for folder in FOLDERS:
        os.makedirs(folder, exist_ok=True)
    for name, text in FILES.items():
        pathlib.Path(name).unlink(missing_ok=True)
        pathlib.Path(name).write_text(text)
        os.chmod(name, PRIVATE.get(name, 0o644))
    shutil.copy("/bin/true", "/usr/local/bin/tool")
    shutil.copy("/bin/true", "/home/replay/tool")
    for folder, folders, files in os.walk("/home/replay"):
        for each in (folder, *(os.path.join(folder, name) for name in folders + files)):
            os.chown(each, 54321, 54321)
    subprocess.run(["/sbin/ip", "link", "set", "lo", "up"], check=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("/run/docker.sock")
    listener.listen(5)
    return listener


def do_script(text, agent):
    names = {name: value for name, value in globals().items() if not name.startswith("_")}
    names |= {name: value for name, value in vars(calls).items() if not name.startswith("_")}
    names["agent"] = agent
    exec(compile(text, "script", "exec"), names)  # what the tables of this very folder say


def do(act, agent, environment):
    """In a process of its own, with its session: the id and how it ended."""
    said_read, said = os.pipe()
    child = os.fork()
    if child == 0:
        status = 120
        try:
            os.setsid()
            null = os.open("/dev/null", os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(said, 1)
            os.dup2(said, 2)
            os.chdir("/tmp")
            if "command" in act:
                os.execve("/bin/sh", ["sh", "-c", act["command"]], environment)
            do_script(act["script"], agent)
            status = 0
        except BaseException as error:  # whatever it is belongs into the report
            os.write(2, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(status)
    os.close(said)
    start = time.monotonic()
    deadline = start + act.get("seconds", ACT_SECONDS)
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended and time.monotonic() < deadline:
        time.sleep(0.005)
        ended, status = os.waitpid(child, os.WNOHANG)
    if not ended:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        status = None
    seconds = time.monotonic() - start
    os.set_blocking(said_read, False)
    try:
        text = os.read(said_read, 2000).decode(errors="replace")
    except BlockingIOError:
        text = ""
    os.close(said_read)
    return {"name": act["name"], "pid": child, "status": status, "seconds": seconds, "said": text.strip()}


def main():
    jobs = json.load(sys.stdin)
    listener = prepare()
    environment = {"PATH": PATH, "LC_ALL": "C", "HOME": "/root", "AGENT": str(jobs["agent"])}
    environment |= {f"NR_{name}": str(number) for name, number in calls.NUMBERS.items()}
    for act in jobs["acts"]:
        print(json.dumps(do(act, jobs["agent"], environment)), flush=True)
    listener.close()


if __name__ == "__main__":
    main()
