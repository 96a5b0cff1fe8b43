"""The texts that go back to the model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.interpreter.feedback import OUTPUT_CHARACTERS, execution_feedback, looks_empty, shorten
from opencodeinterpreter.sandbox.base import Display, ErrorInfo, ExecutionResult, FileChange


def test_output_is_given_and_empty_output_is_said_to_be_empty() -> None:
    assert "stdout:\n42" in execution_feedback(ExecutionResult("ok", stdout="42\n"))
    assert "printed nothing" in execution_feedback(ExecutionResult("ok"))


def test_it_begins_as_in_the_published_dialogs() -> None:
    assert execution_feedback(ExecutionResult("ok")).startswith("Execution result: ")


def test_long_output_keeps_its_head_and_its_tail() -> None:
    text = execution_feedback(ExecutionResult("ok", stdout="first\n" + "x" * 50_000 + "\nlast"))
    assert "first" in text
    assert "last" in text
    assert "left out" in text
    assert len(text) < OUTPUT_CHARACTERS + 400


def test_a_traceback_shows_the_users_frames_and_no_library_ones() -> None:
    traceback = (
        "---------------------------------------------------------------------------\n"
        "KeyError                                  Traceback (most recent call last)\n"
        "File /usr/lib/python3/site-packages/pandas/core/indexes/base.py:3805, in Index.get_loc(self, key)\n"
        "   3804 try:\n"
        "-> 3805     return self._engine.get_loc(casted_key)\n"
        "\n"
        "Cell In[3], line 2\n"
        "      1 import pandas as pd\n"
        "----> 2 frame['revenue']\n"
        "\n"
        "File /usr/lib/python3/site-packages/pandas/core/frame.py:4102, in DataFrame.__getitem__(self, key)\n"
        "   4100     return self._getitem_multilevel(key)\n"
        "\n"
        "KeyError: 'revenue'"
    )
    text = execution_feedback(ExecutionResult("error", error=ErrorInfo("KeyError", "'revenue'", traceback)))
    assert "----> 2 frame['revenue']" in text
    assert "site-packages" not in text
    assert text.count("KeyError: 'revenue'") == 1


def test_a_limit_is_named_and_what_is_lost_is_told() -> None:
    text = execution_feedback(ExecutionResult("timeout", "wall time", stdout="half", duration=10.0, state_lost=True))
    assert "wall time" in text
    assert "half" in text
    assert "variables and imports are gone" in text
    kept = execution_feedback(ExecutionResult("timeout", "wall time", duration=10.0))
    assert "gone" not in kept


def test_a_missing_package_is_named_as_missing() -> None:
    error = ErrorInfo("ModuleNotFoundError", "No module named 'polars.io'", "")
    assert "polars is not installed" in execution_feedback(ExecutionResult("error", error=error))


def test_after_code_that_printed_nothing_values_are_asked_for() -> None:
    result = ExecutionResult("ok", artifacts=(Display({"image/png": "x"}), FileChange("plot.png", 1, "created")))
    assert "It printed nothing" in execution_feedback(result)
    assert "values that are not shown" in execution_feedback(result)
    assert "not shown" not in execution_feedback(ExecutionResult("ok", stdout="3\n"))


def test_what_a_newer_package_no_longer_does_is_told() -> None:
    error = ErrorInfo("TypeError", "agg function failed [how->mean,dtype->object]", "")
    assert "['column'].mean()" in execution_feedback(ExecutionResult("error", error=error))


def test_figures_and_files_are_told_and_no_image_data() -> None:
    result = ExecutionResult(
        "ok", artifacts=(Display({"image/png": "iVBORw0KGgo" * 100}), FileChange("plot.png", 2048, "created"))
    )
    text = execution_feedback(result)
    assert "1 figure shown" in text
    assert "plot.png (created, 2,048 bytes)" in text
    assert "iVBOR" not in text


@given(st.text(), st.integers(10, 500))
def test_shortening_keeps_both_ends(text: str, characters: int) -> None:
    short = shorten(text, characters)
    if len(text) <= characters:
        assert short == text
    else:
        assert short.startswith(text[: characters // 2])
        assert short.endswith(text[-(characters // 4) :])
        assert len(short) <= characters + 60


@pytest.mark.parametrize(
    "stdout",
    ["0", "Total: 0", "Total in March 2024: 0.00", "x = $0.00", "nan", "mean    NaN", "[]", "None", "count: 0."],
)
def test_an_output_that_is_nothing_is_seen(stdout: str) -> None:
    assert looks_empty(ExecutionResult("ok", stdout=f"start\n{stdout}\n"))


@pytest.mark.parametrize(
    "stdout", ["10", "Total: 20", "0.05", "a: 0.5", "x,0,1", "Banana", "None of them: 3", "2000", "-1"]
)
def test_an_output_that_is_something_is_left_alone(stdout: str) -> None:
    assert not looks_empty(ExecutionResult("ok", stdout=f"{stdout}\n"))
    assert not looks_empty(ExecutionResult("error", stdout="0\n"))
