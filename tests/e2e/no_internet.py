"""Runs a program that is killed, with all that it starts, when any of it asks for an Internet socket.

    python no_internet.py PROGRAM ARGUMENTS...

A filter of system calls is inherited by every child and cannot be taken off, so nothing that the program starts, in
whatever language, gets past it. Numbers are those of x86_64 and aarch64.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

SOCKET_CALL = {"x86_64": 41, "aarch64": 198}[platform.machine()]
AF_INET, AF_INET6 = 2, 10
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

PROGRAM = [
    (LOAD, 0, 0, 0),  # the number of the call
    (JUMP_EQUAL, 0, 4, SOCKET_CALL),
    (LOAD, 0, 0, 16),  # its first argument: the family of addresses
    (JUMP_EQUAL, 1, 0, AF_INET),
    (JUMP_EQUAL, 0, 1, AF_INET6),
    (RETURN, 0, 0, KILL_PROCESS),
    (RETURN, 0, 0, ALLOW),
]


class Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def forbid_internet() -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in PROGRAM))
    program = Filter(len(PROGRAM), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "the filter was not taken")


if __name__ == "__main__":
    forbid_internet()
    os.execvp(sys.argv[1], sys.argv[1:])
