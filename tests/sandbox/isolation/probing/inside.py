"""Runs probes, each in a process of its own, and writes down what they say; knows nothing but its argument's file.

Executed as ``python -I inside.py PROBES REPORT``, inside of a jail or, as the positive control, of a decoy host.
"""

# ruff: noqa: F401, PTH105, PTH123 - the probes use these modules, and this file stands for itself

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import resource
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
import types

SECONDS = 6
LONGEST = 4000
MOST = 8


def syscall(name, *arguments):
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    # The seventh argument goes over the stack, where an int leaves half of its place as it was.
    whole = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = library.syscall(ctypes.c_long(W.calls[name]), *whole)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def apart():
    """Leave the mounts of the other probes alone, where that is possible."""
    ctypes.CDLL(None).unshare(0x20000)


def run(name, code):
    """Return {"got": what the probe reported, "error": why it ended}."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(SECONDS)
        report = {"got": [], "error": ""}

        def got(evidence):
            if len(report["got"]) < MOST:
                report["got"].append(str(evidence)[:LONGEST])

        try:
            exec(code, {**globals(), "got": got, "MARK": W.marker + name})
        except BaseException as error:
            report["error"] = f"{type(error).__name__}: {error}"[:LONGEST]
        os.write(writing, json.dumps(report).encode() + b"\n")
        os._exit(0)
    os.close(writing)
    text = b""
    # A straggler may hold the pipe: the line's end is the end.
    while not text.endswith(b"\n") and select.select([reading], [], [], SECONDS + 1)[0]:
        piece = os.read(reading, 65536)
        if not piece:
            break
        text += piece
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return json.loads(text) if text.endswith(b"\n") else {"got": [], "error": "ended without a report"}


with open(sys.argv[1]) as file:
    given = json.load(file)
W = types.SimpleNamespace(**given["world"])
reports = {}
for name, code in given["probes"]:
    reports[name] = run(name, code)
    with open(sys.argv[2] + ".part", "w") as file:
        json.dump(reports, file)
    os.replace(sys.argv[2] + ".part", sys.argv[2])
