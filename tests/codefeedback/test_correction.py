"""Corrections: programs that really fail, and fixes that really pass."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_executors import shared_executor

from opencodeinterpreter.codefeedback.asking.model_stage import Means
from opencodeinterpreter.codefeedback.asking.parts import Player
from opencodeinterpreter.codefeedback.methods.correction import Correction, CorrectionOptions
from opencodeinterpreter.codefeedback.methods.planting import admitted, error_kind, likeness
from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings
from opencodeinterpreter.codefeedback.verification.executions import Execution
from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.errors import ConfigError, InputError
from opencodeinterpreter.models import ScriptedModel

BUGGY = "def gcd(a, b):\n    if b == 0:\n        return a\n    return gcd(a % b, b)"
FIXED = "def gcd(a, b):\n    if b == 0:\n        return a\n    return gcd(b, a % b)"
BUG = {
    "id": "gcd",
    "statement": "Write gcd(a, b), the greatest common divisor.",
    "buggy": BUGGY,
    "fixed": FIXED,
    "kind": "variable error",
    "explanation": "The arguments of the call are in the wrong order.",
    "tests": {"program": "assert gcd(12, 8) == 4, gcd(12, 8)\nassert gcd(17, 0) == 17\n"},
    "language": "python",
    "source": "quixbugs",
    "licence": "MIT",
}
WORKING = """\
def double(values):
    result = []
    for value in values:
        result.append(2 * value)
    return result


