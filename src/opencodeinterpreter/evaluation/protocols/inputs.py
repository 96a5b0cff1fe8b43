"""Inputs for which nobody knows the right output: written by the model itself, and mutations of them by type."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from opencodeinterpreter.evaluation.problems import Problem

_LONGEST = 2000
"""Characters of an input's literal: what is longer tells no more of a solution and only takes time."""
_TRIES = 20
"""Mutations tried for each that is wanted, since many are the same again."""

Input = tuple[Any, ...]


def written_inputs(reply: str, problem: Problem, limit: int) -> list[Input]:
    """Return the arguments of the calls that a reply holds, each once, in order.

    Only calls of the entry point with nothing but literals count; an expected value beside one is not looked at.
    """
    found: dict[str, Input] = {}
    for tree in _trees(reply):
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id != problem.entry_point or node.keywords or not node.args:
                continue
            try:
                arguments = tuple(ast.literal_eval(argument) for argument in node.args)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                continue  # an argument that is computed
            if len(repr(arguments)) <= _LONGEST and _fits(arguments, problem):
                found.setdefault(repr(arguments), arguments)
    return list(found.values())[:limit]


def _trees(reply: str) -> Iterator[ast.AST]:
    for line in reply.splitlines():
        text = line.strip().lstrip("-*>0123456789.) ").strip().strip("`").rstrip(",;")
        try:
            yield ast.parse(text)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue  # a line of prose, or of a call over several lines


def _fits(arguments: Input, problem: Problem) -> bool:
    """Hold for as many arguments as the visible examples have; where there are none, for any number."""
    counts = {len(example.inputs) for example in problem.examples if example.inputs is not None}
    return not counts or len(arguments) in counts


def mutations(seeds: Sequence[Input], count: int, seed: str) -> list[Input]:
    """Return up to ``count`` inputs of the same types as the seeds, none of them twice; the same for the same seed."""
    # Repeatable, and nothing here is a secret.
    random_ = random.Random(seed)  # noqa: S311
    known = {repr(each) for each in seeds}
    found: list[Input] = []
    for _ in range(count * _TRIES):
        if len(found) >= count or not seeds:
            break
        arguments = list(random_.choice(seeds))
        if not arguments:
            break
        place = random_.randrange(len(arguments))
        arguments[place] = _mutated(arguments[place], random_)
        text = repr(arguments)
        made = tuple(arguments)
        if repr(made) not in known and len(text) <= _LONGEST:
            known.add(repr(made))
            found.append(made)
    return found


def _mutated(value: Any, random_: random.Random) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return random_.choice([value + 1, value - 1, -value, 0, 1, value * 2, value // 2])
        case float():
            return random_.choice([value + 1.0, value - 0.5, -value, 0.0, value * 2, value / 2])
        case str():
            return _mutated_text(value, random_)
        case list() | tuple():
            return type(value)(_mutated_items(list(value), random_))
        case set() | frozenset():
            return type(value)(_hashable(_mutated_items(sorted(value, key=repr), random_)))
        case dict() if value:
            key = random_.choice(list(value))
            if random_.random() < 0.3:
                return {name: item for name, item in value.items() if name != key}
            return {**value, key: _mutated(value[key], random_)}
    return value


def _mutated_text(text: str, random_: random.Random) -> str:
    place = random_.randrange(len(text)) if text else 0
    letter = text[random_.randrange(len(text))] if text else "a"
    return random_.choice(
        [text[:place] + text[place + 1 :], text[:place] + letter + text[place:], text[::-1], text.swapcase(), text * 2,
         text[place:] + text[:place], ""]
    )  # fmt: skip


def _mutated_items(items: list[Any], random_: random.Random) -> list[Any]:
    if not items:
        return items
    place = random_.randrange(len(items))
    item = items[place]
    return random_.choice(
        [
            items[:place] + items[place + 1 :],
            [*items[:place], item, *items[place:]],
            items[::-1],
            [*items[:place], _mutated(item, random_), *items[place + 1 :]],
            [*items[:place], _mutated(item, random_), *items[place + 1 :]],
            items + items,
        ]
    )


def _hashable(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        try:
            hash(item)
        except TypeError:
            continue  # a set cannot hold it
        yield item
