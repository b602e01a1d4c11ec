#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes docs/report.png from a real run: records what a small script does, keeps the events of its processes, and takes a
picture of their page. Needs root. Usage: picture.py EBPF_TELEMETRY OUT.png"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import webdriver

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
    begun = subprocess.Popen([script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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


def main():
    program, picture = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pid, events = run(program, folder)
        of_process(pid, events, folder / "kept.json")
        subprocess.run([program, "report", folder / "kept.json", "--html", folder / "page.html"], check=True)
        with webdriver.Browser(1360, 860) as browser:
            browser.open((folder / "page.html").as_uri())
            time.sleep(1)
            browser.keys("#tree", webdriver.HOME + webdriver.DOWN)
            browser.click("#descendants")
            time.sleep(1)
            browser.screenshot(picture)


main()
