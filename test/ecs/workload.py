#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes one event of every kind, one after the other, in the folder it is given.

The second argument says where it runs: `contained`, or `outside` of any container.
"""
import ctypes
import os
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)


def file_work():
    os.close(os.open("new.conf", os.O_WRONLY | os.O_CREAT, 0o600))  # made by this open
    os.close(os.open("new.conf", os.O_WRONLY | os.O_CREAT))  # was there
    os.close(os.open("new.conf", os.O_WRONLY | os.O_TRUNC))
    os.close(os.open("new.conf", os.O_RDONLY))
    try:
        os.open("missing", os.O_RDONLY)
    except FileNotFoundError:
        pass
    os.chmod("new.conf", 0o4755)
    os.chown("new.conf", 1, 1)
    os.utime("new.conf", (1, 1))
    os.setxattr("new.conf", "user.mark", b"1")
    os.truncate("new.conf", 10)
    os.rename("new.conf", "renamed.so")
    os.link("renamed.so", "link.so")
    os.symlink("renamed.so", "symbolic.so")
    os.mkdir("folder")
    os.mknod("pipe", 0o010600)
    os.rmdir("folder")
    for name in ("renamed.so", "link.so", "symbolic.so", "pipe"):
        os.unlink(name)


def network_work():
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        server = socket.socket(family)
        server.bind((address, 0))
        server.listen(1)
        client = socket.socket(family)
        client.connect(server.getsockname()[:2])
        accepted, _ = server.accept()
        client.shutdown(socket.SHUT_RDWR)
        for each in (accepted, client, server):
            each.close()
    closed = socket.socket()
    try:
        closed.connect(("127.0.0.1", 1))
    except ConnectionRefusedError:
        pass
    closed.close()
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.sendto(b"x", ("127.0.0.1", 9))
    datagrams.close()
    server = socket.socket(socket.AF_UNIX)
    server.bind("socket")
    server.listen(1)
    client = socket.socket(socket.AF_UNIX)
    client.connect("socket")
    for each in (client, server):
        each.close()
    os.unlink("socket")


def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(3)
    os.waitpid(child, 0)


def become_another():
    os.setsid()
    os.setresuid(0, 0, 0)
    os.setgid(1)
    os.setuid(1)
    os.kill(os.getpid(), 0)
    try:
        os.setuid(0)
    except PermissionError:
        pass


def kernel_work():
    os.close(os.memfd_create("memory"))
    libc.syscall(175, 0, 0, b"")  # init_module
    libc.delete_module(b"no_such_module", 0)
    libc.mount(b"none", b"/no/such/folder", b"tmpfs", 0, None)
    libc.unshare(0x04000000)  # CLONE_NEWUTS
    libc.sethostname(b"elsewhere", 9)


def be_traced():
    libc.ptrace(0, 0, 0, 0)  # PTRACE_TRACEME


def execute():
    try:
        os.execv("/no/such/program", ["program", "an argument"])
    except FileNotFoundError:
        os.execve("/bin/true", ["true", "an argument"], {"HISTFILE": "/dev/null", "UNASKED": "for"})


os.chdir(sys.argv[1])
if sys.argv[2] == "contained":
    file_work()
    network_work()
    for part in (become_another, kernel_work, be_traced, execute):
        in_child(part)
else:  # what is otherwise outside of containers: users have names there
    for part in (become_another, execute):
        in_child(part)
