# SPDX-License-Identifier: MIT
"""The real ClickHouse in a process of node: chdb, which npm brings once into a folder of the build."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

PACKAGE = "chdb@3.4.0"
HERE = pathlib.Path(__file__).resolve().parent
KIT = HERE.parent.parent / "packaging/fleet/clickhouse"
SKIPPED = 77


def install(folder):
    """Half a gigabyte, and half a minute, when the folder has it not. Without npm the test is skipped, and says so."""
    if (folder / "node_modules/chdb/package.json").exists():
        return
    if not shutil.which("npm") or not shutil.which("node"):
        print("Skipped\nnpm and node are not installed, which bring ClickHouse (chdb)\n")
        sys.exit(SKIPPED)
    folder.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(["npm", "install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", PACKAGE],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240, check=False)
    if result.returncode != 0:
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
        if re.search("ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|network", result.stdout):
            print(f"Skipped\nnpm reaches no registry that has {PACKAGE}\n")
            sys.exit(SKIPPED)
        raise AssertionError(result.stdout)


def questions():
    """Those of hunting.sql, by name."""
    text = (KIT / "hunting.sql").read_text()
    found = re.findall(r"^-- \d+ (\w+): [^\n]*\n(.*?);\n", text, re.M | re.S)
    assert len(found) == 20, [name for name, _ in found]
    return dict(found)


class Server:
    """With the schema of the kit, run twice, as after an upgrade."""

    def __init__(self, modules, data):
        self.process = subprocess.Popen(["node", HERE / "clickhouse_server.js", data, KIT / "schema.sql", KIT / "schema.sql"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, NODE_PATH=str(modules / "node_modules")))
        port = self.process.stdout.readline().strip()
        assert port, "the server of ClickHouse did not start"
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, query, **parameters):
        """Rows, as dictionaries."""
        for name, value in parameters.items():
            query = query.replace("{%s:String}" % name, "'" + value.replace("'", "\\'") + "'")
        try:
            with urllib.request.urlopen(self.url, data=query.encode(), timeout=600) as answer:
                return [json.loads(line) for line in answer.read().decode().splitlines()]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}\n{error.read().decode()}") from error

    def insert(self, lines):
        """Into the table that takes lines, a thousand at a time."""
        for begin in range(0, len(lines), 1000):
            body = "INSERT INTO telemetry.ingest FORMAT LineAsString\n" + "\n".join(lines[begin:begin + 1000]) + "\n"
            self.ask(body)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:  # in the middle of a query
            self.process.kill()
            self.process.wait()
