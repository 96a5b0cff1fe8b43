"""Conversations: ShareGPT, and the messages of the OpenAI API and of Code-Feedback. Their first turn is the query."""

from __future__ import annotations

from typing import Any, Final

from opencodeinterpreter.codefeedback.fields import Fields, kind_of
from opencodeinterpreter.codefeedback.rows import Query
from opencodeinterpreter.codefeedback.sources.base import Format, Given
from opencodeinterpreter.errors import InputError

_ROLES: Final = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "system": "system",
}


def _sharegpt(given: Given) -> Query:
    return _first_turn(given, "conversations", "from", "value")


def _messages(given: Given) -> Query:
    return _first_turn(given, "messages", "role", "content")


def _first_turn(given: Given, name: str, role: str, content: str) -> Query:
    turns = [
        _utterance(number, each, role, content)
        for number, each in enumerate(given.fields("a conversation").items(name), start=1)
    ]
    system = [text for who, text in turns if who == "system"]
    spoken = [(number, who, text) for number, (who, text) in enumerate(turns, start=1) if who != "system"]
    if not spoken:
        raise InputError("a conversation without a user's message")
    for place, (number, who, text) in enumerate(spoken):
        wanted = "assistant" if place % 2 else "user"
        if who != wanted:
            raise InputError(f"message {number} is the {who}'s where the {wanted}'s is due")
        if not text.strip():
            raise InputError(f"message {number} is empty")
    answer = spoken[1][2] if len(spoken) > 1 else ""
    meta: dict[str, Any] = {"turns": (len(spoken) + 1) // 2}
    if system:
        meta["system"] = "\n\n".join(system)
    return given.query(spoken[0][2], answer, str(given.row.get("lang") or ""), **meta)


def _utterance(number: int, each: Any, role: str, content: str) -> tuple[str, str]:
    fields = Fields(each, f"message {number}")
    who = fields.text(role, required=True).lower()
    if who not in _ROLES:
        raise InputError(f"message {number} has the role {who!r}, which is none of {', '.join(_ROLES)}")
    value = each.get(content)
    if isinstance(value, list):  # parts, as the OpenAI API has them
        texts = [part.get("text") for part in value if isinstance(part, dict) and part.get("type") == "text"]
        if len(texts) != len(value) or not all(isinstance(text, str) for text in texts):
            raise InputError(f"message {number} has parts that are not text")
        return _ROLES[who], "\n".join(str(text) for text in texts)
    if not isinstance(value, str):
        raise InputError(f"{content} of message {number} must be text, not {kind_of(value)}")
    return _ROLES[who], value


CONVERSATIONS: Final = (
    Format("sharegpt", "ShareGPT: conversations of from, value", frozenset({"conversations"}), _sharegpt),
    Format("messages", "OpenAI and Code-Feedback: messages of role, content", frozenset({"messages"}), _messages),
)
