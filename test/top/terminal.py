# SPDX-License-Identifier: MIT
"""A program on a pseudo-terminal, and what its screen shows."""
import codecs
import fcntl
import os
import pty
import select
import struct
import termios
import time

import pyte


class Terminal:
    def __init__(self, arguments, columns=110, rows=30, env=None):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.Stream(self.screen)
        self.raw = b""
        self.decode = codecs.getincrementaldecoder("utf-8")("replace")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})})
            time.sleep(0.1)  # the size comes first
            os.execv(arguments[0], [str(one) for one in arguments])
        self.resize(columns, rows, tell=False)
        self.status = None

    def resize(self, columns, rows, tell=True):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.screen.resize(rows, columns)

    def read(self, seconds):
        """Takes what comes within that time; False once the program has ended."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                break
            try:
                got = os.read(self.fd, 65536)
            except OSError:
                return False
            if not got:
                return False
            self.raw += got
            self.stream.feed(self.decode.decode(got))
        return True

    def wait_for(self, text, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            goes_on = self.read(0.1)
            if text in self.text():
                return True
            if not goes_on:
                break
        return False

    def until(self, is_so, seconds=10):
        """Waits for what the screen is to show; is_so() may fail before."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if is_so():
                    return True
            except (IndexError, ValueError):
                pass
            if not self.read(0.05):
                break
        return False

    def keys(self, text, seconds=0.1):
        os.write(self.fd, text.encode())
        self.read(seconds)

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def close(self, seconds=10):
        """Waits for the end; the exit status."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.1)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.read(0.2)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        return "it does not end"
