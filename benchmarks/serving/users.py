"""A few people with one embedded model: each alone, and all at once, with one reply at a time and with one for each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from benchmarks.serving.crowd import at_once
from benchmarks.serving.server import Server
from benchmarks.serving.visitor import Reply, Visitor

TALKS = (
    ("Print the sum of all numbers from 1 to {n}.", "And the sum of their squares."),
    ("Print the prime numbers below {n}.", "How many are they?"),
    ("Print the first {n} square numbers.", "Now the first cubes, as many."),
    ("Print which weekday it is {n} days after 2024-02-29.", "And as many days before it?"),
)
"""What each person says: a task, and what comes after its answer."""
_ALONE, _AT_ONCE = 30, 40
"""In place of ``{n}``: what was said before stands in the engine's cache, and would come too fast."""
_SETTINGS = ("--max-tokens", "128", "--max-rounds", "2", "--context", "4096", "--temperature", "0")


@dataclass
class Talk:
    """What one person had of one message; seconds from the message on."""

    person: int
    message: int
    first: float
    """To the first text."""
    answered: float
    tokens: int
    prompt: int
    cached: int
    outcome: str


@dataclass
class Users:
    """What came of them."""

    model: str
    parallel: int
    """Replies that the engine writes side by side."""
    alone: list[Talk] = field(default_factory=list)
    """One person after the other, each in a session that nobody else's message comes between."""
    at_once: list[Talk] = field(default_factory=list)
    warm_up: float = 0.0
    """Seconds of a first, short message, with which the model is loaded."""
    memory: float = 0.0
    """MiB of server, model and jails after all."""
    errors: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def users(model: str, parallel: int, people: int, progress: Callable[[str], None]) -> Users:
    """Let people say what they say, first one after the other, then in new sessions all at once."""
    found = Users(model, parallel)
    progress(f"{people} people with {model}, {parallel} replies at a time: the model is loaded")
    with Server(model, ["--parallel", str(parallel), *_SETTINGS]) as server:
        with ExitStack() as stack:
            every = [stack.enter_context(Visitor(server.url, server.token)) for _ in range(2 * people + 1)]
            for visitor in every:
                visitor.begin()
            found.warm_up = every[0].ask("Hello!").answered
            progress(f"{people} people, one after the other")
            for number in range(people):
                found.alone += _talk(every[1 + number], number, _ALONE)
            progress(f"{people} people at once")
            for talks in at_once(every[1 + people :], partial(_talk, size=_AT_ONCE), found.errors):
                found.at_once += talks
            found.memory = server.memory().whole
            at_once(every, lambda visitor, _: visitor.delete(), found.errors)
        found.errors += [
            f"person {talk.person}: {talk.outcome}" for talk in found.alone + found.at_once if _failed(talk)
        ]
        found.errors += server.faults()
        found.left = server.left()
        found.left += server.end()
    return found


def _talk(visitor: Visitor, person: int, size: int) -> list[Talk]:
    texts = TALKS[person % len(TALKS)]
    return [_noted(person, message, visitor.ask(text.format(n=size))) for message, text in enumerate(texts)]


def _noted(person: int, message: int, reply: Reply) -> Talk:
    return Talk(person, message, reply.first, reply.answered, reply.tokens, reply.prompt, reply.cached, reply.outcome)


def _failed(talk: Talk) -> bool:
    """Whether the server failed; that a small model does not get its job done is not the server's doing."""
    return talk.outcome == "failure"
