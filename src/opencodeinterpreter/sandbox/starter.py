"""One thread of its own that starts every jail.

Linux ties "die with parent" to the *thread* that started a process: a jail started by a worker thread would be
killed when that worker ends, in the middle of somebody's session.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

_Job = tuple["Future[subprocess.Popen[bytes]]", Path, Sequence[str], Sequence[int], int]


class _Starter:
    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(
        self, program: Path, argv: Sequence[str], descriptors: Sequence[int], output: int
    ) -> subprocess.Popen[bytes]:
        future: Future[subprocess.Popen[bytes]] = Future()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="jail-starter", daemon=True)
                self._thread.start()
        self._jobs.put((future, program, argv, descriptors, output))
        return future.result()

    def _work(self) -> None:
        while True:
            future, program, argv, descriptors, output = self._jobs.get()
            try:
                # An empty environment and only the named descriptors: bubblewrap hands on what it gets, and
                # code inside would find it in itself and in pid 1.
                process = subprocess.Popen(
                    argv,
                    executable=program,
                    env={},
                    close_fds=True,
                    pass_fds=descriptors,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    # Ctrl-C in a terminal goes to its whole foreground group; the jail is ended by its owner alone.
                    start_new_session=True,
                )
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(process)
            del future


_starter = _Starter()


def _renew() -> None:
    """Forget the thread in a forked child, which has no copy of it."""
    global _starter
    _starter = _Starter()


os.register_at_fork(after_in_child=_renew)


def start(program: Path, argv: Sequence[str], descriptors: Sequence[int], output: int) -> subprocess.Popen[bytes]:
    """Start ``program``, called ``argv[0]``, with no environment, no input, and only the descriptors named.

    Raises:
        OSError: if it cannot be executed.
    """
    return _starter.start(program, argv, descriptors, output)
