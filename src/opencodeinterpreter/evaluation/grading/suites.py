"""One solution against the suites of its problem: from the answers of one run to a grade."""

from __future__ import annotations

from dataclasses import dataclass

from opencodeinterpreter.evaluation.grading.channel import Frame
from opencodeinterpreter.evaluation.grading.compare import Comparer
from opencodeinterpreter.evaluation.grading.endings import ending_verdict, read_error
from opencodeinterpreter.evaluation.grading.limits import GradingLimits
from opencodeinterpreter.evaluation.grading.running import End, Job
from opencodeinterpreter.evaluation.grading.truth import Prepared, Truth
from opencodeinterpreter.evaluation.grading.values import NotAValueError, as_text, cut, decode_value
from opencodeinterpreter.evaluation.verdicts import Failure, Grade, SuiteResult, Verdict

_CHARACTERS = 4000


@dataclass(frozen=True)
class _Suite:
    """Some of the calls of a run."""

    first: int
    comparer: Comparer
    calls: int


class Marking:
    """Compares the answers of one run as they come; the run ends with the first that is wrong.

    Args:
        prepared: the problem.
        truth: what its reference gives.
        limits: for the run.
    """

    def __init__(self, prepared: Prepared, truth: Truth, limits: GradingLimits) -> None:
        problem = prepared.problem
        self._prepared, self._truth, self._limits = prepared, truth, limits
        split = len(problem.base_inputs)
        self._suites = tuple(
            _Suite(start, Comparer(problem, inputs, truth.payloads[start : start + len(inputs)]), len(inputs))
            for start, inputs in ((0, problem.base_inputs), (split, problem.plus_inputs))
        )
        self._cpu = [0.0, 0.0]
        self._failed: tuple[int, Verdict, Failure] | None = None
        """The suite, how, and on what."""

    def job(self, code: str) -> Job:
        seconds = self._truth.cpu_seconds
        whole = sum(
            self._limits.for_suite(sum(seconds[suite.first : suite.first + suite.calls])) for suite in self._suites
        )
        limits = tuple(map(self._limits.for_input, seconds))
        return Job(code, self._prepared.problem.entry_point, self._prepared.calls, limits, whole)

    def on_answer(self, frame: Frame) -> bool:
        """Take in one answer; return False if it is wrong."""
        number = self._suite_of(frame.number)
        if frame.kind == "e":
            self._cpu[number] += frame.cpu_seconds
            self._fail_by_exception(number, frame.number - self._suites[number].first, frame.payload)
            return False
        # What is not ASCII is no value, and is so whatever stands there instead.
        return self._right(frame.number, frame.payload.decode("ascii", "replace"), frame.cpu_seconds)

    def _right(self, call: int, payload: str, cpu_seconds: float) -> bool:
        """Take in the value that a call gave; return whether it is right."""
        number = self._suite_of(call)
        suite = self._suites[number]
        index = call - suite.first
        self._cpu[number] += cpu_seconds
        try:
            if suite.comparer.equal(index, payload):
                return True
            actual = as_text(decode_value(payload.encode("ascii")).plain, _CHARACTERS)
        except (NotAValueError, UnicodeEncodeError):
            actual = ""
        expected = as_text(suite.comparer.value(index).plain, _CHARACTERS)
        self._fail(number, Verdict.WRONG, index, expected=expected, actual=actual)
        return False

    def of_known(self, answers: Truth) -> End:
        """Take in answers that were given before, of a run that came to its end; return how it would end here."""
        for number, (payload, seconds) in enumerate(zip(answers.payloads, answers.cpu_seconds, strict=True)):
            if not self._right(number, payload, seconds):
                return End("stopped", number + 1, loaded=True)
        return End("complete", len(answers.payloads), loaded=True)

    def grade(self, end: End) -> Grade:
        """Return the grade, after the end of the run."""
        if end.ending not in ("complete", "stopped"):
            self._fail_by_end(end)
        if self._failed is None:
            base, plus = (SuiteResult(Verdict.PASS, None, round(cpu, 6)) for cpu in self._cpu)
            return Grade(base, plus)
        number, verdict, failure = self._failed
        failed = SuiteResult(verdict, failure, round(self._cpu[number], 6))
        if number == 0:
            return Grade(failed, failed)
        return Grade(SuiteResult(Verdict.PASS, None, round(self._cpu[0], 6)), failed)

    def _suite_of(self, number: int) -> int:
        return 0 if number < self._suites[0].calls else 1

    def _fail_by_exception(self, number: int, index: int, payload: bytes) -> None:
        text, memory = read_error(payload)
        self._fail(number, Verdict.MEMORY if memory else Verdict.ERROR, index, error=text)

    def _fail_by_end(self, end: End) -> None:
        verdict, text = ending_verdict(end)
        if not end.loaded:
            self._fail(0, verdict, -1, error=text)
            return
        number = self._suite_of(end.answered)
        self._cpu[number] += end.cpu_seconds
        self._fail(number, verdict, end.answered - self._suites[number].first, error=text)

    def _fail(
        self, number: int, verdict: Verdict, index: int, expected: str = "", actual: str = "", error: str = ""
    ) -> None:
        arguments = ""
        if index >= 0:
            inputs = self._prepared.inputs[self._suites[number].first + index]
            arguments = cut(", ".join(as_text(value, _CHARACTERS) for value in inputs), _CHARACTERS)
        self._failed = number, verdict, Failure(index, arguments, expected, actual, error)
