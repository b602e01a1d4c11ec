#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What --verify says of stored lines: a whole run, one that was killed, lines cut out, doubled and cut short:
usage: verify_test.py PROGRAM"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import harness

PROGRAM = os.path.abspath(sys.argv[1])


def run(folder, number, is_killed):
    stop = folder / f"stop{number}"
    with open(folder / f"log{number}", "w", encoding="utf-8") as log:
        program = harness.start(PROGRAM, folder, f"[output.f]\nkind = file\npath = {folder}/lines\nkeys = mine\n", log,
                                options=["--heartbeat", "1"])
        caller = harness.call(stop)
        time.sleep(1.6)
        program.send_signal(signal.SIGKILL if is_killed else signal.SIGTERM)
        program.wait(30)
        stop.touch()
        caller.communicate()


def verify(folder, lines):
    (folder / "stored").write_text("".join(lines))
    result = subprocess.run([PROGRAM, "--verify", folder / "stored"], stdout=subprocess.PIPE, text=True, check=False)
    return result.returncode, result.stdout


def main():
    assert os.geteuid() == 0, "needs root"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        run(folder, 0, is_killed=True)
        killed = (folder / "lines").read_text().splitlines(keepends=True)
        run(folder, 1, is_killed=False)
        lines = (folder / "lines").read_text().splitlines(keepends=True)
        status, text = verify(folder, lines)
        assert status == 0 and text.count("complete to") == 2, text
        assert re.search(rf": {len(killed)} lines, complete to the checkpoint at .*; \d+ lines behind the last", text), text
        whole = lines[len(killed):]
        assert re.search(rf": {len(whole)} lines, complete to its end at ", text), text
        events = [i for i, line in enumerate(whole) if '"kind":"event"' in line]
        assert len(events) > 100
        for count in (1, 7):
            cut = [line for i, line in enumerate(whole) if i not in events[20:20 + count]]
            status, text = verify(folder, cut)
            assert status == 1 and f", {count} missing, of which 0 are reported" in text, text
            assert re.search(rf"\n  {count} missing between \S.* and 20\d\d-", text), text
        status, text = verify(folder, whole + whole[:5])
        assert status == 0 and ", 5 came again, complete to its end" in text, text
        status, text = verify(folder, whole[:9] + [whole[9][:40] + "\n"] + whole[10:])
        assert status == 1 and "1 lines are cut or are not of this program, the first is line 10" in text, text
        assert ", 1 missing" in text, text
        assert verify(folder, [])[0] == 1
        print(f"verify_test.py: {len(killed)} and {len(whole)} lines, each change told")


main()
