"""What the grader promises to those who use it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from grading_problems import SQUARES, dataset, problem

from opencodeinterpreter.errors import EvaluationError, SandboxUnavailableError
from opencodeinterpreter.evaluation.grading import Grader, GradingLimits
from opencodeinterpreter.evaluation.grading.running import HarnessError
from opencodeinterpreter.evaluation.problems import Example, Problem
from opencodeinterpreter.evaluation.protocols.observing import expected_outputs, on_examples, on_inputs, on_loading
from opencodeinterpreter.evaluation.verdicts import Verdict
from opencodeinterpreter.sandbox.base import LaunchSpec
from opencodeinterpreter.sandbox.bubblewrap import BubblewrapBackend
from opencodeinterpreter.sandbox.jailed import JailedProcess

WRONG = "def squares(values): return [round(v * v, 6) for v in sorted(values)]"


class Failing(BubblewrapBackend):
    """A backend whose first starts fail."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures
        self.started = 0

    def launch(self, spec: LaunchSpec) -> JailedProcess:
        self.failures -= 1
        if self.failures >= 0:
            raise SandboxUnavailableError("no jail now")
        self.started += 1
        return super().launch(spec)


def test_the_first_wrong_answer_is_told(grader: Grader, squares: Problem) -> None:
    grade = grader.grade(squares, WRONG)

    failure = grade.base.failure
    assert failure is not None
    assert (failure.index, failure.input) == (0, "[3.0, 1.5]")
    assert (failure.expected, failure.actual) == ("[3.25, 10.0]", "[2.25, 9.0]")
    assert grade.plus == grade.base


def test_a_failure_on_plus_leaves_base_passed(grader: Grader, squares: Problem) -> None:
    grade = grader.grade(squares, f"{SQUARES}right = squares\ndef squares(v): return right(v) if len(v) < 3 else []")

    assert grade.base.passed
    assert grade.plus.verdict is Verdict.WRONG
    assert grade.plus.failure is not None
    assert grade.plus.failure.index == 0


def test_a_traceback_shows_the_program_alone(grader: Grader, squares: Problem) -> None:
    grade = grader.grade(squares, "def inner(): return 1 / 0\ndef squares(values):\n    return inner()\n")

    failure = grade.base.failure
    assert failure is not None
    assert failure.error.startswith('Traceback (most recent call last):\n  File "<solution>", line 3, in squares')
    assert failure.error.endswith("ZeroDivisionError: division by zero")
    assert "solution_main" not in failure.error


@pytest.mark.parametrize(
    ("code", "verdict", "says"),
    [
        ("", Verdict.NO_CODE, ""),
        (" \n\t", Verdict.NO_CODE, ""),
        ("def squares(values:\n", Verdict.ERROR, "SyntaxError"),
        ("def square(values): pass", Verdict.ERROR, "there is no squares in the program"),
        ("squares = 3", Verdict.ERROR, "TypeError"),
        ("import no_such_module", Verdict.ERROR, "no_such_module"),
        ("raise KeyError('squares')", Verdict.ERROR, "KeyError"),
        ("def squares(values): return 1\n\0", Verdict.ERROR, "null bytes"),
        ("x = bytearray(1 << 40)", Verdict.MEMORY, "MemoryError"),
        ("while True: pass", Verdict.TIMEOUT, "processor time"),
    ],
)
def test_programs_that_do_not_come_to_a_call(
    code: str, verdict: Verdict, says: str, grader: Grader, squares: Problem
) -> None:
    result = grader.grade(squares, code).base

    assert result.verdict is verdict
    if says:
        assert result.failure is not None
        assert result.failure.index == (0 if code == "squares = 3" else -1)
        assert says in result.failure.error


def test_many_are_graded_in_order_by_several_threads(grader: Grader, squares: Problem) -> None:
    codes = [SQUARES if number % 3 else f"def squares(v): return {number}" for number in range(12)]
    found: dict[int, list[bool]] = {}

    def work(number: int) -> None:
        found[number] = [grade.plus.passed for grade in grader.grade_many((squares, code) for code in codes)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [bool(place % 3) for place in range(12)] for number in range(3)}


