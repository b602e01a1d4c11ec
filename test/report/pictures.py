#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the pictures of README.md from real runs: what a small script does on the screen in brief, by --top, and as a page.
Needs root and pyte. Usage: /usr/bin/python3 pictures.py EBPF_TELEMETRY docs"""
import html
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import webdriver

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "top"))
from terminal import Terminal

PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}
SCRIPT = r"""#!/bin/bash
cd /tmp
tar -C /etc -cf config.tar cron.d && gzip -f config.tar
sleep 0.4
su nobody -s /bin/sh -c 'cat /etc/shadow; crontab -l' 2>/dev/null
for port in 9 22 80; do (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; done
sleep 0.3
install -m 4755 /bin/true /tmp/helper && /tmp/helper
python3 -c 'import socket; socket.socket().connect_ex(("127.0.0.1", 443))'
touch /etc/cron.d/demo && rm -f /etc/cron.d/demo /tmp/helper /tmp/config.tar.gz
"""


def run(program, folder):
    """Records in a UTS namespace with a name of its own; the script's first process and all events."""
    events, script = folder / "events.json", folder / "deploy.sh"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    recorder = subprocess.Popen(["unshare", "--uts", "sh", "-c", 'hostname web1; exec "$@"', "sh", program, "--settings", "none", "-f", "json", "-o", events, "-Q"])
    time.sleep(4)
    begun = subprocess.Popen([script], env=PLAIN, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begun.wait()
    time.sleep(0.5)
    recorder.terminate()
    recorder.wait()
    return begun.pid, events


def of_process(pid, events, out):
    """Keeps the events of a process and of what it started."""
    wanted = {pid}
    with open(out, "w", encoding="utf-8") as kept:
        for line in open(events, encoding="utf-8"):
            event = json.loads(line)
            process = event.get("process", {})
            if process.get("pid") in wanted or process.get("parent", {}).get("pid") in wanted:
                wanted.add(process["pid"])
                child = event["linux"].get("process", {}).get("child")
                if child:
                    wanted.add(child["pid"])
                process.get("parent", {}).pop("command_line", None)
                kept.write(json.dumps(event) + "\n")


# What the processes of a group do, which the demonstration is in, and who is nobody.
FOLDER = pathlib.Path("/srv/demo")
GROUP = 42421
OURS = f"gid = {GROUP}  gid = 65534"
RULES = f"""execve {OURS} key T1059
openat flags | (O_WRONLY|O_RDWR) && gid = {GROUP}
openat path = /etc/shadow && gid = {GROUP}  path = /etc/shadow && gid = 65534 key T1003.008
connect {OURS} key T1046
setresuid {OURS}
setuid {OURS} key T1548
fchmodat {OURS}
unlinkat {OURS}
unlink {OURS}
"""
LOOP = r"""
for i in $(seq 60); do (exec 3<>/dev/tcp/127.0.0.1/$((i % 9 + 1))) 2>/dev/null; cat /etc/hosts >/tmp/hosts.$i; rm -f /tmp/hosts.$i; done
tar -C /etc -cf /tmp/config.tar cron.d; gzip -f /tmp/config.tar
su nobody -s /bin/sh -c 'cat /etc/shadow' 2>/dev/null
"""
COLOURS = {"default": "#d8dee9", "black": "#1b2028", "red": "#ff6b6b", "green": "#8fce7f", "brown": "#f0c75e", "yellow": "#f0c75e", "blue": "#7aa2f7",
           "magenta": "#c792ea", "cyan": "#6fd3e0", "white": "#ffffff"}


def page_of(screen):
    """A terminal's screen as HTML."""
    out = ["<meta charset=utf-8><style>body{margin:0;overflow:hidden;padding:14px 16px;background:#1b2028;font:15px/1.32 'DejaVu Sans Mono','Liberation Mono',monospace}"
           "pre{margin:0;font:inherit}</style><pre>"]
    used = max((row + 1 for row, line in enumerate(screen.display) if line.strip()), default=1)
    for row in range(used):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            front, back = COLOURS.get(cell.fg, "#d8dee9"), "transparent"
            if cell.reverse:
                front, back = "#1b2028", "#9fb3c8"
            weight = ";font-weight:bold" if cell.bold else ""
            out.append(f'<span style="color:{front};background:{back}{weight}">{html.escape(cell.data)}</span>')
        out.append("\n")
    return "".join(out)


def screens(program, folder, pictures):
    """brief and --top, while the script runs."""
    FOLDER.mkdir()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, "env": PLAIN}
    begin = ["/usr/bin/unshare", "--uts", "sh", "-c", f'hostname web1; cd {FOLDER}; exec "$@"', "sh", program, "--settings", "none", "-r", "demo.rules"]
    made = {}
    def script(text):
        (FOLDER / "deploy.sh").write_text(text)
        return subprocess.Popen(["setpriv", "--regid", str(GROUP), "--clear-groups", FOLDER / "deploy", "deploy.sh"], cwd=FOLDER, **quiet)
    try:
        shutil.copy("/bin/bash", FOLDER / "deploy")
        (FOLDER / "demo.rules").write_text(RULES)
        brief = Terminal([*begin, "-f", "brief", "--colour", "always"], columns=112, rows=30)
        brief.wait_for("reporting", 30)
        brief.screen.reset()
        script(SCRIPT).wait()
        brief.read(2)
        made["brief.png"] = page_of(brief.screen)
        brief.keys("\x03", 0)
        brief.close()
        top = Terminal([*begin, "--top"], columns=112, rows=18)
        top.wait_for("PID", 30)
        loop = script(LOOP * 4)
        top.keys("a1t", 6)
        made["top.png"] = page_of(top.screen)
        loop.wait()
        top.keys("q", 0)
        top.close()
    finally:
        shutil.rmtree(FOLDER)
    for name, page in made.items():
        (folder / "screen.html").write_text(page)
        with webdriver.Browser(1064, page.count("\n") * 20 + 170) as browser:
            browser.open((folder / "screen.html").as_uri())
            browser.screenshot(pictures / name)


def main():
    program, pictures = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        screens(str(pathlib.Path(program).resolve()), folder, pictures)
        pid, events = run(program, folder)
        of_process(pid, events, folder / "kept.json")
        subprocess.run([program, "report", folder / "kept.json", "--html", folder / "page.html"], check=True)
        with webdriver.Browser(1360, 860) as browser:
            browser.open((folder / "page.html").as_uri())
            time.sleep(1)
            browser.keys("#tree", webdriver.HOME + webdriver.DOWN)
            browser.click("#descendants")
            time.sleep(1)
            browser.screenshot(pictures / "report.png")


main()
