from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from protocol_tools import BODY, MBPP_PROBLEM, PROBLEM, PROMPT, RIGHT, WRONG, RememberingGrader, double

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.problems import Example, Problem
from opencodeinterpreter.evaluation.protocols.leakage import (
    OWN_OUTPUTS,
    Leak,
    LeakCheck,
    check_record,
    check_records,
    marked_leaks,
    tokens,
)
from opencodeinterpreter.evaluation.protocols.observing import own_outputs
from opencodeinterpreter.evaluation.protocols.prompts import first_messages, following, wrong_answer
from opencodeinterpreter.evaluation.records import Attempt, ProblemRecord

FIRST = first_messages(PROBLEM, "evalplus")
VISIBLE = "The results aren't as expected.\nInput: double_plus(2, 1)\nExpected Output: 5\nActual Output: 3"


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    with RememberingGrader(tmp_path_factory.mktemp("grading")) as grader:
        yield grader


def expected(problem: Problem, inputs: Sequence[tuple[Any, ...]]) -> list[str | None]:
    """What the reference solutions give."""
    return [repr(given[0] * 2 + given[1] if problem.id == PROBLEM.id else given[0][::-1]) for given in inputs]


def record(
    *feedback: str, reply: str = WRONG, flattened: bool = False, problem: Problem = PROBLEM, **notes: Any
) -> ProblemRecord:
    """A dialog in which the model was told this."""
    messages = first_messages(problem, "evalplus")
    attempts = [Attempt(0, "answer", messages, reply)]
    for number, text in enumerate(feedback, start=1):
        messages = following(messages, reply, text, flattened=flattened)
        attempts.append(Attempt(number, "refinement", messages, reply))
    return ProblemRecord(problem.id, tuple(attempts), 0, notes=notes)


def kinds(found: Sequence[Leak]) -> list[str]:
    return [leak.kind for leak in found]


@pytest.mark.parametrize(
    "told",
    [
        VISIBLE,
        "Execution timed out.",
        'File "<string>", line 2, in double_plus\nZeroDivisionError: division by zero',
        "The call double_plus(0, 7) failed:\nTypeError: 'int' object is not callable",
        "Double the number 10 and take 3 off, in 31 lines, 4 of them empty.",
    ],
)
@pytest.mark.parametrize("flattened", [False, True])
def test_honest_messages_pass(told: str, flattened: bool) -> None:
    assert check_record(record(told, flattened=flattened), PROBLEM, expected) == []


@pytest.mark.parametrize(
    "told",
    [
        wrong_answer("31, 4", "66", "35"),
        wrong_answer("10, -3", "17", "7"),
        "assert double_plus(-50, 2) == -98",
        "It is double_plus( 10,-3 ) that fails.",
        "Input: 10, -3\nThat is all.",
    ],
)
@pytest.mark.parametrize("flattened", [False, True])
def test_a_hidden_input_is_found_in_every_form(told: str, flattened: bool) -> None:
    assert kinds(check_record(record(told, flattened=flattened), PROBLEM)) == ["hidden input"]


def test_a_hidden_pair_is_found_where_the_prompt_shows_the_input_alone() -> None:
    problem = Problem(
        "Mbpp/9", "mbpp", '"""Write a function tripled, to be called as tripled(9)."""', "tripled",
        "def tripled(number):\n    return number * 3", ((9,),), (), 0,
    )  # fmt: skip

    def tripled(_: Problem, inputs: Sequence[tuple[Any, ...]]) -> list[str | None]:
        return [repr(given[0] * 3) for given in inputs]

    told = "Input: [9]\nExpected Output: 27"
    assert kinds(check_record(record(told, problem=problem), problem, tripled)) == ["hidden pair"]
    assert check_record(record("The call tripled(9) failed: ValueError", problem=problem), problem, tripled) == []


@pytest.mark.parametrize(
    ("shown", "call"),
    [
        ("assert even([1, 2, 3])", "bool(even([1, 2, 3]))"),
        ("assert not even([1, 2, 3])", "not even([1, 2, 3])"),
        ("assert set(even([1, 2, 3])) == {2}", "set(even([1, 2, 3]))"),
    ],
)
def test_an_example_with_something_around_its_call_is_shown_by_the_prompt(shown: str, call: str) -> None:
    problem = Problem(
        "Mbpp/9", "mbpp", f'"""\nTell what is even.\n{shown}\n"""', "even", "def even(items):\n    return True",
        (([1, 2, 3],),), (([2, 4],),), 0, examples=(Example(call, "True", shown),),
    )  # fmt: skip

    def even(_: Problem, inputs: Sequence[tuple[Any, ...]]) -> list[str | None]:
        return ["True"] * len(inputs)

    told = f"Input: {call}\nExpected Output: True\nActual Output: False"
    assert check_record(record(told, problem=problem), problem, even) == []
    assert kinds(check_record(record(told.replace("1, 2, 3", "2, 4"), problem=problem), problem, even)) == [
        "hidden input"
    ]