def test_what_was_graded_before_is_not_run_again(squares: Problem, tmp_path: Path) -> None:
    first = Grader(dataset(squares), 1, tmp_path).grade(squares, WRONG)
    backend = Failing(0)
    again = Grader(dataset(squares), 1, tmp_path, backend=backend)

    assert again.grade(squares, WRONG) == first
    assert backend.started == 0
    again.grade(squares, WRONG + "\n# changed")
    assert backend.started == 1  # the outputs of the reference are kept as well


def test_a_kept_result_that_was_damaged_is_made_again(squares: Problem, tmp_path: Path) -> None:
    first = Grader(dataset(squares), 1, tmp_path).grade(squares, WRONG)
    for path in tmp_path.rglob("*.json"):
        text = path.read_text()
        path.write_text(text.replace("wrong answer", "pass").replace("10.0", "11.0"))

    again = Grader(dataset(squares), 1, tmp_path).grade(squares, WRONG)
    assert (again.base.verdict, again.base.failure) == (first.base.verdict, first.base.failure)


def test_a_start_that_fails_once_is_tried_again(squares: Problem, tmp_path: Path) -> None:
    assert Grader(dataset(squares), 1, tmp_path, backend=Failing(1)).grade(squares, SQUARES).plus.passed


def test_a_fault_of_the_grader_is_not_the_programs_and_not_kept(squares: Problem, tmp_path: Path) -> None:
    grader = Grader(dataset(squares), 1, tmp_path, backend=Failing(2))

    grade = grader.grade(squares, SQUARES)
    assert (grade.base.verdict, grade.plus.verdict) == (Verdict.HARNESS, Verdict.HARNESS)
    assert grade.base.failure is not None
    assert grade.base.failure.error == "no jail now"
    assert grader.grade(squares, SQUARES).plus.passed


class StandingStill(Failing):
    """A machine that stands still in its first starts, for which it charges whoever runs."""

    def __init__(self, times: int, cpu_seconds: float) -> None:
        super().__init__(0)
        self.times, self.cpu_seconds = times, cpu_seconds

    def launch(self, spec: LaunchSpec) -> JailedProcess:
        process = super().launch(spec)
        self.times -= 1
        if self.times >= 0:
            charged = iter(range(1000))
            process.usage = lambda: (1 << 20, next(charged) * self.cpu_seconds)  # type: ignore[method-assign]
        return process


def test_a_program_is_not_charged_for_a_machine_that_stood_still(squares: Problem, tmp_path: Path) -> None:
    Grader(dataset(squares), 1, tmp_path).grade(squares, WRONG)  # the reference is known
    slow = f"import time\ntime.sleep(0.5)\n{SQUARES}"
    backend = StandingStill(1, 1000.0)
    assert Grader(dataset(squares), 1, tmp_path, backend=backend).grade(squares, slow).plus.passed
    assert backend.started == 2
    backend = StandingStill(2, 1000.0)
    late = Grader(dataset(squares), 1, tmp_path, backend=backend).grade(squares, slow + "# again")
    assert (late.base.verdict, backend.started) == (Verdict.TIMEOUT, 2)


def test_a_verdict_of_a_program_that_was_killed_is_not_kept(squares: Problem, tmp_path: Path) -> None:
    killed = "import os\ndef squares(values): os.kill(os.getpid(), 9)"
    backend = Failing(0)
    Grader(dataset(squares), 1, tmp_path).grade(squares, WRONG)
    grader = Grader(dataset(squares), 1, tmp_path, backend=backend)
    assert grader.grade(squares, killed).base.verdict is Verdict.ERROR
    assert grader.grade(squares, killed).base.verdict is Verdict.ERROR
    assert backend.started == 4


