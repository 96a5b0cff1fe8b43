"""Handles on processes: unlike a pid, a handle never comes to mean another process (Linux 5.3 or later)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal

_SEND_SIGNAL, _OPEN = 424, 434
"""Numbers of the system calls, the same on every machine."""


def open_handle(pid: int) -> int:
    """Return a descriptor for a living process, to be closed with ``os.close``.

    Raises:
        ProcessLookupError: if there is none.
        OSError: if the kernel is older than Linux 5.3.
    """
    # Pythons built for old systems lack the function even where the kernel has the call.
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(pid)
    return _call(_OPEN, pid, 0)


def send_signal(handle: int, number: signal.Signals) -> None:
    """Send a signal; nothing happens if the process is gone."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(signal, "pidfd_send_signal"):
            signal.pidfd_send_signal(handle, number)
        else:
            _call(_SEND_SIGNAL, handle, int(number), None, 0)


def has_ended(handle: int, seconds: float = 0) -> bool:
    """Return whether the process has ended, waiting for it up to ``seconds``.

    Of the first process of a pid namespace the kernel says so only when all others in it are gone too.
    """
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _call(number: int, *arguments: int | None) -> int:
    result = int(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
