"""What chat programs ask on their own account: a title for a chat, its tags, what might be asked next.

Such a request is about a dialog and no part of one. The model alone answers it: no session is made for it, no code
runs, and no dialog that a person has is changed.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import replace
from typing import Any

import anyio.to_thread
from starlette.requests import Request

from opencodeinterpreter.dialog import Message, Role
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.models.base import Generation, Usage
from opencodeinterpreter.serving.fair_queue import SessionModel
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.leaving import ended_with
from opencodeinterpreter.serving.openai_input import ChatBody, parts_of

_AT_A_TIME = 4
"""Threads for such requests, so that they never take those that sessions need."""
_CHARACTERS_A_TOKEN = 2
_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_TITLES = (
    "Provide a concise, 5-word-or-less title for the conversation",
    "Analyze this conversation and provide:\n1. The",
)
"""How LibreChat begins what it asks, unless another prompt was set there."""


def is_aside(body: ChatBody, task: str | None) -> bool:
    """Tell whether a request is a chat program's own.

    Args:
        task: what the client says that it is for, in a header; empty for a message of a person.
    """
    if task or body.wants_json:
        return True
    asked = [message for message in body.messages if message.role not in ("system", "developer")]
    if len(asked) != 1 or asked[0].role != "user":
        return False
    text = parts_of(asked[0].content)[0].strip()
    if text.startswith("### Task:\n"):  # Open WebUI begins so, but what it found in documents as well
        return text.endswith("</chat_history>") or text.startswith("### Task:\nYou are an autocompletion system")
    return text.startswith(_TITLES)


class Asides:
    """Answers such requests.

    Args:
        hub: whose models answer, in the same queue as those of sessions.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._limiter = anyio.CapacityLimiter(_AT_A_TIME)

    async def answer(
        self, body: ChatBody, generation: Generation, request: Request, seconds: float | None = None
    ) -> tuple[str, str, dict[str, Any]]:
        """Return the reply, why it ended, and what it cost as an event tells it. Who leaves ends it.

        Args:
            seconds: that it may take, from when it is begun; past them it is what there is of it.

        Raises:
            OverloadedError: too many wait for the model, or the server is about to end.
            InputError: JSON was asked for, and the model gave none; or there is nothing to answer.
            ModelError: the model cannot go on.
        """
        self._hub.check_queue()
        messages = [
            Message(_ROLES[message.role], parts_of(message.content)[0])
            for message in body.messages
            if message.role in _ROLES
        ]
        if not any(message.content.strip() for message in messages):
            raise InputError("The messages have no text.")
        reply = _Reply(self._hub.shelf.for_session(body.model), messages, generation, seconds)
        async with ended_with(request, reply.end):
            text, finish, usage = await anyio.to_thread.run_sync(reply.read, limiter=self._limiter)
        if body.wants_json:
            text = _json_in(text, f" within the {seconds:g} s allowed" if reply.ended and seconds is not None else "")
        return text, finish, {"usage": _counts(usage)}


class _Reply:
    """A reply of the model alone, which can be ended at any moment, also before it begins."""

    def __init__(
        self, model: SessionModel, messages: list[Message], generation: Generation, seconds: float | None
    ) -> None:
        self._model = model
        self._messages = messages
        self._generation = generation
        self._seconds = seconds
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        """Whether somebody, or its time, has ended it."""
        return self._ended.is_set()

    def end(self) -> None:
        self._ended.set()
        self._model.cancel()

    def read(self) -> tuple[str, str, Usage | None]:
        timer = threading.Timer(self._seconds, self.end) if self._seconds is not None else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            return self._read()
        finally:
            if timer is not None:
                timer.cancel()

    def _read(self) -> tuple[str, str, Usage | None]:
        room = (self._model.context_tokens - self._generation.max_tokens) * _CHARACTERS_A_TOKEN
        most = max(1000, room // len(self._messages))
        short = [replace(message, content=_without_middle(message.content, most)) for message in self._messages]
        with self._model.stream(short, self._generation) as reply:
            if self.ended:  # it came before there was anything to cancel
                reply.cancel()
            text = "".join(reply)
        return text.strip(), "stop" if reply.finish_reason in (None, "stop") else "length", reply.usage


def _without_middle(text: str, most: int) -> str:
    """Return a text that fits: what is asked stands at its beginning, the newest of the dialog at its end."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}\n[...]\n{text[-(most // 2) :]}"


def _json_in(text: str, late: str) -> str:
    """Return the JSON of a reply, without what small models put around it.

    Args:
        late: said where the reply had no more time.

    Raises:
        InputError: there is none. Its status, unlike that of a model's fault, lets no client ask again and again.
    """
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        with contextlib.suppress(ValueError):
            _, end = decoder.raw_decode(text, start)
            return text[start:end]
        start = text.find("{", start + 1)
    raise InputError(f"JSON was asked for, and the model did not answer in JSON{late}.")


def _counts(usage: Usage | None) -> dict[str, int | None]:
    if usage is None:
        return {}
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cached_prompt_tokens": usage.cached_prompt_tokens,
    }
