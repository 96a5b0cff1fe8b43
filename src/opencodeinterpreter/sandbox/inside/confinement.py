"""How a process in a container is confined: what the system says of it, and what it takes upon itself.

Sent to the container with ``relay.py``; nothing here may come from outside the standard library.
"""

# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import socket

_NOT_DUMPABLE = 4
"""``PR_SET_DUMPABLE``; with 0, other processes of the same user can neither trace this one nor open its files."""
_SET_SECCOMP, _BY_FILTER = 22, 2
_INSTRUCTION_BYTES = 8


def hide() -> None:
    """Let no other process trace this one or open its files."""
    ctypes.CDLL(None).prctl(_NOT_DUMPABLE, 0, 0, 0, 0)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def confine(address_space: int | None, program: bytes) -> None:
    """Bound the address space of this process and of all that it starts, and the system calls that they can make."""
    if address_space is not None:
        resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    told = _Program(len(program) // _INSTRUCTION_BYTES, program)
    if ctypes.CDLL(None).prctl(_SET_SECCOMP, _BY_FILTER, ctypes.byref(told), 0, 0):
        raise OSError("the system call filter was refused")


def memory_kills() -> int:
    """Return how many processes in here the system has ended for want of memory."""
    for path in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        with contextlib.suppress(OSError, ValueError), open(path) as file:
            for line in file:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


def describe() -> str:
    """Return what the system says of this process, its network and its machine, and if the workspace is writable."""
    with open("/proc/self/status") as status, open("/proc/self/mountinfo") as mounts:
        lines = [status.read() + mounts.read()]
    lines += [f"interface {name}" for _, name in socket.if_nameindex()]
    lines += [f"machine {os.uname().machine}"]
    lines += ["workspace open"] if os.access(".", os.W_OK) else []
    return "\n".join(lines)
