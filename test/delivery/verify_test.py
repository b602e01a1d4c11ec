#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What verify says of stored lines: a whole run, one that was killed, lines cut out, doubled and cut short; and of runs
that lose events in every way: usage: verify_test.py PROGRAM"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import harness
import receivers

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
    results = [subprocess.run([PROGRAM, command, folder / "stored"], stdout=subprocess.PIPE, text=True, check=False)
               for command in ("verify", "--verify")]
    assert results[0].stdout == results[1].stdout and results[0].returncode == results[1].returncode
    return results[0].returncode, results[0].stdout


def losing_run(folder, outputs, during, options=()):
    """Returns the summary of a run whose caller goes on until this is over."""
    metrics = folder / "metrics"
    with open(folder / "log", "w", encoding="utf-8") as log:
        program = harness.start(PROGRAM, folder, outputs, log, options=[
            "--heartbeat", "1", "--metrics-file", metrics, "--metrics-interval", "1", *options])
        (folder / "stop").unlink(missing_ok=True)
        caller = harness.call(folder / "stop")
        during(program)
        (folder / "stop").touch()
        caller.communicate()
        harness.wait_for_all(metrics)  # at its end the program would wait a second for them
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    return harness.summary_of(log.name)


def reported(text):
    """Lines, of events and of reports about the run, of one that is whole but for these."""
    whole = re.search(r", (\d+) reported as lost, complete to its end at", text)
    assert whole, text
    return int(whole.group(1))


def run_behind_a_slow_server(folder):
    """A server that is slower than events come, behind a tiny queue: the output's summary, and the lines."""
    web = receivers.Web()
    web.up()
    web.slow(True)

    def during(_):
        time.sleep(3)
        web.slow(False)

    summary = losing_run(folder, f"[output.web]\nkind = http\nurl = http://127.0.0.1:{web.port}\nqueue = 64K\n"
                         "batch_events = 5\nbatch_time = 50ms\n", during)
    web.down()
    return harness.report_of(summary, "http web"), [line + "\n" for line in web.received()]


def lost_by_the_output(folder):
    """At its end the program waits 300 ms for a server; on a busy machine that may be too short, which both it and verify
    say then."""
    for _ in range(5):
        output, lines = run_behind_a_slow_server(folder)
        status, text = verify(folder, lines)
        if output["lost_reports"] == 0:
            break
        print(f"verify_test.py: {output['lost_reports']} lines about the run did not arrive at its end", flush=True)
        is_said = "complete to its end" in text or "did not end in order" in text
        assert status == 0 and is_said, (output, text)  # its end where an answer alone came too late
    lost = output["lost"]
    assert lost > 100, output
    assert status == 0 and lost <= reported(text) < lost + 10, (output, text)
    cut = [line for i, line in enumerate(lines) if i != 20]
    status, text = verify(folder, cut)
    assert status == 1 and re.search(r", (\d+) missing, of which (\d+) are", text), text
    missing, known = map(int, re.search(r", (\d+) missing, of which (\d+) are", text).groups())
    assert missing == known + 1, text
    return lost


def lost_by_a_full_disk(folder):
    """The file is on a disk that is full for a while."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=0755", "tmpfs", disk], check=True)
    try:
        def during(_):
            (disk / "filler").write_bytes(b"x" * (42 << 20))
            time.sleep(2.5)
            (disk / "filler").unlink()
            time.sleep(0.5)

        summary = losing_run(folder, f"[output.f]\nkind = file\npath = {disk}/lines\n", during)
        lost = harness.report_of(summary, "file f")["lost"]
        assert lost > 100, summary
        status, text = verify(folder, (disk / "lines").read_text())
        assert status == 0 and lost <= reported(text) < lost + 10, (lost, text)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    return lost


def lost_before_outputs(folder):
    """Buffers that are too small for a reader that is stopped, and a limit of events for a process."""
    def during(program):
        time.sleep(1.2)
        program.send_signal(signal.SIGSTOP)
        time.sleep(1)
        program.send_signal(signal.SIGCONT)
        time.sleep(0.5)

    summary = losing_run(folder, f"[output.f]\nkind = file\npath = {folder}/short\n", during,
                         ["--buffer-size", "16K", "--max-events-per-process", "1000"])
    lost = {cause: summary["lost"].get(cause, 0) for cause in ("buffer_full", "rate_limit")}
    assert all(lost.values()), summary["lost"]
    status, text = verify(folder, (folder / "short").read_text())
    assert status == 0 and "complete to its end" in text, text
    assert f"  {sum(summary['lost'].values())} events are reported as lost before they came to an output: " in text, (summary, text)
    assert all(f"{cause} {count}" in text for cause, count in lost.items()), (lost, text)
    return sum(lost.values())


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
        is_cut = not killed[-1].endswith("\n")  # killed within write(2)
        assert (status, text.count("complete to"), f"the first is line {len(killed)}\n" in text) == (is_cut, 2, is_cut), text
        assert re.search(rf": {len(killed) - is_cut} lines, complete to the checkpoint at .*; \d+ lines behind the last", text), text
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
        print(f"verify_test.py: reported as lost: {lost_by_the_output(folder)} by a slow server, "
              f"{lost_by_a_full_disk(folder)} by a full disk, {lost_before_outputs(folder)} before outputs")
        print(f"verify_test.py: {len(killed)} and {len(whole)} lines, each change told")


main()
