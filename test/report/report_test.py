#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page of `ebpf_telemetry report` in a headless browser: what it shows against the recorded JSON, by mouse and by keys,
with hostile names, and how long 100,000 events take. Usage: report_test.py EBPF_TELEMETRY [FOLDER FOR SCREENSHOTS]"""
import collections
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import generate
import webdriver
from webdriver import Browser

PROGRAM = sys.argv[1]
SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="report-"))
PICTURES = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else SCRATCH
MOST_SECONDS = 3 * float(os.environ.get("EBT_REPORT_PATIENCE", "1"))  # more on an emulated machine
MOST_FRAME = 0.25  # seconds from a step of scrolling to the next frame, of nine in ten: other load delays some
failures = 0


def check(what, is_so, seen=""):
    global failures
    if not is_so:
        failures += 1
        print(f"FAILED: {what} {seen}")


def equal(what, seen, wanted):
    check(what, seen == wanted, f": {seen!r}, not {wanted!r}")


def report(source, page, *more, status=0):
    begin = time.monotonic()
    done = subprocess.run([PROGRAM, "report", *map(str, [source, *more]), "--html", str(page)], capture_output=True, text=True)
    equal(f"status of the report on {source}", done.returncode, status)
    return done.stderr, time.monotonic() - begin


def events_of(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def shown(count, total):
    return f"{total:,} events" if count == total else f"{count:,} of {total:,} events"


def open_page(browser, page):
    """Opens it and waits until it shows its events; seconds from the beginning."""
    browser.open(page.as_uri())
    for _ in range(300):
        if browser.run("return document.documentElement.dataset.opened"):
            return int(browser.run("return document.documentElement.dataset.opened")) / 1000
        time.sleep(0.1)
    raise SystemExit(f"{page} does not open: {browser.text('#opening')}; {browser.log()}")


def settled(browser):
    browser.run("return new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 200))")


def check_quiet(browser, what):
    complaints = [line["message"] for line in browser.log() if line["level"] in ("SEVERE", "WARNING")]
    equal(f"{what}: complaints of the browser", complaints, [])
    check(f"{what}: no alert", not browser.has_alert())
    equal(f"{what}: elements that names made", browser.run("return document.querySelectorAll('main img, main svg, main script, header script').length"), 0)


def first_rows(browser, selector, count=8):
    return browser.run("return [...document.querySelectorAll(arguments[0] + ' .row')].filter((row) => !row.hidden).sort((a, b) => a.index - b.index)"
                       ".slice(0, arguments[1]).map((row) => [...row.children].map((cell) => cell.textContent))", selector, count)


def take_pictures(browser, name):
    """In light and in dark."""
    browser.screenshot(PICTURES / f"light-{name}.png")
    browser.click("#theme")
    settled(browser)
    equal(f"{name}: the switch makes it dark", browser.run("return document.documentElement.dataset.theme"), "dark")
    browser.screenshot(PICTURES / f"dark-{name}.png")
    browser.click("#theme")


def check_filters(browser, events):
    total = len(events)
    failed = sum(event["event"].get("outcome") == "failure" for event in events)
    browser.click("#failed")
    equal("failed only", browser.text("#count"), shown(failed, total))
    browser.click("#clear")
    files = [event for event in events if event["event"].get("category") == ["file"]]
    browser.click("#kind-file")
    equal("without files", browser.text("#count"), shown(total - len(files), total))
    browser.click("#clear")
    address = next(event["destination"]["address"] for event in events if "destination" in event)
    wanted = sum(address in json.dumps(event.get("destination", "")) for event in events)
    browser.keys("#text", address + webdriver.ENTER)
    settled(browser)
    equal("text", browser.text("#count"), shown(wanted, total))
    browser.click("#clear")
    users = collections.Counter(event["process"]["user"]["name"] for event in events if "process" in event)
    browser.run("const s = document.getElementById('user'); s.value = [...s.options].find((o) => o.text.startsWith('ann ')).value; s.dispatchEvent(new Event('change'))")
    equal("user", browser.text("#count"), shown(users["ann"], total))
    browser.click("#clear")
    keyed = sum("secrets" in event.get("tags", []) for event in events)
    browser.run("const s = document.getElementById('key'); s.value = s.options[1].value; s.dispatchEvent(new Event('change'))")
    equal("key", browser.text("#count"), shown(keyed, total))
    browser.click("#clear")
    contained = collections.Counter(event["container"]["id"] for event in events if "container" in event)
    check("there are containers", contained)
    lost = sum(event["linux"]["telemetry"]["loss"]["count"] for event in events if event["event"]["kind"] == "pipeline_error")
    check("losses are told", f"{lost:,} events lost" in browser.text("#range"), browser.text("#range"))


def check_time(browser, events):
    """The left half of the time axis, by the mouse; then keys."""
    times = sorted(event["@timestamp"] for event in events)
    width = browser.run("return document.getElementById('chart').clientWidth")
    browser.drag("#chart", -width // 2 + 3, 0)
    settled(browser)
    count = int(browser.text("#count").split(" ")[0].replace(",", ""))
    begin, end = browser.text("#range").split(" (")[0].split(" to ")
    day, clock = begin.split(" ")
    inside = sum(f"{day}T{clock}" <= one[:23] <= f"{day}T{end}" for one in times)
    check("events of the chosen time", abs(count - inside) <= 2 and 0 < count < len(events), f": {count}, {inside} in {begin} to {end}")
    browser.keys("#chart", webdriver.RIGHT)
    check("the time moves by keys", browser.text("#range").split(" to ")[0] != begin)
    browser.keys("#chart", "0")
    equal("all time again", browser.text("#count"), shown(len(events), len(events)))


def check_tree(browser, events):
    """Chooses processes by keys, and compares with what they did."""
    told = collections.Counter(event["process"]["pid"] for event in events if "process" in event)
    settled(browser)
    rows = first_rows(browser, "#tree")
    name, pid = rows[0][0].lstrip("▾▸").split(" ")
    equal("the first process", (name, pid), ("systemd", "1"))
    equal("its events", int(rows[0][2].replace(",", "") or 0), told[1])
    before = int(browser.run("return document.getElementById('tree').getAttribute('aria-rowcount')"))
    equal("processes", before, len(told | collections.Counter([1])))
    browser.keys("#tree", webdriver.HOME + webdriver.LEFT)
    settled(browser)
    after = int(browser.run("return document.getElementById('tree').getAttribute('aria-rowcount')"))
    equal("processes once the root is collapsed", after, 1)
    equal("the collapsed root's events", int(first_rows(browser, "#tree")[0][2].replace(",", "")), sum(told.values()))
    browser.keys("#tree", webdriver.RIGHT + webdriver.DOWN)
    settled(browser)
    chosen = int(browser.text("#scope-title").split("[")[1].rstrip("]"))
    of_it = [event for event in events if event.get("process", {}).get("pid") == chosen]
    equal("events of the second process", browser.text("#tab-0"), f"All {len(of_it):,}")
    connections = sum(event["event"]["category"] == ["network"] for event in of_it)
    equal("its connections", browser.text("#tab-3"), f"Connections {connections:,}")
    browser.keys("#events", webdriver.HOME)
    settled(browser)
    shown_json = json.loads(browser.run("return document.getElementById('detail-json').textContent"))
    equal("the first event's JSON", shown_json, min(of_it, key=lambda event: event["@timestamp"]))
    browser.keys("#events", webdriver.ESCAPE + webdriver.ESCAPE)
    equal("after Esc", browser.text("#scope-title"), "All processes")


def check_scrolling(browser):
    """Seconds between two frames while the list runs by: at most so many of nine in ten, and of all."""
    return browser.run("""return new Promise((done) => {
        const view = document.getElementById('events'); let times = [], steps = 0, last = performance.now();
        const step = () => { const now = performance.now(); if (steps > 3) times.push((now - last) / 1000); last = now;
            if (++steps > 90) { times.sort((a, b) => a - b); return done([times[Math.floor(times.length * 0.9)], times.at(-1)]); } view.scrollTop += 1700; requestAnimationFrame(step); };
        requestAnimationFrame(step); })""")


def odd_events():
    """A circle of parents, processes without an entity id, and one that gets its id later."""
    def line(second, pid, **more):
        process = {"pid": pid, "name": f"p{pid}", **more}
        return json.dumps({"@timestamp": f"2026-01-01T00:00:{second:02d}Z", "event": {"code": "openat", "action": "open", "category": ["file"]}, "process": process})
    yield line(1, 10, entity_id="a", parent={"pid": 11, "entity_id": "b"})
    yield line(2, 11, entity_id="b", parent={"pid": 10, "entity_id": "a"})
    yield line(3, 12, entity_id="c", parent={"pid": 13, "name": "p13"})
    yield line(4, 13, entity_id="d", parent={"pid": 14})
    yield line(5, 15)
    yield line(6, 15)
    deep = "[" * 50_000 + "]" * 50_000
    yield line(6, 15)[:-1] + ', "linux": {"syscall": {"args": {"a": ' + deep + '}, "argv": [' + deep + '], "flags": {"b": [' + deep + ']}}}}'
    yield json.dumps({"@timestamp": "2026-01-01T00:00:07Z", "process": "none", "event": [], "tags": [{}], "file": {"path": {}}, "host": 7})


def check_odd(browser):
    (SCRATCH / "odd.json").write_text("".join(line + "\n" for line in odd_events()))
    report(SCRATCH / "odd.json", SCRATCH / "odd.html")
    open_page(browser, SCRATCH / "odd.html")
    equal("odd events", browser.text("#count"), "8 events")
    settled(browser)
    names = sorted(row[0].lstrip("▾▸") for row in first_rows(browser, "#tree"))
    equal("their processes", names, ["? 14", "p10 10", "p11 11", "p12 12", "p13 13", "p15 15"])
    check_quiet(browser, "odd events")


def check_files():
    """What is no file of events."""
    good = SCRATCH / "100.json"
    lines = good.read_bytes()
    (SCRATCH / "cut.json.gz").write_bytes(gzip.compress(lines) + gzip.compress(lines[:-40]))
    equal("a cut file is told in the page alone", report(SCRATCH / "cut.json.gz", SCRATCH / "cut.html")[0], "")
    subprocess.run(["zstd", "-q", "-f", good, "-o", SCRATCH / "100.json.zst"], check=True)
    report(SCRATCH / "100.json.zst", SCRATCH / "zstd.html")
    plain = SCRATCH / "plain.html"
    report(good, plain)
    check("a page is its owner's alone", plain.stat().st_mode & 0o077 == 0)
    (SCRATCH / "bad.json").write_bytes(b"not JSON\n" + lines)
    error, _ = report(SCRATCH / "bad.json", SCRATCH / "bad.html", status=1)
    check("an unreadable line is named", "line 1: " in error, error)
    (SCRATCH / "deep.json").write_bytes(b"[" * 100000 + b"\n" + lines)
    report(SCRATCH / "deep.json", SCRATCH / "deep.html", status=1)
    (SCRATCH / "none.json").write_text("")
    (SCRATCH / "broken.gz").write_bytes(gzip.compress(lines)[:-200])
    for name, page in (("none.json", "x.html"), ("missing.json", "x.html"), ("broken.gz", "x.html")):
        error, _ = report(SCRATCH / name, SCRATCH / page, status=2)
        check(f"{name} is named", name in error, error)
        check(f"{name}: no page", not (SCRATCH / page).exists())
    error, _ = report(good, SCRATCH / "no folder" / "x.html", status=9)
    check("the page that cannot be written is named", "no folder" in error, error)
    equal("without --html", subprocess.run([PROGRAM, "report", good], capture_output=True).returncode, 2)
    equal("--help", subprocess.run([PROGRAM, "report", "--help"], capture_output=True).returncode, 0)


def main():
    for count in (100, 10_000, 100_000):
        generate.write(SCRATCH / f"{count}.json", count)
    generate.write(SCRATCH / "hostile.json", 2000, hostile=True)
    check_files()
    for name in ("10000", "100000", "hostile"):
        _, seconds = report(SCRATCH / f"{name}.json", SCRATCH / f"{name}.html")
        print(f"{name}: made in {seconds:.1f} s, {(SCRATCH / f'{name}.html').stat().st_size / 1e6:.1f} MB")
    with Browser() as browser:
        events = events_of(SCRATCH / "10000.json")
        open_page(browser, SCRATCH / "10000.html")
        equal("events", browser.text("#count"), shown(len(events), len(events)))
        for part in (check_filters, check_time, check_tree):
            part(browser, events)
        take_pictures(browser, "10000")
        check_quiet(browser, "10,000 events")
        open_page(browser, SCRATCH / "plain.html")
        take_pictures(browser, "100")
        open_page(browser, SCRATCH / "hostile.html")
        browser.keys("#events", webdriver.HOME + webdriver.DOWN * 3)
        settled(browser)
        check("hostile names are there", "</script>" in browser.run("return document.getElementById('tree').textContent"))
        check("none turns the text", not browser.run(r"return /[\u202e\u200b\u001b]/.test(document.body.innerText)"))
        take_pictures(browser, "hostile")
        check_quiet(browser, "hostile names")
        open_page(browser, SCRATCH / "bad.html")
        check("the page tells of unreadable lines", "could not be read" in browser.text("#notes"), browser.text("#notes"))
        check_odd(browser)
        seconds = min(open_page(browser, SCRATCH / "100000.html") for _ in range(2))
        usual, worst = check_scrolling(browser)
        print(f"100,000 events open in {seconds:.2f} s; scrolling, nine frames of ten take at most {usual * 1000:.0f} ms, the longest {worst * 1000:.0f} ms")
        check("100,000 events open in time", seconds < MOST_SECONDS, f": {seconds} s")
        check("scrolling is smooth", usual < MOST_FRAME * MOST_SECONDS / 3, f": {usual} s")
        check_quiet(browser, "100,000 events")
        browser.keys("#tree", webdriver.HOME + webdriver.DOWN * 5)
        settled(browser)
        take_pictures(browser, "100000")
    print(f"report_test.py: {failures} failures")
    return 1 if failures else 0


try:
    sys.exit(main())
finally:
    shutil.rmtree(SCRATCH)
