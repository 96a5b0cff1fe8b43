"""Rows of a map stage done by Ray Data: on all cores of this machine, or on those of a cluster.

The journal and the output stay with the program that was started, so what comes out is the same, byte for byte. A stage
whose models are served elsewhere needs nothing on the other machines but this package; one that reads local files
needs those in the same place everywhere.
"""

from __future__ import annotations

import itertools
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from opencodeinterpreter.codefeedback.files.jsonl import Record
from opencodeinterpreter.codefeedback.pipeline.crew import Done, Todo, one_row
from opencodeinterpreter.codefeedback.pipeline.stage import MapStage
from opencodeinterpreter.errors import MissingExtraError, ModelError, OcintError

if TYPE_CHECKING:
    import numpy as np

_BLOCK: Final = 20_000
"""Rows that are handed to Ray together; what bounds the memory of this process."""
_BATCH: Final = 8
"""Rows that a worker is given at a time, and so what may be done again after a kill."""
_CORES: Final = 0.5
"""Of each worker: most of them wait for a model or for a sandbox."""


class RayCrew:
    """A crew of Ray's workers, each with the stage prepared for itself.

    Connects to the cluster that ``RAY_ADDRESS`` names, as every program of Ray does, or starts one on this machine.

    Raises:
        MissingExtraError: if Ray is not installed.
    """

    def __init__(self) -> None:
        try:
            # Before it is imported: nothing is ever sent anywhere that nobody has asked for.
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            import ray.data  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("--ray", "ray") from error

    def work(self, stage: MapStage, todo: Todo, workers: int, done: Done, waiting: Callable[[], None]) -> None:
        """As ``Crew`` says."""
        import ray

        started = not ray.is_initialized()
        if started:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        try:
            while block := list(itertools.islice(todo, _BLOCK)):
                for entries in _done(stage, block, workers):
                    for entry in entries:
                        done(entry)
                    waiting()
        finally:
            if started:
                ray.shutdown()


def _done(stage: MapStage, block: list[tuple[int, Record]], workers: int) -> Iterator[list[Any]]:
    """Yield what became of the rows of a block, batch by batch as they are done."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    rows = [{"given": pickle.dumps(each)} for each in block]
    done = ray.data.from_items(
        rows, override_num_blocks=max(workers, min(len(rows) // _BATCH, 8 * workers), 1)
    ).map_batches(
        _Worker,
        fn_constructor_args=(stage,),
        batch_size=_BATCH,
        concurrency=(1, workers) if workers > 1 else 1,
        num_cpus=_CORES,
    )
    for batch in done.iter_batches(batch_size=_BATCH, prefetch_batches=0):
        found = [pickle.loads(each) for each in batch["entry"]]  # noqa: S301 - made by our own workers
        # What is finished is told before what failed ends the run.
        yield [each for each in found if not isinstance(each, _Failed)]
        for each in found:
            if isinstance(each, _Failed):
                raise each.error()


class _Failed:
    """An error of a stage on its way home: some classes of errors cannot be pickled."""

    def __init__(self, error: OcintError) -> None:
        self._kind, self._text = type(error), str(error)

    def error(self) -> OcintError:
        try:
            return self._kind(self._text)
        except TypeError:  # a class that wants more than a sentence
            return ModelError(self._text)


class _Worker:
    """One worker: prepares the stage once and does batches of rows."""

    def __init__(self, stage: MapStage) -> None:
        self._stack = ExitStack()
        self._process = self._stack.enter_context(stage.prepare())

    def __call__(self, batch: dict[str, np.ndarray[Any, Any]]) -> dict[str, list[bytes]]:
        made: list[bytes] = []
        for given in batch["given"]:
            index, record = pickle.loads(given)  # noqa: S301 - made by our own program
            try:
                made.append(pickle.dumps(one_row(self._process, index, record)))
            except OcintError as error:
                made.append(pickle.dumps(_Failed(error)))
        return {"entry": made}
