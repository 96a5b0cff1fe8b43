"""Dialogs that are what they seem to be, and those that are not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.methods.fencing import fence_bare_code, language_of_bare_code
from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import Outcome
from opencodeinterpreter.codefeedback.rows import Tests
from opencodeinterpreter.codefeedback.verification.checks import (
    asked_language,
    fault_in,
    promises_code_in_vain,
    refusal_in,
)
from opencodeinterpreter.codefeedback.verification.comparing import same_execution
from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings, Executor
from opencodeinterpreter.codefeedback.verification.executions import Execution, feedback_text
from opencodeinterpreter.codefeedback.verification.verifying import Verification, VerificationSettings, stage
from opencodeinterpreter.dialog import Dialog, Message, write_dialogs
from opencodeinterpreter.errors import InputError, SandboxError

RIGHT = "def add(a, b):\n    return a + b\nprint(add(1, 2))"
WRONG = "def add(a, b):\n    return a + c\nprint(add(1, 2))"
TESTS = Tests("assert add(2, 2) == 4")


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with Executor(ExecutionSettings(wall_seconds=20, at_once=1)) as opened:
        yield opened


def user(text: str, **meta: Any) -> Message:
    return Message("user", text, meta)


def says(text: str, code: str = "", tag: str = "python", **meta: Any) -> Message:
    return Message("assistant", f"{text}\n\n```{tag}\n{code}\n```" if code else text, meta)


def told(execution: Execution, **meta: Any) -> Message:
    return user(feedback_text(execution), exec=execution.to_json(), kind="execution", **meta)


def dialog(*messages: Message, **meta: Any) -> Dialog:
    return Dialog(messages, "d", {"method": "simulation", **meta})


def reason(executor: Executor, made: Dialog, **asked: Any) -> str:
    outcome = Verification(VerificationSettings(**asked)).verify(made, executor)
    assert bool(outcome.rows) != bool(outcome.drops)
    return outcome.drops[0].reason if outcome.drops else ""


def refined(executor: Executor) -> Dialog:
    """A dialog of a real failure, its repair, and what that gave."""
    wrong, right = executor.program(WRONG, TESTS), executor.program(RIGHT, TESTS)
    return dialog(
        user("Write add in Python."),
        says("I add them.", WRONG),
        told(wrong),
        says("The name was wrong.", RIGHT),
        told(right),
        says("It prints 3."),
        tests=TESTS.to_json(),
    )


# A dialog that is in order


def test_a_dialog_that_really_happened_gets_its_meta(executor: Executor) -> None:
    outcome = Verification().verify(refined(executor), executor)
    assert outcome.drops == ()
    verified = Dialog.from_json(outcome.rows[0])
    assert [each.meta["kind"] for each in verified] == [
        "query",
        "answer",
        "execution",
        "repair",
        "execution",
        "answer",
    ]
    assistants = [each.meta for each in verified if each.role == "assistant"]
    assert [each["passed"] for each in assistants] == [False, True, None]
    assert [each["train"] for each in assistants] == [False, True, True]
    assert [each["executed"] for each in assistants] == [True, True, False]
    assert assistants[0]["language"] == "python"
    assert "train" not in verified.messages[0].meta
    assert verified.meta["verified"]["executed"] == 2
    assert outcome.notes["verified"]["executed"] == 2
    # What is verified stays verified.
    again = Verification().verify(verified, executor)
    assert again.rows == outcome.rows


def test_the_stage_opens_its_sandboxes_and_refuses_what_is_no_dialog(executor: Executor) -> None:
    made = stage(VerificationSettings(ExecutionSettings(at_once=1)))
    assert made.name == "verify"
    assert "at_once" not in made.settings["execution"]
    with made.prepare() as process:
        row = dialog(user("Print 1."), says("Here:", "print(1)")).to_json()
        (done,) = process(row).rows
        assert done["messages"][1]["meta"]["executed"]
        with pytest.raises(InputError):
            process({"id": "x", "messages": "none"})


# The text


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ((), "no messages"),
        ((user("a"), user("b"), says("c")), "roles do not alternate"),
        ((says("a"), user("b")), "roles do not alternate"),
        ((user("a"), says("b"), user("c")), "it does not end with the assistant"),
        ((user("a"), says("  ")), "an empty message"),
        ((user("a"), says("Look:\n```python\nprint(1)")), "a code block that is never closed"),
        ((user("a"), says("Done.\n\nExecution result: \n42")), "an execution result that the assistant made up"),
        ((user("a"), says("**Execution Result:** 42")), "an execution result that the assistant made up"),
        ((user("a"), says("I'm sorry, but I cannot execute code here.")), "a refusal"),
        ((user("a"), says("Here is the code for it.")), "code that is promised and not there"),
        ((user("a"), says("That is all.")), "no code in the whole dialog"),
        ((user("Write a JavaScript function."), says("So:", "print(1)")), "code in another language than asked for"),
        ((user("a"), says("So:", "int x = ;", "java")), "a syntax error in the last code"),
        ((user("a"), says("So."), user("Execution result: \n1"), says("1", "print(1)")),
         "execution feedback without code before it"),
    ],
)  # fmt: skip
def test_a_text_that_is_not_in_order(executor: Executor, messages: tuple[Message, ...], expected: str) -> None:
    assert reason(executor, dialog(*messages)) == expected


def test_a_system_message_may_stand_first(executor: Executor) -> None:
    assert reason(executor, dialog(Message("system", "Be brief."), user("Print 1."), says("So:", "print(1)"))) == ""


def test_other_languages_are_parsed_and_marked_as_not_executed(executor: Executor) -> None:
    outcome = Verification().verify(
        dialog(
            user("In Rust?"), says("So:", "fn main() {", "rust"), user("Shorter."), says("So:", "fn f() {}", "rust")
        ),
        executor,
    )
    first, second = (each["meta"] for each in outcome.rows[0]["messages"] if each["role"] == "assistant")
    assert (first["passed"], first["train"], first["executed"]) == (False, False, False)
    assert (second["passed"], second["train"], second["language"]) == (None, True, "rust")
    assert outcome.notes["verified"]["ok when parsed"] == 1
    assert reason(executor, dialog(user("a"), says("So:", "SELEKT", "sql"))) == ""


# The code


def test_the_last_code_must_run_and_pass_its_tests(executor: Executor) -> None:
    assert reason(executor, dialog(user("a"), says("So:", WRONG))) == "the last code fails"
    subtracting = RIGHT.replace("a + b", "a - b")
    assert reason(executor, dialog(user("a"), says("So:", subtracting), tests=TESTS.to_json())) == (
        "the last code fails its tests"
    )
    own = says("So:", subtracting, tests=TESTS.to_json())
    assert reason(executor, dialog(user("a"), own)) == "the last code fails its tests"
    assert reason(executor, dialog(user("a"), says("So:", WRONG), user("b"), says("So:", RIGHT))) == ""
    assert reason(executor, dialog(user("a"), says("So:", WRONG), user("b"), says("All is well."))) == (
        "the last code fails"
    )


def test_an_answer_that_needs_what_is_not_here_is_kept_and_marked(executor: Executor) -> None:
    given = dialog(user("a"), says("So:", "import surely_not_there"), method="packing")
    outcome = Verification().verify(given, executor)
    meta = outcome.rows[0]["messages"][1]["meta"]
    assert (meta["executed"], meta["passed"], meta["train"]) == (False, None, True)
    assert reason(executor, given, needs_absent=False) == "the last code fails"
    tested = dialog(user("a"), says("So:", "import surely_not_there"), tests=TESTS.to_json())
    assert reason(executor, tested) == "the last code fails its tests"


def test_an_answer_in_several_blocks_runs_as_a_whole(executor: Executor) -> None:
    text = "First:\n```python\nx = 1\n```\nthen:\n```python\nassert x == 1\n```"
    assert reason(executor, dialog(user("a"), says(text))) == ""


@pytest.mark.parametrize(
    ("asked", "answer", "language"),
    [
        ("Add in Python.", "def add(a, b):\n    # both\n    return a + b", "python"),
        ("Write a C++ function.", "#include <vector>\nint f() {\n    return 1;\n}", "cpp"),
        ("Write a JavaScript function.", "function f(x) {\n  return x;\n}", "javascript"),
    ],
)
def test_an_answer_that_is_nothing_but_code_gets_a_fence(
    executor: Executor, asked: str, answer: str, language: str
) -> None:
    (row,) = Verification().verify(dialog(user(asked), says(answer), method="packing"), executor).rows
    assert row["messages"][1]["content"] == f"```{language}\n{answer}\n```"
    assert row["messages"][1]["meta"]["language"] == language


@pytest.mark.parametrize("words", ["It lists all files and prints them.", "Run it again; then look at the sum.", "x"])
def test_words_get_no_fence(words: str) -> None:
    for language in ("bash", "python", "javascript", "ruby"):
        assert language_of_bare_code(words, language) == ""


def test_code_that_was_too_slow_once_on_a_busy_machine_is_tried_again(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = refined(executor)
    real, calls = executor.program, []

    def slow_at_first(code: str, tests: Tests | None = None) -> Execution:
        calls.append(code)
        return Execution("timeout", "wall time", passed=False) if len(calls) == 1 else real(code, tests)

    monkeypatch.setattr(executor, "program", slow_at_first)
    good = dataclasses.replace(
        good,
        messages=tuple(
            dataclasses.replace(each, meta={**each.meta, "exec": good.messages[2].meta["exec"]})
            if number == 1
            else each
            for number, each in enumerate(good)
        ),
    )
    assert reason(executor, good) == ""


# Execution feedback


def test_feedback_must_be_a_real_execution_s(executor: Executor) -> None:
    good = refined(executor)

    def changed(**meta: Any) -> Dialog:
        message = dataclasses.replace(good.messages[2], **meta)
        return dataclasses.replace(good, messages=(*good.messages[:2], message, *good.messages[3:]))

    assert reason(executor, changed(meta={})) == "execution feedback without a record of the execution"
    assert reason(executor, changed(content="Execution result: \n42")) == (
        "execution feedback that is not what its record says"
    )
    invented = Execution("error", error="ValueError: made up")
    assert reason(executor, changed(content=feedback_text(invented), meta={"exec": invented.to_json()})) == (
        "execution feedback that its code does not give"
    )


def test_dialogs_made_elsewhere_can_be_verified_by_what_their_code_gives(executor: Executor) -> None:
    def made(result: str) -> Dialog:
        code = "x = [3, 1]\nsorted(x)\nprint(sorted(x))"
        return Dialog((user("Sort."), says("So:", code), user(f"Execution result: \n{result}"), says("Sorted.")), 1)

    assert reason(executor, made("[1, 3]"), unrecorded=True) == ""
    assert reason(executor, made("[1, 2]"), unrecorded=True) == "execution feedback that its code does not give"
    assert reason(executor, made("[1, 3]")) == "execution feedback without a record of the execution"


@pytest.mark.parametrize(
    "code",
    [
        "print(object())",
        "import time\nprint(f'took {time.perf_counter():.6f} seconds')",
        "import datetime\nprint(datetime.datetime.now())",
        "import tempfile\nprint(tempfile.mkdtemp())",
        "import random\nprint([random.random() for _ in range(3)])",
        "import uuid\nprint(uuid.uuid4())",
    ],
)
def test_what_differs_in_each_run_is_no_lie(executor: Executor, code: str) -> None:
    execution = executor.program(code)
    assert execution.ok
    assert reason(executor, dialog(user("a"), says("So:", code), told(execution), says("Done."))) == ""


def test_cells_that_need_the_cells_before_them(executor: Executor) -> None:
    cells = ["x = 20", "x + 1"]
    first, second = executor.cells(cells)
    given = dialog(
        user("a"), says("So:", cells[0]), told(first), says("And:", cells[1]), told(second), says("So:", "print(21)")
    )
    assert reason(executor, given) == ""


def test_executions_are_the_same_up_to_what_changes() -> None:
    def error(text: str) -> Execution:
        return Execution("error", error=text)

    assert same_execution(
        error('  File "<cell 3>", line 1\n<A object at 0x7f00aa11bb22>'),
        error('  File "solution.py", line 1\n<A object at 0x7fffaa11bb22>'),
    )
    assert same_execution(error("/home/ann/data.csv is missing"), error("/workspace/run/data.csv is missing"))
    assert same_execution(Execution("timeout", "wall time", "1\n2\n"), Execution("timeout", "wall time", "1\n"))
    assert not same_execution(error("a"), Execution("ok", stdout="a"))
    assert not same_execution(Execution("ok", stdout="12"), Execution("ok", stdout="13"))
    assert not same_execution(Execution("ok", stdout="3 apples"), Execution("ok", stdout="4 apples"))


# Words


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "As an AI language model, I have no files.",
        "I cannot run code, but here is what it would print.",
        "I don't have the ability to execute programs.",
        "Unfortunately I am unable to execute the code.",
    ],
)
def test_refusals_are_found(text: str) -> None:
    assert refusal_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "The program cannot run without input.",
        "We can't help but use a loop here.",
        "So:\n```python\nprint('I am sorry, I cannot help with that.')\n```",
        "const text = 'Hello, I am an AI assistant.';",
        "If the list is empty, the function cannot provide a value and returns None.",
    ],
)
def test_what_only_looks_like_a_refusal(text: str) -> None:
    assert not refusal_in(text)


def test_promises_of_code() -> None:
    assert promises_code_in_vain("Here's the updated function with comments.")
    assert promises_code_in_vain("The following Python code solves it:")
    assert not promises_code_in_vain("Here is the code:\n```python\nx = 1\n```")
    assert not promises_code_in_vain("Here is the function:\n\ndef f():\n    return 1")
    assert not promises_code_in_vain("The output shows that 3 is right.")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Write a function in Python 3 that sorts.", "python"),
        ("Translate this Java code to C++.", "cpp"),
        ("Create a JavaScript function.", "javascript"),
        ("Write a C program.", "c"),
        ("Go through the list and go to the end.", ""),
        ("Write it in Python or in Java.", ""),
        ("How do I see a list?", ""),
    ],
)
def test_the_language_that_is_asked_for(text: str, language: str) -> None:
    assert asked_language(text) == language


# The stage


def test_a_verification_that_was_killed_goes_on_and_gives_the_same(tmp_path: Path) -> None:
    rows = [dialog(user("Print."), says("So:", f"print({number})")) for number in range(4)]
    rows.append(dialog(user("Print."), says("So:", "print(x)")))
    source = tmp_path / "given.jsonl"
    write_dialogs([dataclasses.replace(each, id=number) for number, each in enumerate(rows)], source)
    asked = VerificationSettings(ExecutionSettings(wall_seconds=20, at_once=1))

    class Failing(Verification):
        looked = 0

        def verify(self, dialog: Dialog, executor: Executor) -> Outcome:
            self.looked += 1
            if self.looked > 2:
                raise SandboxError("the sandbox is gone")
            return super().verify(dialog, executor)

    whole, resumed = tmp_path / "whole.jsonl", tmp_path / "resumed.jsonl"
    run_stage(Job(stage(asked), [source], whole))
    with pytest.raises(SandboxError):
        run_stage(Job(Failing(asked), [source], resumed))
    assert not resumed.exists()
    assert run_stage(Job(stage(asked), [source], resumed)).resumed == 2
    assert resumed.read_bytes() == whole.read_bytes()
    dropped = [path.with_name(path.stem + ".dropped.jsonl").read_bytes() for path in (resumed, whole)]
    assert dropped[0] == dropped[1]
    assert b"the last code fails" in dropped[0]


@settings(max_examples=80)
@given(
    st.lists(
        st.builds(
            Message,
            st.sampled_from(["user", "assistant"]),
            st.lists(st.sampled_from(["```python\n", "```\n", "x = 1\n", "Execution result: \n", "I can't run it. ",
                                      "~~~\n", "Here is the code:\n", "> ", "1. ", "\u2028", "é ", "in Java "])
                     | st.text(max_size=8), max_size=8).map("".join),
        ),
        max_size=5,
    )
)  # fmt: skip
def test_any_text_is_looked_at_without_failing(messages: list[Message]) -> None:
    fenced, _ = fence_bare_code(Dialog(tuple(messages), 1, {"language": "python"}))
    fault_in(fenced)