def test_references_of_published_data_run_once_and_others_twice(tmp_path: Path, squares: Problem) -> None:
    for published, starts in ((True, 1), (False, 2)):
        backend = Failing(0)
        made = replace(dataset(squares), published=published)
        with Grader(made, 1, tmp_path / str(published), backend=backend) as grader:
            assert grader.grade(squares, squares.reference).plus.passed
            assert backend.started == starts
            assert not grader.grade(squares, WRONG).base.passed
            assert backend.started == starts + 1
    changing = problem("import os\ndef changing(x): return os.urandom(8) if x else iter(())", "changing", ((0,),), ())
    [fault] = Grader(replace(dataset(changing), published=True), 1, tmp_path).check_references()
    assert fault.verdict is Verdict.WRONG, "what is no value equals nothing, not even itself"


SLOW = """import time
called = 0
def slow(x):
    global called
    called += 1
    until = time.process_time() + 0.35
    while time.process_time() < until:
        pass
    return [x, called] if x < 100 else 1 / (x - 100)
"""


def test_the_inputs_of_a_long_reference_are_shared_out_where_data_is_published(tmp_path: Path) -> None:
    """Told by a reference that counts its calls, which none of the published ones does."""
    counting = problem(SLOW, "slow", tuple((x,) for x in range(6)), tuple((x,) for x in range(6, 10)))
    for published, backend in ((True, Failing(0)), (False, Failing(0))):
        made = replace(dataset(counting), published=published)
        with Grader(made, 2, tmp_path / str(published), backend=backend) as grader:
            in_turn = grader.grade(
                counting, "called = 0\ndef slow(x):\n    global called\n    called += 1\n    return [x, called]"
            )
            assert in_turn.base.passed
            assert in_turn.plus.passed is not published
            if published:
                assert in_turn.plus.failure is not None
                assert (in_turn.plus.failure.input, in_turn.plus.failure.expected) == ("6", "[6, 1]")
            assert backend.started == (4 if published else 2)


def test_an_input_on_which_a_long_reference_fails_is_named(tmp_path: Path) -> None:
    failing = problem(SLOW, "slow", tuple((x,) for x in (*range(8), 100, 9)), ())

    [fault] = Grader(replace(dataset(failing), published=True), 2, tmp_path).check_references()

    assert fault.text.endswith("slow(100) raises ZeroDivisionError: division by zero")


def test_references_that_do_not_pass_are_named(tmp_path: Path) -> None:
    good = problem()
    raising = problem("def raising(x): return 1 / x", "raising", ((1,), (0,)), ())
    changing = problem("import os\ndef changing(x): return os.urandom(8)", "changing", ((1,),), ())
    undefined = problem("def undefined(x): return x / 7", "undefined", ((1.0,),), ((float("nan"),),))

    faults = Grader(dataset(good, raising, changing, undefined), 2, tmp_path).check_references()

    assert [(fault.problem_id, fault.suite, fault.verdict) for fault in faults] == [
        ("Own/raising", "", Verdict.HARNESS),
        ("Own/changing", "base", Verdict.WRONG),
        ("Own/undefined", "plus", Verdict.WRONG),
    ]
    assert [fault.text for fault in faults] == [
        "the reference solution of Own/raising fails on this machine: raising(0) raises "
        "ZeroDivisionError: division by zero",
        faults[1].text,
        "the reference solution of Own/undefined fails on this machine: undefined(nan) gives nan, and nan is expected",
    ]
    assert faults[1].text.startswith("the reference solution of Own/changing fails on this machine: changing(1) gives ")
    assert len(faults[1].text) < 250