def test_a_long_input_is_found_wherever_it_stands_and_though_it_is_cut() -> None:
    long = tuple(range(100, 200))
    problem = Problem(**{**vars(MBPP_PROBLEM), "plus_inputs": ((list(long),),)})
    told = f"think of {str(list(long))[:100]}"
    assert kinds(check_record(record(told, problem=problem), problem)) == ["hidden input"]
    middle = "think of [5, 6, 7, 8, 9, 10]"
    assert kinds(check_record(record(middle, problem=problem), problem)) == ["hidden input"]


def test_another_way_of_writing_hides_nothing() -> None:
    assert kinds(check_record(record("backwards((5,6, 7,8,9,10))", problem=MBPP_PROBLEM), MBPP_PROBLEM)) == [
        "hidden input"
    ]
    assert tokens("f(['a', \"b c\"])") == tokens('f(("a","b c"))')


@pytest.mark.parametrize("told", [BODY, f"Try this:\n```python\n{PROMPT}{BODY}```", BODY.replace("    ", " ")])
def test_the_reference_solution_is_found(told: str) -> None:
    assert kinds(check_record(record(told), PROBLEM)) == ["reference solution"]


def test_a_run_of_the_reference_is_enough() -> None:
    lines = "\n".join(BODY.splitlines()[:2])
    assert kinds(check_record(record(f"Something like {lines.strip()}"), PROBLEM)) == ["reference solution"]
    assert check_record(record("return total"), PROBLEM) == []


def test_what_the_model_has_written_itself_does_not_count() -> None:
    own = f"```python\n{PROMPT}{BODY}\nassert double_plus(31, 4) == 66\n```"
    assert check_record(record("Again: double_plus(31, 4) failed", reply=own), PROBLEM, expected) == []
    assert check_record(record(BODY, reply=own, flattened=True), PROBLEM, expected) == []


@pytest.mark.parametrize(
    ("told", "echo", "kind"),
    [
        ("The call double_plus(31, 4) failed", "double_plus(31, 4) fails since it adds once.", "hidden input"),
        (f"It is {BODY}", f"```python\n{PROMPT}{BODY}\n```", "reference solution"),
    ],
)
def test_what_the_model_writes_after_it_was_told_excuses_nothing(told: str, echo: str, kind: str) -> None:
    made = record(told)
    answer, refinement = made.attempts
    echoed = replace(made, attempts=(answer, replace(refinement, reply=echo)))
    assert kinds(check_record(echoed, PROBLEM)) == [kind]
    # Nor in the turn after it, in whose dialog the same message stands before its own words.
    further = Attempt(2, "refinement", following(refinement.messages, echo, "Again, please.", flattened=False), WRONG)
    assert kinds(check_record(replace(echoed, attempts=(*echoed.attempts, further)), PROBLEM)) == [kind]


def test_an_output_of_a_later_program_excuses_nothing(grader: Grader) -> None:
    told = computed("def backwards(items):\n    return items")
    answer, refinement = told.attempts
    later = replace(refinement, code="def backwards(items):\n    return list(range(5, 11))")
    check = LeakCheck([MBPP_PROBLEM], expected, lambda problem, code: own_outputs(grader, problem, code))
    assert [leak.kind for leak in marked_leaks(check.settled(replace(told, attempts=(answer, later))))] == [
        "hidden input"
    ]


def test_a_call_without_arguments_is_no_hidden_input() -> None:
    problem = replace(MBPP_PROBLEM, plus_inputs=(("",),))
    assert check_record(record("Look at `backwards()` once more.", problem=problem), problem, expected) == []


TOLD = "Input: backwards([1, 2])\nExpected Output: [2, 1]\nActual Output: [5, 6, 7, 8, 9, 10]"


def computed(code: str) -> ProblemRecord:
    """A dialog in which the model was told an output of this code that is a hidden input."""
    made = record(TOLD, reply=f"```python\n{code}\n```", problem=MBPP_PROBLEM)
    return replace(made, attempts=tuple(replace(attempt, code=code) for attempt in made.attempts))


def test_what_its_own_code_gives_for_an_example_of_the_prompt_does_not_count(grader: Grader) -> None:
    shown = computed("def backwards(items):\n    return list(range(5, 11))")
    check = LeakCheck([MBPP_PROBLEM], expected, lambda problem, code: own_outputs(grader, problem, code))
    assert kinds(check.record(shown)) == ["hidden input"]
    kept = check.settled(shown)
    assert kept.notes == {OWN_OUTPUTS: [{"attempt": 0, "outputs": ["backwards([1, 2]) [5, 6, 7, 8, 9, 10]"]}]}
    assert check_record(kept, MBPP_PROBLEM, expected) == []


