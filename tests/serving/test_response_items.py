"""Events of a turn as the items of a response."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.interpreter.code_actions import CodeActionReader
from opencodeinterpreter.serving.responses_items import Items, Prose

NO_RESULT = {"error": None, "reason": None}


def items_of(*rows: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the items, and the events of their coming."""
    items = Items("s1", lambda path: f"http://host/{path}")
    events = [event for row in ({"type": "turn_started"}, *rows) for event in items.feed(row)]
    return items.output, events


def round_of(*deltas: str, code: str | None = None, outputs: tuple[dict[str, Any], ...] = ()) -> list[dict[str, Any]]:
    rows = [{"type": "round_started"}, *({"type": "text_delta", "text": text} for text in deltas)]
    if code is not None:
        rows.append({"type": "code_action_started", "code": code})
        rows += [{"type": "output_delta", "output": output} for output in outputs]
        rows.append({"type": "execution_finished", "result": NO_RESULT})
    return [*rows, {"type": "round_finished"}]


def answer(text: str = "", outcome: str = "answered") -> dict[str, Any]:
    return {"type": "answer", "text": text, "outcome": outcome, "artifacts": []}


def printed(text: str) -> dict[str, Any]:
    return {"text": text, "display": None}


def shown(value: str) -> dict[str, Any]:
    return {"text": "", "display": {"data": {"text/plain": value}}}


def texts(output: list[dict[str, Any]]) -> list[str]:
    return [item["content"][0]["text"] for item in output if item["type"] == "message"]


def test_what_stands_before_the_code_is_said_though_a_fence_of_another_language_comes_first() -> None:
    reply = "Install it:\n```bash\npip install x\n```\nThen this:\n```python\nprint(1)\n```"
    output, _ = items_of(*round_of(reply, code="print(1)\n"), *round_of("It is 1."), answer())
    assert texts(output) == ["Install it:\n```bash\npip install x\n```\nThen this:\n", "It is 1."]
    assert [item["type"] for item in output] == ["message", "code_interpreter_call", "message"]


def test_code_in_an_answer_is_said_when_it_is_known_not_to_run() -> None:
    output, _ = items_of(*round_of("As in\n```python\n", "x = 1\n```\nthat is all.", code=None), answer())
    assert texts(output) == ["As in\n```python\nx = 1\n```\nthat is all."]


def test_a_tool_call_is_not_shown_as_text() -> None:
    output, _ = items_of(
        *round_of("So: <tool", '_call>{"name": "python", ', '"arguments": {"code": "1"}}</tool_call>', code="1"),
        *round_of("One."),
        answer(),
    )
    assert texts(output) == ["So: ", "One."]


def test_rounds_that_run_nothing_stand_apart() -> None:
    output, _ = items_of(*round_of("First this."), *round_of("Then that."), answer("Spent.", "max rounds"))
    assert texts(output) == ["First this.\n\nThen that.\n\nSpent."]


def test_values_and_errors_begin_on_a_line_of_their_own() -> None:
    outputs = (shown("1"), shown("2"), printed("a"), shown("3"))
    output, _ = items_of(*round_of("```python\nx\n```", code="x", outputs=outputs), answer())
    assert output[0]["outputs"] == [{"type": "logs", "logs": "1\n2\na\n3\n"}]


def test_a_call_in_which_the_sandbox_fails_is_ended_as_failed() -> None:
    rows = round_of("Now.\n```python\nx\n```", code="x", outputs=(printed("so far"),))[:-2]
    output, events = items_of(*rows, {"type": "failure", "kind": "sandbox", "message": "It is gone."})
    assert (output[-1]["status"], output[-1]["outputs"][0]["logs"]) == ("failed", "so far")
    assert [event["item"] for event in events if event["type"] == "response.output_item.done"] == output


def test_a_message_in_which_the_model_fails_is_incomplete() -> None:
    rows = round_of("It is")[:-1]
    output, events = items_of(*rows, {"type": "failure", "kind": "model", "message": "It is gone."})
    assert (output[-1]["status"], texts(output)) == ("incomplete", ["It is"])
    assert events[-1]["type"] == "response.output_item.done"


PARTS = ["```", "~~~", "`", "~", "python", "py", "bash", "\n", " ", "x = 1", "a word", "<tool_call>", '{"code": "1"}',
         "</tool_call>", "<think>", "</think>", '"""', "\u2028"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join), st.lists(st.integers(0, 80), max_size=6))
def test_prose_shows_all_but_the_code_whatever_the_pieces(reply: str, cuts: list[int]) -> None:
    edges = sorted({0, len(reply), *(cut for cut in cuts if cut < len(reply))})
    reader, prose, said, action = CodeActionReader(), Prose(), "", None
    for begin, end in pairwise(edges):
        action = reader.feed(reply[begin:end])
        said += prose.feed(reply[begin:end])
        if action is not None:
            break
    bare = action is None and (found := reader.finish()) is not None and (found.start, found.end) == (0, len(reply))
    action = action or reader.finish()
    if action is None:
        assert said + prose.rest() == reply
    elif not bare:
        assert said + prose.before_code() == reply[: action.start]
