"""Reading the code action out of what models really write."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.interpreter.code_actions import CodeActionReader, is_python, prose, same_code

FENCE = "```"


def read(reply: str, language: str = "python") -> str | None:
    reader = CodeActionReader(language)
    reader.feed(reply)
    action = reader.finish()
    return None if action is None else action.code


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("Let me see.\n```python\nprint(1)\n```\n", "print(1)\n"),
        ("```Python\nprint(1)\n```", "print(1)\n"),
        ("```py\nprint(1)\n```", "print(1)\n"),
        ("``` python\nprint(1)\n```", "print(1)\n"),
        ("```{python}\nprint(1)\n```", "print(1)\n"),
        ("~~~python\nprint(1)\n~~~", "print(1)\n"),
        ("````python\ns = '''\n```\n'''\n````", "s = '''\n```\n'''\n"),
        ("```\nprint(1)\n```", "print(1)\n"),
        ("1. First:\n   ```python\nprint(1)\n   ```", "print(1)\n"),
        ("```python\r\nprint(1)\r\n```\r\n", "print(1)\r\n"),
        # not closed
        ("```python\nprint(1)", "print(1)"),
        ("```python\nprint(1)\n", "print(1)\n"),
        # other languages come first and are passed over
        ("```bash\npip install x\n```\nthen\n```python\nprint(1)\n```", "print(1)\n"),
        ("```json\n{}\n```", None),
        ("```\nname  value\na     1\n```", None),
        ("```output\n42\n```", None),
        # only the first one counts
        ("```python\na = 1\n```\nresult: 5\n```python\nb = 2\n```", "a = 1\n"),
        # an empty block is no action
        ("```python\n```\n```python\nprint(1)\n```", "print(1)\n"),
        # a fence inside a string does not end the block
        ('```python\ns = """\n```\nx\n```\n"""\nprint(s)\n```\nDone.', 's = """\n```\nx\n```\n"""\nprint(s)\n'),
        # reasoning is not searched
        ("<think>\n```python\nbad()\n```\n</think>\n```python\nprint(1)\n```", "print(1)\n"),
        ("<think>\n```python\nbad()\n```\n", None),
        # tool calls
        ('<tool_call>\n{"name": "run", "arguments": {"code": "print(1)"}}\n</tool_call>', "print(1)"),
        ('<tool_call>{"name": "python", "arguments": "print(1)"}', "print(1)"),
        ('{"name": "execute_code", "arguments": {"code": "print(1)"}}', "print(1)"),
        ('{"function": {"name": "x", "arguments": "{\\"code\\": \\"print(1)\\"}"}}', "print(1)"),
        # nothing but code
        ("import math\nprint(math.pi)", "import math\nprint(math.pi)"),
        ("print(1)", "print(1)"),
        # a copied transcript
        ("```python\n>>> x = 1\n>>> print(x)\n1\n```", "x = 1\nprint(x)"),
        # no code at all
        ("The answer is 42.", None),
        ("42", None),
        ("Done", None),
        ("Paris, France", None),
        ("", None),
        ("Use `print` for that.", None),
    ],
)
def test_reads_what_models_write(reply: str, code: str | None) -> None:
    assert read(reply) == code


def test_another_language_is_read_by_its_tag_alone() -> None:
    assert read("```bash\nls\n```", "bash") == "ls\n"
    assert read("```python\nprint(1)\n```", "bash") is None
    assert read("```\nls\n```", "bash") is None


def test_an_action_is_reported_as_soon_as_it_is_closed_and_not_before() -> None:
    reply = "Text.\n```python\nprint(1)\n```\nThe output is 1.\n"
    reader = CodeActionReader()
    action, read_so_far = None, ""
    for character in reply:
        read_so_far += character
        action = reader.feed(character)
        if action is not None:
            break
    assert action is not None
    assert read_so_far.endswith("print(1)\n```")
    assert reply[action.start : action.end] == "```python\nprint(1)\n```"
    assert action.closed


def test_a_reply_cut_inside_its_action_says_so() -> None:
    reader = CodeActionReader()
    assert reader.feed("```python\nprint(1") is None
    action = reader.finish()
    assert action is not None
    assert not action.closed


@given(
    code=st.text(st.characters(codec="utf-8", exclude_characters="`~\r\x00<>{}"), min_size=1).filter(
        lambda text: text.strip() and not text.startswith(">>>") and _splits_plainly(text)
    ),
    pieces=st.lists(st.integers(1, 7), min_size=1),
)
def test_pieces_do_not_matter(code: str, pieces: list[int]) -> None:
    reply = f"Look:\n{FENCE}python\n{code}\n{FENCE}\nafter"
    whole = read(reply)
    reader, found, position, step = CodeActionReader(), None, 0, 0
    while position < len(reply) and found is None:
        size = pieces[step % len(pieces)]
        found = reader.feed(reply[position : position + size])
        position, step = position + size, step + 1
    assert (found.code if found else None) == whole


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    read(text)
    prose(text)


@pytest.mark.parametrize("text", ["x", "1", "a, b", "a.b", "3 + 4", "x > 2", "note: int", "'text'"])
def test_a_value_alone_is_not_a_program(text: str) -> None:
    assert not is_python(text)
    ast.parse(text)


def test_same_code_looks_past_layout_and_comments() -> None:
    assert same_code("x = 1  # one\n\ny=2", "x=1\ny = 2")
    assert not same_code("x = 1", "x = 2")
    assert same_code("for", " for ")
    assert not same_code("for", "if")


def test_prose_leaves_out_reasoning_and_code() -> None:
    assert prose("<think>hm</think>Here:\n```python\nprint(1)\n```\nDone.") == "Here:\n\nDone."
    assert prose("The answer is 42.") == "The answer is 42."


def _splits_plainly(text: str) -> bool:
    """Hold for texts in which only a line feed ends a line."""
    return len(text.splitlines()) <= text.count("\n") + 1 and "\n>>> " not in text
