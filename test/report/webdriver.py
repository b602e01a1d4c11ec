# SPDX-License-Identifier: MIT
"""A browser driven over WebDriver's HTTP (https://www.w3.org/TR/webdriver2/), as far as the test of the report needs it."""
import base64
import json
import re
import subprocess
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ENTER, ESCAPE, LEFT, RIGHT, UP, DOWN, HOME, END = "\ue007", "\ue00c", "\ue012", "\ue014", "\ue013", "\ue015", "\ue011", "\ue010"


class Browser:
    """Headless Chromium; close() or a with statement ends it."""

    def __init__(self, width=1440, height=900, dark=False):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            if started := re.search(r"started successfully on port (\d+)", line):
                break
        else:
            raise SystemExit("chromedriver does not start")
        self.url = f"http://127.0.0.1:{started[1]}/session"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}"]
        if dark:
            arguments.append("--force-dark-mode")
        wanted = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"}, "timeouts": {"pageLoad": 120_000, "script": 60_000},
                  "unhandledPromptBehavior": "ignore", "goog:chromeOptions": {"args": arguments}}
        answer = self.call("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self.url += "/" + answer["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()

    def call(self, method, path, body=None):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=150) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {json.load(error)['value']['message']}") from None

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """The value that a function body returns in the page; a promise's value once it is there."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        return next(iter(self.call("POST", "/element", {"using": "css selector", "value": selector}).values()))

    def text(self, selector):
        return self.call("GET", f"/element/{self.find(selector)}/text")

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click")

    def keys(self, selector, text):
        self.call("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def drag(self, selector, begin, end):
        """With the mouse, between two points given as fractions of the element's width from its centre."""
        origin = {ELEMENT: self.find(selector)}
        def move(x, duration):
            return {"type": "pointerMove", "origin": origin, "x": x, "y": 0, "duration": duration}
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
            move(begin, 0), {"type": "pointerDown", "button": 0}, move(end, 50), {"type": "pointerUp", "button": 0}]}]})

    def log(self):
        return self.call("POST", "/se/log", {"type": "browser"})

    def has_alert(self):
        try:
            self.call("GET", "/alert/text")
            return True
        except RuntimeError:
            return False

    def screenshot(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.call("GET", "/screenshot")))