def test_an_output_that_its_code_does_not_give_is_found(grader: Grader) -> None:
    planted = computed("def backwards(items):\n    return items")
    check = LeakCheck([MBPP_PROBLEM], expected, lambda problem, code: own_outputs(grader, problem, code))
    assert [leak.kind for leak in marked_leaks(check.settled(planted))] == ["hidden input"]


def test_a_pair_that_only_seems_one_is_explained(grader: Grader) -> None:
    problem = replace(
        MBPP_PROBLEM,
        prompt='"""\nIs it balanced?\nassert balanced("{()}[{}]") == True\n"""\n',
        entry_point="balanced",
        reference="def balanced(text):\n    return text != '{()}[{]'",
        base_inputs=(("{()}[{}]",), ("{()}[{]",)),
        plus_inputs=(),
        examples=(Example('balanced("{()}[{}]")', "True", 'assert balanced("{()}[{}]") == True', ("{()}[{}]",)),),
    )
    code = "def balanced(text):\n    return False"
    told = 'Input: balanced("{()}[{}]")\nExpected Output: True\nActual Output: False'
    made = record(told, reply="It is not.", problem=problem)
    made = replace(made, attempts=tuple(replace(attempt, code=code) for attempt in made.attempts))
    check = LeakCheck(
        [problem],
        lambda _, inputs: [str(given != ("{()}[{]",)) for given in inputs],
        lambda p, c: own_outputs(grader, p, c),
    )
    assert kinds(check.record(made)) == ["hidden pair"]
    assert marked_leaks(check.settled(made)) == []


def test_side_dialogs_are_checked_too() -> None:
    def aside(kind: str, content: str, reply: str) -> dict[str, Any]:
        return {"kind": kind, "messages": [Message("user", content).to_json()], "reply": reply}

    shown = record(asides=[aside("guidance", f"@@Canonical Solution\n{BODY}", "ok")])
    assert [(leak.where, leak.kind) for leak in check_record(shown, PROBLEM)] == [("guidance", "reference solution")]
    # The synthesizer is not the model that solves the problem: what it says counts.
    said = record("double_plus(31, 4)", asides=[aside("guidance", "?", "double_plus(31, 4)")])
    assert kinds(check_record(said, PROBLEM)) == ["hidden input"]
    written = record("double_plus(31, 4) failed", asides=[aside("inputs", "?", "double_plus(31, 4)")])
    assert check_record(written, PROBLEM) == []


def test_system_messages_count() -> None:
    messages = (Message("system", "Remember that double_plus(31, 4) is 66."), *FIRST)
    planted = ProblemRecord(PROBLEM.id, (Attempt(0, "answer", messages, RIGHT),), 0)
    assert kinds(check_record(planted, PROBLEM)) == ["hidden input"]


def test_one_leak_among_many_records_is_named() -> None:
    found = check_records([record(VISIBLE), record(wrong_answer("31, 4", "66", "35"))], [PROBLEM, MBPP_PROBLEM])
    assert len(found) == 1
    assert str(found[0]).startswith("HumanEval/0 (sample 0), attempt 1: hidden input: ")


def test_code_of_another_kind_is_no_leak() -> None:
    told = "Your loop must be `for i in range(len(items)): total += items[i]` and then return total"
    assert check_record(record(told, reply=double("1")), PROBLEM, expected) == []


def test_a_check_that_is_kept_finds_the_same_and_asks_the_reference_once() -> None:
    asked: list[object] = []

    def told(problem: Problem, inputs: Sequence[tuple[Any, ...]]) -> list[str | None]:
        asked.extend(inputs)
        return expected(problem, inputs)

    shown = Problem(**{**vars(PROBLEM), "examples": ()})
    check = LeakCheck([shown, MBPP_PROBLEM], told)
    leaking = record("The results aren't as expected.\nInput: double_plus(31, 4)", problem=shown)
    for _ in range(3):
        assert check.record(record(VISIBLE, problem=shown)) == []
        assert kinds(check.record(leaking)) == ["hidden input"]
    assert asked == [(2, 1)]


def test_marks_that_are_none_are_not_read() -> None:
    assert marked_leaks(record(leaks="x")) == []
    assert marked_leaks(record(leaks=[3, {"where": "attempt 0"}, {"where": "a", "kind": "b", "excerpt": "c"}])) == [
        Leak(PROBLEM.id, 0, "a", "b", "c")
    ]


def test_a_check_of_a_record_is_cheap_once_its_problem_is_known() -> None:
    many = tuple((list(range(number, number + 40)), number) for number in range(2000))
    problem = Problem(**{**vars(MBPP_PROBLEM), "plus_inputs": many})
    check = LeakCheck([problem])
    honest = record("x" * 20_000, problem=problem)
    assert check.record(honest) == []
    began = time.process_time()
    assert check.record(honest) == []
    assert time.process_time() - began < 0.5
    assert kinds(check.record(record(f"think of {list(range(7, 47))}", problem=problem))) == ["hidden input"]