@pytest.mark.parametrize(
    ("reference", "given", "says"),
    [
        ("def f(x):\n    raise ValueError('two\\nlines')", (1,), "f(1) raises ValueError: two lines"),
        ("def f(x):\n    raise ValueError('long ' * 400)", (1,), "f(1) raises ValueError: long long"),
        ("def f(x): return 1 / len(x)", ("",), "f('') raises ZeroDivisionError: division by zero"),
        ("def f(x): return x[400000]", (list(range(100000)),), "raises IndexError: list index out of range"),
        ("import no_such_module", (1,), "it cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"),
        ("import os\ndef f(x): os._exit(3)", (1,), "f(1) ends the program: it ended its own process with status 3"),
        ("def f(x): return bytearray(1 << 40)", (1,), "f(1) raises MemoryError"),
        ("import time\ndef f(x): time.sleep(99)", (1,), "f(1) ends the program: it waited for something that does not"),
    ],
)
def test_a_reference_that_fails_is_told_in_one_sentence(
    reference: str, given: tuple[object, ...], says: str, tmp_path: Path
) -> None:
    task = problem(reference, "f", (given,), ())

    [fault] = Grader(dataset(task), 1, tmp_path, GradingLimits(asleep_seconds=0.6)).check_references()

    assert fault.text.startswith("the reference solution of Own/f fails on this machine: ")
    assert says in fault.text
    assert len(fault.text) < 300
    assert "\n" not in fault.text
    assert '["' not in fault.text


def test_calls_without_expected_outputs(grader: Grader) -> None:
    code = """
import os
def f(x):
    if x == 1: raise ValueError("one")
    if x == 2: os._exit(0)
    if x == 3:
        while True: pass
    return {x: (x,)}
"""
    outcomes = grader.run(code, "f", [(number,) for number in range(6)])

    assert [outcome.verdict for outcome in outcomes] == [
        Verdict.PASS,
        Verdict.ERROR,
        Verdict.ERROR,
        Verdict.TIMEOUT,
        Verdict.PASS,
        Verdict.PASS,
    ]
    assert outcomes[0].text == "{0: (0,)}"
    assert outcomes[5].value is not None
    assert outcomes[5].value.plain == {5: (5,)}
    assert "ValueError: one" in outcomes[1].error


def test_calls_of_what_is_no_program(grader: Grader) -> None:
    assert [outcome.verdict for outcome in grader.run("", "f", [(1,)])] == [Verdict.NO_CODE]
    assert [outcome.verdict for outcome in grader.run("(", "f", [(1,), (2,)])] == [Verdict.ERROR] * 2
    with pytest.raises(EvaluationError, match="plain value"):
        grader.run("def f(x): pass", "f", [(object(),)])


def test_visible_examples_are_compared_outside(grader: Grader) -> None:
    examples = (
        Example("squares([2.0])", "[5.0]", ">>> squares([2.0])", ([2.0],)),
        Example("len(squares([2.0, 1.0]))", "1 + 1", "", None),
        Example("squares([1.0])", "[math.sqrt(4.0) + 1e-9]", "", ([1.0],)),
        Example("squares([0.0])", "[7.0]", "", ([0.0],)),
        Example("squares([0.0])", "no_such_name", "", ([0.0],)),
    )
    task = problem(examples=examples)

    right = grader.run_examples(task, SQUARES)
    assert [outcome.verdict for outcome in right[:4]] == [Verdict.PASS] * 3 + [Verdict.WRONG]
    assert right[4].verdict is Verdict.HARNESS
    assert right[3].actual == "[1.0]"
    raising = grader.run_examples(task, "def squares(values): raise LookupError('x')")
    assert raising[0].verdict is Verdict.ERROR
    assert "LookupError" in raising[0].error


def test_what_the_prompt_says_is_right_is_worked_out_once(squares: Problem, tmp_path: Path) -> None:
    examples = (
        Example("squares([2.0])", "[5.0]", "", ([2.0],)),
        Example("squares([0.0])", "no_such_name", "", ([0.0],)),
    )
    task = problem(examples=examples)
    backend = Failing(0)
    grader = Grader(dataset(squares), 1, tmp_path, backend=backend)
    first = grader.run_examples(task, SQUARES)
    assert [outcome.verdict for outcome in first] == [Verdict.PASS, Verdict.HARNESS]
    assert backend.started == 2  # the program, and the prompt's own outputs

    assert grader.run_examples(task, WRONG)[0].verdict is Verdict.WRONG
    assert backend.started == 3
    other = Failing(0)
    assert Grader(dataset(squares), 1, tmp_path, backend=other).run_examples(task, SQUARES) == first
    assert other.started == 1


