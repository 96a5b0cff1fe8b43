"""Programs that do what a problem asks for are found, whatever they look like."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from opencodeinterpreter.codefeedback.decontamination.behaviour import (
    Agreement,
    Behaviour,
    callables_of,
    inputs_of,
    program_of,
)
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.problems import Dataset, Problem

GAPS = Problem(
    id="Own/gaps",
    family="humaneval",
    prompt="",
    entry_point="gaps",
    reference="def gaps(values):\n    return [b - a for a, b in zip(values, values[1:])]\n",
    base_inputs=(([1, 4, 9],), ([2, 2],), ([],)),
    plus_inputs=tuple(([n, 3 * n, n * n],) for n in range(40)),
    atol=0,
)
POWER = Problem(
    id="Own/power",
    family="mbpp",
    prompt="",
    entry_point="power",
    reference="def power(base, exponent):\n    return base**exponent\n",
    base_inputs=((2, 3), (3, 2), (5, 0)),
    plus_inputs=((1, 9), (2, 10)),
    atol=0,
)
SILENT = Problem(
    id="Own/silent",
    family="mbpp",
    prompt="",
    entry_point="silent",
    reference="def silent(text):\n    return 0\n",
    base_inputs=(("a",), ("b",), ("c",)),
    plus_inputs=(),
    atol=0,
)
PROBLEMS = {each.id: each for each in (GAPS, POWER, SILENT)}
ANOTHER_WAY = """Here is a way:

```python
def abstaende(zahlen):
    ergebnis = []
    for stelle in range(1, len(zahlen)):
        ergebnis.append(zahlen[stelle] - zahlen[stelle - 1])
    return ergebnis


print(abstaende([1, 2, 4]))
```"""


@pytest.fixture(scope="module")
def behaviour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behaviour]:
    dataset = Dataset("own", "", "", tuple(PROBLEMS.values()))
    with Grader(dataset, workers=2, cache=tmp_path_factory.mktemp("cache")) as grader:
        yield Behaviour(PROBLEMS, grader)


def shares(behaviour: Behaviour, answer: str, question: str = "") -> dict[str, float]:
    [found] = behaviour.agreements([(question, answer, list(PROBLEMS))])
    return {name: each.share for name, each in found.items()}


def test_how_many_outputs_there_are_is_told(behaviour: Behaviour) -> None:
    [found] = behaviour.agreements([("", "def p(x, y):\n    return x**y", ["Own/power"])])
    assert found == {"Own/power": Agreement(1.0, 4)}


def test_another_program_in_other_words_is_found(behaviour: Behaviour) -> None:
    assert shares(behaviour, ANOTHER_WAY) == {"Own/gaps": 1.0}


def test_another_task_is_not(behaviour: Behaviour) -> None:
    assert shares(behaviour, "def ratios(v):\n    return [b / a for a, b in zip(v, v[1:])]")["Own/gaps"] < 0.5


def test_arguments_may_come_in_the_other_order(behaviour: Behaviour) -> None:
    assert shares(behaviour, "def hoch(oben, unten):\n    return unten**oben") == {"Own/power": 1.0}


def test_a_method_is_called_on_an_object_of_its_class(behaviour: Behaviour) -> None:
    method = "class Solution:\n    def power(self, base, exponent=2):\n        return base**exponent"
    assert shares(behaviour, method)["Own/power"] == 1.0


def test_a_completion_is_put_below_the_question(behaviour: Behaviour) -> None:
    question = "Complete:\n```python\ndef p(x, y):\n```"
    assert shares(behaviour, "    return x**y", question) == {"Own/power": 1.0}


def test_a_problem_whose_outputs_are_all_the_same_tells_nothing(behaviour: Behaviour) -> None:
    assert "Own/silent" not in shares(behaviour, "def nothing(text):\n    return 0")


@pytest.mark.parametrize(
    "answer",
    [
        "def forever(values):\n    while True:\n        pass",
        "import os\nos._exit(0)\ndef gone(values):\n    return values",
        "def failing(values):\n    raise SystemExit",
    ],
)
def test_a_program_that_does_not_return_agrees_with_nothing(behaviour: Behaviour, answer: str) -> None:
    assert set(shares(behaviour, answer).values()) == {0.0}


@pytest.mark.parametrize("answer", ["", "Use a list.", "int f(int a) { return a; }", "def f(:", "x = 1", "\x00"])
def test_what_is_no_python_function_is_not_run(behaviour: Behaviour, answer: str) -> None:
    assert shares(behaviour, answer) == {}


def test_inputs_are_of_the_base_tests_and_of_all_over_the_plus_tests() -> None:
    assert inputs_of(GAPS)[:4] == [*GAPS.base_inputs, GAPS.plus_inputs[0]]
    assert len(inputs_of(GAPS)) == 12
    many = replace(GAPS, plus_inputs=(*(([n],) for n in range(900)), ([0] * 1000,)))
    assert len(inputs_of(many)) == 12
    assert inputs_of(many)[-1][0][0] > 700
    assert inputs_of(SILENT) == list(SILENT.base_inputs)


def test_only_functions_that_take_so_many_arguments_are_called() -> None:
    code = "def two(a, b=1): ...\ndef named(a, *, b): ...\nclass C:\n    def m(self, a): ...\n"
    called = [text.rpartition("= ")[2].strip() for text in callables_of(code, 1)]
    assert called == ["two", "C().m"]


def test_a_helper_does_not_stand_for_the_whole_program() -> None:
    code = "def swap(a):\n    return a[::-1]\n\ndef solve(pairs):\n    return [swap(each) for each in pairs]\n"
    assert [text.rpartition("= ")[2].strip() for text in callables_of(code, 1)] == ["solve"]
    recursive = "class S:\n    def go(self, n):\n        return n and self.go(n - 1)\n"
    assert [text.rpartition("= ")[2].strip() for text in callables_of(recursive, 1)] == ["S().go"]


def test_a_collection_of_small_functions_is_no_solution_of_one() -> None:
    assert list(callables_of("".join(f"def f{n}(a):\n    return {n}\n\n" for n in range(5)), 1)) == []


def test_a_program_that_is_far_too_long_is_left_out() -> None:
    assert program_of("", "def f(x):\n    return x\n" + "# much\n" * 10_000) == ""


def test_no_program_writes_into_the_folder_of_the_caller(behaviour: Behaviour, tmp_path: Path) -> None:
    target = tmp_path / "written"
    shares(behaviour, f"def f(values):\n    open({str(target)!r}, 'w').write('x')\n    return values")
    assert not target.exists()