print(double([1, 2]))"""
QUERY = {"id": "q1", "query": "Double each number.", "answer": f"So:\n```python\n{WORKING}\n```", "language": "python"}
PROBLEM = {
    "id": "p1",
    "title": "Double",
    "statement": "Write double(values).",
    "solutions": [{"code": WORKING, "language": "python"}],
    "tests": {"program": "assert double([3]) == [6]\n"},
    "language": "python",
}


def code(text, before="The call is wrong."):
    return f"{before}\n```python\n{text}\n```"


def correction(mender=(), planter=None, wall_seconds=5.0, **options):
    models = {"mender": ScriptedModel(mender, name="mender")}
    if planter is not None:
        models["planter"] = ScriptedModel(planter, name="planter")
    players = {name: Player(name, name, lambda model=model: model) for name, model in models.items()}
    execution = ExecutionSettings(wall_seconds=wall_seconds, at_once=1)
    means = Means(players, seed=1, execution=execution, executor=shared_executor(execution))
    return Correction(means, CorrectionOptions(**options)), models


def outcome(stage, row):
    with stage.prepare() as process:
        return process(row)


def test_a_real_bug_fails_really_and_the_models_fix_passes():
    stage, models = correction([code(FIXED)])
    done = outcome(stage, BUG)
    row = done.rows[0]
    query, buggy, told, mended = Dialog.from_json(row).messages
    assert query.content == BUG["statement"]
    assert buggy.content == f"```python\n{BUGGY}\n```"
    assert (buggy.meta["passed"], buggy.meta["train"], buggy.meta["executed"]) == (False, False, True)
    assert told.content.startswith("Execution result: \n")
    assert "RecursionError" in told.content
    assert (mended.meta["kind"], mended.meta["passed"], mended.meta["train"]) == ("repair", True, True)
    assert mended.content == f"The call is wrong.\n\n```python\n{FIXED}\n```"
    assert row["id"] == "correction-gcd"
    assert row["meta"]["method"] == "correction"
    assert row["meta"]["fix"] == "model"
    assert row["meta"]["error"] == {"asked": "variable error", "seen": "other"}
    assert row["meta"]["sources"] == ["quixbugs"]
    assert done.notes == {"errors": {"other": 1}, "fixes": {"model": 1}}
    asked = models["mender"].requests[0]
    assert "wrong order" not in "".join(message.content for message in asked), "what is known is not told"


def test_where_the_model_fails_the_known_fix_is_shown_untouched_with_a_text_of_its_own():
    wrong = [code(BUGGY.replace("a % b, b", "a, b")), code(BUGGY.replace("a % b, b", "b, a"))]
    text = "The recursion never ends, since `b` stays the same. I swap the arguments."
    stage, models = correction([*wrong, f"```python\n{FIXED}\n```", text])
    row = outcome(stage, BUG).rows[0]
    messages = Dialog.from_json(row).messages
    assert [message.meta["kind"] for message in messages] == ["query", "answer", "execution", "repair"]
    assert messages[-1].content == f"{text}\n\n```python\n{FIXED}\n```"
    assert messages[-1].meta["passed"] is True
    assert row["meta"]["fix"] == "known"
    assert "wrong order" in models["mender"].requests[-1][-1].content, "the explanation helps the text"


def test_a_second_try_sees_what_the_first_gave():
    stage, _ = correction([code(BUGGY.replace("a % b, b", "b, a")), code(FIXED)])
    messages = Dialog.from_json(outcome(stage, BUG).rows[0]).messages
    assert [message.meta["kind"] for message in messages] == [
        "query", "answer", "execution", "repair", "execution", "repair",
    ]  # fmt: skip
    assert messages[3].meta["train"] is False


def test_the_known_fix_alone():
    stage, models = correction(["It has to swap the arguments."], fix="known")
    row = outcome(stage, BUG).rows[0]
    assert row["meta"]["fix"] == "known"
    assert len(models["mender"].requests) == 1


def test_the_models_fix_alone():
    stage, _ = correction(["No idea."] * 3, fix="model")
    done = outcome(stage, BUG)
    assert done.drops[0].reason == "the model did not mend the error"
    assert done.notes["fixes"] == {"none": 1}


def test_what_does_not_fail_or_cannot_be_fixed_is_no_correction():
    assert outcome(correction()[0], {**BUG, "buggy": FIXED + "\n"}).drops[0].reason == "the buggy program does not fail"
    assert outcome(correction()[0], {**BUG, "fixed": BUGGY}).drops[0].reason == "the known fix fails"
    assert outcome(correction()[0], {**BUG, "language": "java"}).drops[0].reason == "not Python"


def test_a_program_without_a_task_is_given_by_the_person():
    stage, _ = correction([code(FIXED)])
    messages = Dialog.from_json(outcome(stage, {**BUG, "statement": ""}).rows[0]).messages
    assert messages[0].content.startswith("Please run this program")
    assert BUGGY in messages[0].content
    assert BUGGY in messages[1].content


def test_a_planted_error_of_a_kind_that_is_asked_for():
    planted = WORKING.replace("result = []", "result = [")
    stage, models = correction([code(WORKING, "A bracket is not closed.")], [code(planted, "")], kinds=("syntax",))
    done = outcome(stage, QUERY)
    row = done.rows[0]
    query, broken, told, mended = Dialog.from_json(row).messages
    assert query.content == "Double each number.", "the prompt that planted it is nowhere"
    assert broken.content == f"```python\n{planted}\n```"
    assert broken.meta["train"] is False
    assert "SyntaxError" in told.content
    assert mended.meta["train"] is True
    assert row["meta"]["error"] == {"asked": "syntax", "seen": "syntax"}
    assert "syntax error" in models["planter"].requests[0][-1].content
    assert "mistake" not in json.dumps(row["messages"])


@pytest.mark.parametrize(
    ("kind", "old", "new", "seen"),
    [
        ("type", "2 * value", '"2" + value', "TypeError"),
        ("name", "return result", "return results", "NameError"),
        ("logical", "2 * value", "2 + value", "AssertionError"),
        ("timeout", "    return result", "    while True:\n        pass", "time limit"),
    ],
)
def test_the_other_kinds(kind, old, new, seen):
    planted = WORKING.replace(old, new)
    stage, _ = correction([code(WORKING)], [code(planted)], kinds=(kind,), wall_seconds=3.0)
    row = outcome(stage, PROBLEM).rows[0]
    assert row["meta"]["error"] == {"asked": kind, "seen": kind}
    assert seen in row["messages"][2]["content"]


def test_planted_errors_that_do_no_harm_or_are_admitted_are_asked_for_again():
    harmless = code(WORKING.replace("value", "item"))
    admitting = code(WORKING.replace("return result", "return results  # wrong name"))
    stage, models = correction(
        [code(WORKING)], [harmless, admitting, code(WORKING.replace("return result", "return results"))]
    )
    assert outcome(stage, PROBLEM).rows
    assert len(models["planter"].requests) == 3

    stage, _ = correction((), [harmless] * 3)
    assert outcome(stage, PROBLEM).drops[0].reason == "the planted error does no harm"
    stage, _ = correction((), [code(WORKING)] * 3)
    assert outcome(stage, PROBLEM).drops[0].reason == "no error was planted"
    stage, _ = correction((), [code("print(1 / 0)")] * 3)
    assert outcome(stage, PROBLEM).drops[0].reason == "more than an error was planted"


def test_without_tests_the_fix_has_to_print_what_the_working_program_prints():
    planted = code(WORKING.replace("return result", "return results"))
    stage, _ = correction([code("print('fine')"), "The name was misspelt."], [planted], kinds=("name",))
    row = outcome(stage, QUERY).rows[0]
    assert row["meta"]["fix"] == "known"
    assert row["messages"][-1]["content"] == f"The name was misspelt.\n\n```python\n{WORKING}\n```"


def test_an_answer_that_is_nothing_but_code_is_a_program_too():
    planted = WORKING.replace("return result", "return results")
    stage, _ = correction([code(WORKING)], [code(planted)], kinds=("name",))
    assert outcome(stage, {**QUERY, "answer": WORKING}).rows


def test_without_code_the_model_writes_the_program_first():
    planted = WORKING.replace("return result", "return results")
    stage, models = correction([code(WORKING), code(WORKING)], [code(planted)], kinds=("name",))
    assert outcome(stage, {**QUERY, "answer": ""}).rows
    assert "Double each number." in models["mender"].requests[0][-1].content


def test_a_program_that_fails_already_gets_no_error_more():
    done = outcome(correction((), ())[0], {**QUERY, "answer": "```python\nprint(1 / 0)\n```"})
    assert done.drops[0].reason == "the program to be broken fails already"
    done = outcome(correction((), (), kinds=("logical",))[0], QUERY)
    assert done.drops[0].reason == "a logical error needs tests to be seen"


def test_settings_that_cannot_be_used_are_named():
    with pytest.raises(ConfigError, match="model; model, else known; known"):
        CorrectionOptions(fix="any")
    with pytest.raises(ConfigError, match="syntax, logical, type, name, timeout"):
        CorrectionOptions(kinds=("colour",))
    with pytest.raises(InputError, match="planter"):
        outcome(correction()[0], QUERY)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("  File x\nIndentationError: unexpected indent", "syntax"),
        ("TypeError: 'int' object is not iterable", "type"),
        ("UnboundLocalError: x", "name"),
        ("AssertionError", "logical"),
        ("Wrong output.\nInput:\n1", "logical"),
        ("ZeroDivisionError: division by zero", "other"),
        ("", "other"),
    ],
)
def test_the_kind_of_an_error_is_seen_in_its_execution(error, kind):
    assert error_kind(Execution("error", error=error)) == kind


def test_what_admits_an_error():
    assert admitted("x = 1  # typo here", "x = 1")
    assert admitted("x = (1  # BUG: not closed", "x = (1)")
    assert admitted("intentional_error = 1", "x = 1")
    assert not admitted("error = 1  # the error rate", "error = 2  # the error rate")


@given(st.text(max_size=80), st.text(max_size=80))
def test_likeness_is_a_share(one, other):
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == 1
