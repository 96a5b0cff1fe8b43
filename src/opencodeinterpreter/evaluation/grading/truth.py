"""What the reference solution gives, computed in a jail like any solution's outputs, and never seen inside one."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from opencodeinterpreter.evaluation.grading.channel import Frame
from opencodeinterpreter.evaluation.grading.endings import ending_verdict, raised, read_error
from opencodeinterpreter.evaluation.grading.interpreter import package_versions
from opencodeinterpreter.evaluation.grading.limits import GradingLimits
from opencodeinterpreter.evaluation.grading.running import End, Job, OnAnswer
from opencodeinterpreter.evaluation.grading.store import Store, key_of
from opencodeinterpreter.evaluation.grading.values import ENCODING, as_text, cut, encode_input
from opencodeinterpreter.evaluation.problems import Problem

_REFERENCE_CPU_SECONDS = 60.0
"""For one input: there is nothing yet to measure it by."""
_LONG_CPU_SECONDS = 2.0
"""After which it pays to go on in several jails."""
_MOST_KEPT = 64 << 20
"""Characters of outputs that are kept: to write and read more (HumanEval/130 has 120 MB) takes as long as the run."""
_SHOWN = 80
"""Characters of an input, or of a value, in a sentence about it."""

ENCODED_BY = f"{sys.implementation.cache_tag} {sys.version_info[:3]} {package_versions()} encoding {ENCODING}"
"""What outputs depend on beside the program that gave them."""

Run = Callable[[Job, OnAnswer], End]


@dataclass(frozen=True)
class Truth:
    """The outputs of a reference solution, base inputs first, and what they took."""

    payloads: tuple[str, ...]
    cpu_seconds: tuple[float, ...]


class ReferenceFailedError(Exception):
    """The reference solution of a problem failed where this program runs; the message is one sentence."""


@dataclass(frozen=True)
class Prepared:
    """A problem as it is handed to the jail."""

    problem: Problem
    calls: tuple[bytes, ...]
    """Base inputs, then plus inputs."""
    key: str
    """Of the problem: its data set, its inputs, its reference, and this Python."""

    @property
    def inputs(self) -> tuple[tuple[object, ...], ...]:
        return (*self.problem.base_inputs, *self.problem.plus_inputs)


def prepare(problem: Problem, dataset_hash: str) -> Prepared:
    """Encode the inputs of a problem."""
    calls = tuple(encode_input(arguments) for arguments in (*problem.base_inputs, *problem.plus_inputs))
    sizes = f"{len(problem.base_inputs)} {problem.atol} {problem.family}"
    key = key_of(ENCODED_BY, dataset_hash, problem.id, problem.entry_point, problem.reference, sizes, *calls)
    return Prepared(problem, calls, key)


class TruthKeeper:
    """Computes expected outputs once, and keeps them.

    Args:
        run: runs a job in a jail.
        store: where they are kept between runs of this program.
        limits: for the parts of a run that do not depend on the reference.
        jails: among how many the inputs of a reference that takes long are shared out; with 1 they are called one
            after the other in one process, as a solution's are.
    """

    def __init__(self, run: Run, store: Store, limits: GradingLimits, jails: int = 1) -> None:
        self._jails = jails
        self._run = run
        self._store = store
        self._limits = limits
        self._known: dict[str, Truth | ReferenceFailedError] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def of(self, prepared: Prepared) -> Truth:
        """Return the expected outputs of a problem.

        Raises:
            ReferenceFailedError: if the reference does not give one for each input.
        """
        with self._lock:
            lock = self._locks.setdefault(prepared.key, threading.Lock())
        with lock:
            if prepared.key not in self._known:
                self._known[prepared.key] = self._kept_or_computed(prepared)
            truth = self._known[prepared.key]
        if isinstance(truth, ReferenceFailedError):
            raise truth
        return truth

    def _kept_or_computed(self, prepared: Prepared) -> Truth | ReferenceFailedError:
        key = key_of("truth", prepared.key)
        truth = _read(self._store.get(key), len(prepared.calls))
        if truth is None:
            try:
                truth = self._compute(prepared)
            except ReferenceFailedError as error:
                return error
            if sum(map(len, truth.payloads)) <= _MOST_KEPT:
                self._store.put(key, {"payloads": truth.payloads, "cpu_seconds": truth.cpu_seconds})
        return truth

    def _compute(self, prepared: Prepared) -> Truth:
        """Run the reference; what is left of a long run goes on in as many jails as there may be, side by side."""
        count = len(prepared.calls)
        answers = self._answers(prepared, range(count), pause=self._jails > 1)
        left = range(len(answers), count)
        if left:
            parts = [left[start :: self._jails] for start in range(min(self._jails, len(left)))]
            with ThreadPoolExecutor(len(parts), thread_name_prefix="reference") as pool:
                found = pool.map(lambda part: zip(part, self._answers(prepared, part), strict=True), parts)
                answers += [frame for _, frame in sorted(itertools.chain.from_iterable(found))]
        return Truth(
            tuple(frame.payload.decode("ascii") for frame in answers),
            tuple(round(frame.cpu_seconds, 6) for frame in answers),
        )

    def _answers(self, prepared: Prepared, numbers: Sequence[int], *, pause: bool = False) -> list[Frame]:
        """Return what the reference gives for some inputs; with ``pause``, for the first of them if they take long.

        Raises:
            ReferenceFailedError: if it does not give a value for each.
        """
        answers: list[Frame] = []
        spent = 0.0
        job = Job(
            prepared.problem.reference,
            prepared.problem.entry_point,
            [prepared.calls[number] for number in numbers],
            [_REFERENCE_CPU_SECONDS] * len(numbers),
            _REFERENCE_CPU_SECONDS * 10,
        )

        def collect(frame: Frame) -> bool:
            nonlocal spent
            answers.append(frame)
            spent += frame.cpu_seconds
            return frame.kind == "v" and not (pause and spent > _LONG_CPU_SECONDS)

        end = self._run(job, collect)
        if end.ending == "killed":  # by something outside
            answers.clear()
            spent = 0.0
            end = self._run(job, collect)
        if end.ending not in ("complete", "stopped") or any(frame.kind != "v" for frame in answers):
            raise ReferenceFailedError(reference_fails(prepared.problem.id, _failure(prepared, numbers, answers, end)))
        return answers


def reference_fails(problem_id: str, what: str) -> str:
    """Return the sentence for a reference solution that does not do its work."""
    return f"the reference solution of {problem_id} fails on this machine: {what}"


def shortened(text: str) -> str:
    """Return a value's text as it fits into a sentence."""
    return cut(text, _SHOWN)


def _failure(prepared: Prepared, numbers: Sequence[int], answers: list[Frame], end: End) -> str:
    """Say what became of the first input for which the reference gave nothing."""
    done = sum(frame.kind == "v" for frame in answers)
    if not end.loaded:
        return f"it cannot be loaded: {cut(raised(ending_verdict(end)[1]), 2 * _SHOWN)}"
    arguments = ", ".join(as_text(value, _SHOWN) for value in prepared.inputs[numbers[done]])
    call = f"{prepared.problem.entry_point}({shortened(arguments)})"
    if answers and answers[-1].kind == "e":
        return f"{call} raises {cut(raised(read_error(answers[-1].payload)[0]), 2 * _SHOWN)}"
    return f"{call} ends the program: {ending_verdict(end)[1]}"


def _read(document: object, count: int) -> Truth | None:
    """Return a kept truth, or None if it is not of this form."""
    if not isinstance(document, dict):
        return None
    payloads, seconds = document.get("payloads"), document.get("cpu_seconds")
    if not (isinstance(payloads, list) and isinstance(seconds, list) and len(payloads) == len(seconds) == count):
        return None
    if not all(isinstance(payload, str) for payload in payloads):
        return None
    return Truth(tuple(payloads), tuple(map(float, seconds)))
