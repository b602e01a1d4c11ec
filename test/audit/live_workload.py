#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Calls for live_test.py to compare: of each kind one that succeeds, and some that fail. usage: FOLDER GROUP"""
import contextlib
import os
import socket
import sys


def names(folder):
    os.mkdir("sub")
    made = os.open("new", os.O_CREAT | os.O_WRONLY, 0o640)
    os.write(made, b"content")
    os.ftruncate(made, 10)
    os.close(made)
    os.close(os.open("new", os.O_CREAT | os.O_RDWR, 0o600))
    os.rename("new", "sub/two words")
    os.link("sub/two words", "hard")
    os.symlink("hard", "soft")
    os.truncate("hard", 3)
    at = os.open("sub", os.O_RDONLY | os.O_DIRECTORY)
    os.close(os.open("under", os.O_CREAT | os.O_RDWR, 0o600, dir_fd=at))
    os.unlink("under", dir_fd=at)
    os.mkdir("below", dir_fd=at)
    os.rmdir("below", dir_fd=at)
    os.rename("two words", "moved", src_dir_fd=at, dst_dir_fd=at)
    os.mkfifo("fifo")
    os.unlink("fifo")
    for name in (b"new\nline", b"\xff\xfe", b"\"quoted\"", b"x" * 255):
        os.mkdir(name)
        os.rmdir(name)
    for path in ("absent", "/absent/file", folder + "/sub/absent"):
        with contextlib.suppress(OSError):
            os.open(path, os.O_RDONLY)
        with contextlib.suppress(OSError):
            os.unlink(path)
    with contextlib.suppress(OSError):
        os.rmdir("sub")


def attributes():
    os.chmod("hard", 0o4755)
    os.chown("hard", 12, 13)
    os.lchown("soft", 1, 1)
    os.setxattr("hard", "user.name", b"value")
    os.removexattr("hard", "user.name")
    os.utime("hard", (1, 2))
    with open("hard") as opened:
        os.fchmod(opened.fileno(), 0o600)
        os.fchown(opened.fileno(), 0, 0)
    os.unlink("soft")
    os.unlink("hard")


def network(folder):
    listener = socket.create_server(("127.0.0.1", 0))
    with socket.create_connection(listener.getsockname()):
        listener.accept()[0].close()
    for family, address in ((socket.AF_INET, ("127.0.0.1", 1)), (socket.AF_INET6, ("::1", 1)),
                            (socket.AF_UNIX, folder + "/absent"), (socket.AF_UNIX, "\0abstract")):
        with socket.socket(family, socket.SOCK_STREAM) as one, contextlib.suppress(OSError):
            one.connect(address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.sendto(b"x", ("127.0.0.1", 9))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.bind(folder + "/socket")
    os.unlink(folder + "/socket")


def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def become_others():
    os.kill(os.getpid(), 0)
    with contextlib.suppress(OSError):
        os.kill(4194305, 0)
    os.setresuid(0, 65534, 0)
    with contextlib.suppress(OSError):
        socket.sethostname("refused")
    os.setresuid(0, 0, 0)
    os.execv("/bin/true", ["true", "two words", "a\nb", "", "\"quoted\"", "=", "x" * 9000, "\u00e9"])


def run_script():
    with contextlib.suppress(OSError):
        os.execv("/absent/true", ["true"])
    with open("script", "w") as script:
        script.write("#!/bin/sh\nexit 0\n")
    os.chmod("script", 0o755)
    os.execv("./script", ["script", "argument"])


def main():
    folder, group = sys.argv[1], int(sys.argv[2])
    os.chdir(folder)
    os.setgid(group)
    names(folder)
    attributes()
    network(folder)
    in_child(become_others)
    in_child(run_script)


main()