def test_outputs_of_examples_that_could_not_be_worked_out_are_not_remembered(squares: Problem, tmp_path: Path) -> None:
    task = problem(examples=(Example("squares([2.0])", "[5.0]", "", ([2.0],)),))

    class Ending(Failing):
        def launch(self, spec: LaunchSpec) -> JailedProcess:
            if self.failures > 0 and b"[5.0]" in spec.files["/run/job"]:
                self.failures -= 1
                raise OSError("no jail now")
            return BubblewrapBackend.launch(self, spec)

    backend = Ending(2)
    grader = Grader(dataset(squares), 1, tmp_path, backend=backend)
    with pytest.raises(HarnessError, match="no jail now"):
        grader.run_examples(task, SQUARES)
    assert backend.failures == 0
    assert grader.run_examples(task, SQUARES)[0].passed


@pytest.mark.parametrize("failures", [2, 3])
def test_a_protocol_sees_nothing_rather_than_a_fault_of_the_grader(
    failures: int, squares: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencodeinterpreter.evaluation.protocols.observing._PAUSES", (0.0,))

    class Full(Failing):
        def launch(self, spec: LaunchSpec) -> JailedProcess:
            self.failures -= 1
            if self.failures >= 0:
                raise OSError("the disk is full")
            return BubblewrapBackend.launch(self, spec)

    task = problem(examples=(Example("squares([2.0])", "[5.0]", "", ([2.0],)),))
    looks = (
        lambda grader: on_examples(grader, task, SQUARES),
        lambda grader: on_inputs(grader, task, SQUARES, [([2.0],)]),
        lambda grader: on_loading(grader, SQUARES),
        lambda grader: expected_outputs(grader, task, [([2.0],)]),
    )
    for look in looks:
        grader = Grader(dataset(squares), 1, tmp_path / "new", backend=Full(failures))
        assert look(grader), "tried again, it works"
        broken = Grader(dataset(squares), 1, tmp_path / "new", backend=Full(99))
        with pytest.raises(EvaluationError, match="cannot run code: the disk is full"):
            look(broken)


def test_examples_with_something_around_their_call(grader: Grader) -> None:
    close = Example("math.isclose(area(2), 12.566, rel_tol=0.001)", "True", "", None)
    task = problem("def area(r): return 3.14159 * r * r", "area", ((2,),), (), family="mbpp", examples=(close,))
    assert grader.run_examples(task, task.reference)[0].verdict is Verdict.PASS
    assert grader.run_examples(task, "math = None\ndef area(r): return 3.14159 * r * r")[0].verdict is Verdict.ERROR
    assert grader.run_examples(task, "def area(r): return r")[0].verdict is Verdict.WRONG

    rounded = Example("round(find_zero([1, 2]), 2)", "-0.5", "", None)
    root = problem("def find_zero(xs): return -xs[0] / xs[1]", "find_zero", (([1, 2],),), (), examples=(rounded,))
    assert grader.run_examples(root, root.reference)[0].verdict is Verdict.PASS
    assert grader.run_examples(root, "def find_zero(xs): return 0.5")[0].verdict is Verdict.WRONG

    anything = Example("len(are_equivalent(2))", "1", "", None)  # whose calls are right whatever they give
    task = problem("def are_equivalent(n): return [n]", "are_equivalent", ((2,),), (), family="mbpp")
    task = replace(task, examples=(anything,))
    assert grader.run_examples(task, "def are_equivalent(n): return [n, n]")[0].verdict is Verdict.WRONG


def test_an_example_cannot_be_made_to_pass(grader: Grader) -> None:
    task = problem(examples=(Example("squares([2.0]) == [5.0]", "True", "", None),))
    equal = "class A:\n    def __eq__(self, other): return A()\ndef squares(values): return A()"

    assert not grader.run_examples(task, equal)[0].passed
