"""What a row of any kind asks and what it answers, as plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencodeinterpreter.codefeedback.fields import Fields
from opencodeinterpreter.errors import InputError


def question_of(row: Mapping[str, Any]) -> str:
    """Return what a query, problem, bug or dialog asks for; empty where the source does not say.

    Raises:
        InputError: if the row is none of these.
    """
    if "messages" in row:
        return _said(row, "user")
    if "query" in row:
        return Fields(row, "a query").text("query")
    if "statement" in row:
        given = Fields(row, "a row")
        return "\n\n".join(text for text in (given.text("title"), given.text("statement")) if text)
    raise InputError("the row is no query, problem, bug or dialog: it has no query, statement or messages")


def answer_of(row: Mapping[str, Any]) -> str:
    """Return what a query, problem, bug or dialog answers, all of it; empty if it has no answer.

    Raises:
        InputError: if the row is none of these.
    """
    if "messages" in row:
        return _said(row, "assistant")
    given = Fields(row, "a row")
    if "query" in row:
        return given.text("answer")
    if "buggy" in row:
        return f"{given.text('fixed')}\n\n{given.text('buggy')}"
    solutions = [Fields(each, "a solution") for each in given.items("solutions")]
    return "\n\n".join(solution.text("code") for solution in solutions)


def must_have_texts(row: Mapping[str, Any]) -> None:
    """Refuse a row that cannot be compared with others: what a table stage checks before it begins.

    Raises:
        InputError: if the row is no query, problem, bug or dialog, or what it asks or answers is no text.
    """
    question_of(row)
    answer_of(row)


def _said(row: Mapping[str, Any], role: str) -> str:
    if row["messages"] is None:
        raise InputError("messages of a dialog must be a list, not null")
    messages = [Fields(each, "a message") for each in Fields(row, "a dialog").items("messages")]
    return "\n\n".join(each.text("content") for each in messages if each.text("role") == role)
