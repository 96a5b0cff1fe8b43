"""The whole way with a real model and the real sandbox."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from opencodeinterpreter import ChatModel, Interpreter
from opencodeinterpreter.interpreter import CodeActionStarted, ExecutionFinished, RoundFinished

pytestmark = pytest.mark.model


def test_a_job_from_the_command_line_to_the_notebook(job: Any) -> None:
    assert job.done.returncode == 0, job.done.stderr
    events = [json.loads(line) for line in job.done.stdout.splitlines()]
    executed = [event["result"] for event in events if event["type"] == "execution_finished"]
    assert executed[0]["status"] == "ok"
    assert executed[0]["isolation"] == "bubblewrap"
    assert "121932631112635269" in job.done.stdout  # printed, or told among the values that the variables hold
    assert events[-1]["type"] == "answer"
    usage = events[-1]["usage"]
    assert usage["prompt_tokens"] > usage["cached_prompt_tokens"] > 0
    saved = job.ocint("sessions", "export", "last", "--to", "ipynb", "--output", "out.ipynb")
    assert saved.returncode == 0, saved.stderr
    notebook = nbformat.read(job.folder / "out.ipynb", as_version=4)
    assert any("123456789 * 987654321" in cell.source for cell in notebook.cells if cell.cell_type == "code")


def test_an_error_is_given_back_and_the_same_interpreter_goes_on(small_model: ChatModel) -> None:
    with Interpreter(small_model, max_rounds=3) as interpreter:
        interpreter.sandbox.run("import pandas as pd\nframe = pd.DataFrame({'price ': [10.0, 32.0]})")
        events = list(interpreter.stream("A DataFrame named frame is loaded already. Print frame['price'].sum()."))
        results = [event.result for event in events if isinstance(event, ExecutionFinished)]
        assert any(isinstance(event, CodeActionStarted) for event in events)
        assert results
        feedback = [event.feedback for event in events if isinstance(event, RoundFinished) and event.feedback]
        assert feedback[0].startswith("Execution result: ")
        if results[0].error is not None:
            assert results[0].error.name in feedback[0]
        assert interpreter.sandbox.run("frame.shape").result == "(2, 1)"


def test_a_refinement_evaluates_little_more_than_what_is_new(small_model: ChatModel) -> None:
    with Interpreter(small_model, max_rounds=2) as interpreter:
        answer = interpreter.run("Write and run Python code that prints the first 20 Fibonacci numbers.")
        first, second = answer.rounds[0], answer.rounds[1]
    assert first.usage is not None
    assert second.usage is not None
    evaluated = second.usage.prompt_tokens - second.usage.cached_prompt_tokens
    known = first.usage.prompt_tokens + first.usage.completion_tokens
    assert evaluated <= second.usage.prompt_tokens - known + 32
