# SPDX-License-Identifier: MIT
"""What scripts of the techniques use beside Python's own: whole files, and calls that it has no name for."""
import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)

# x86_64, aarch64
NUMBERS = {name: numbers[platform.machine() != "x86_64"] for name, numbers in {
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "ptrace": (101, 117), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "memfd_create": (319, 279), "kexec_load": (246, 104),
    "reboot": (169, 142), "open_by_handle_at": (304, 265), "personality": (135, 92), "mprotect": (10, 226),
    "swapoff": (168, 225), "acct": (163, 89), "prctl": (157, 167), "mmap": (9, 222), "setns": (308, 268),
    "clock_settime": (227, 112), "syslog": (103, 116), "capset": (126, 91),
}.items()}


def call(name, *arguments):
    """A system call by number; its failure is no error here."""
    return libc.syscall(NUMBERS[name], *(ctypes.c_long(each) if isinstance(each, int) else each for each in arguments))


def write(path, text="replay\n", flags=os.O_CREAT | os.O_TRUNC, mode=0o644):
    file = os.open(path, os.O_WRONLY | flags, mode)
    os.write(file, text.encode())
    os.close(file)


def append(path, text="replay\n"):
    write(path, text, os.O_APPEND)


def read(path):
    file = os.open(path, os.O_RDONLY)
    os.read(file, 100)
    os.close(file)


def attempt(function, *arguments):
    """What is bound to fail; that it was tried is what matters."""
    try:
        return function(*arguments)
    except OSError:
        return None


def as_nobody(function, *arguments):
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        try:
            function(*arguments)
        except OSError:
            pass
        os._exit(0)
    os.waitpid(child, 0)


def run(path, *arguments, environment=None):
    child = os.fork()
    if child == 0:
        try:
            os.execve(path, [path, *arguments], environment or {})
        except OSError:
            os._exit(127)
    os.waitpid(child, 0)
