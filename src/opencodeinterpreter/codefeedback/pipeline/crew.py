"""Who does the rows of a map stage: this thread, several threads, or (``ray_stage``) other processes and machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

from opencodeinterpreter.codefeedback.files.jsonl import Record
from opencodeinterpreter.codefeedback.pipeline.bad_records import bad_entry
from opencodeinterpreter.codefeedback.pipeline.entries import Entry
from opencodeinterpreter.codefeedback.pipeline.stage import MapStage, Process
from opencodeinterpreter.errors import InputError

WINDOW: Final = 8
"""Rows a worker that may be under way or wait behind a slow one; what bounds the memory."""
_TICK_SECONDS: Final = 0.2
"""How often the waiting main thread looks up, which is also how soon Ctrl-C is heard."""
_SLOW_SECONDS: Final = 0.02
"""A row that takes longer is worth being safe at once."""

Todo: TypeAlias = Iterator[tuple[int, Record]]
"""The records that are not done, with their numbers in the input."""
Done: TypeAlias = Callable[[Entry], None]


class Crew(Protocol):
    """Does the rows of a map stage."""

    def work(self, stage: MapStage, todo: Todo, workers: int, done: Done, waiting: Callable[[], None]) -> None:
        """Do every row, and tell ``done`` of each in this thread, in any order.

        No row is begun that is ``WINDOW`` times ``workers`` or more behind the first that is not done. ``waiting`` is
        called whenever there is nothing to do but wait. If it is ended early, what is finished is still told.

        Raises:
            OcintError: what the stage raises, but for an ``InputError``, which is a bad record.
        """
        ...


class Threads:
    """Does the rows in threads; in this very thread if one is enough."""

    def work(self, stage: MapStage, todo: Todo, workers: int, done: Done, waiting: Callable[[], None]) -> None:
        """As ``Crew`` says."""
        with stage.prepare() as process:
            if workers <= 1:
                for index, record in todo:
                    began = time.monotonic()
                    done(one_row(process, index, record))
                    if time.monotonic() - began >= _SLOW_SECONDS:
                        waiting()
            else:
                _Pool(stage, process, workers, done, waiting).work(todo)


def one_row(process: Process, index: int, record: Record) -> Entry:
    """Do one record; one that cannot be used is an entry that says so."""
    if record.row is None:
        return bad_entry(index, record, record.fault)
    try:
        outcome = process(record.row)
        if not outcome.drops:
            return Entry(index, outcome)
        # The journal is read without the input: a dropped row is kept in it.
        drops = tuple(replace(drop, row=record.row) if drop.row is None else drop for drop in outcome.drops)
        return Entry(index, replace(outcome, drops=drops))
    except InputError as error:
        return bad_entry(index, record, str(error))


class _Pool:
    def __init__(
        self, stage: MapStage, process: Process, workers: int, done: Done, waiting: Callable[[], None]
    ) -> None:
        self._stage, self._process, self._workers = stage, process, workers
        self._done, self._waiting = done, waiting
        self._under_way: dict[int, Future[Entry]] = {}

    def work(self, todo: Todo) -> None:
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix=self._stage.name)
        try:
            for index, record in todo:
                while self._under_way and index - next(iter(self._under_way)) >= WINDOW * self._workers:
                    self._collect()
                self._under_way[index] = pool.submit(one_row, self._process, index, record)
            while self._under_way:
                self._collect()
        except BaseException:
            self._stage.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            self._keep_finished()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _collect(self) -> None:
        """Wait for a row, and tell of all that are done."""
        self._waiting()
        finished = wait(self._under_way.values(), _TICK_SECONDS, FIRST_COMPLETED).done
        if not finished:
            return
        for index in [index for index, future in self._under_way.items() if future in finished]:
            self._done(self._under_way.pop(index).result())

    def _keep_finished(self) -> None:
        for future in self._under_way.values():
            if not future.cancelled() and future.exception() is None:
                self._done(future.result())
