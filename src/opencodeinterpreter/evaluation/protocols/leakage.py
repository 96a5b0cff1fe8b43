"""The check that proves of every honest run what it claims: nothing hidden stands in any message to a model.

A message of role system or user must hold

- no input of the hidden tests that the problem's prompt does not show, in a form that is told from chance: in a call
  of the function, after the word "Input", or, where it is long, anywhere, also cut;
- no hidden input with its expected output after it, where the prompt does not show the two together;
- no run of the reference solution's tokens.

What the prompt shows, or the model has written itself (a reply of its own comes back in later messages), does not
count. Quotes, commas and the kind of brackets are no tokens, so that another way of writing hides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.records import ProblemRecord

REFERENCE_TOKENS = 10
"""A run of the reference solution that is no chance. Measured on the references themselves: two solutions of different
problems share a run of 10 tokens in 0.5 % of the pairs of HumanEval+ and 0.14 % of MBPP+ (of 6: 5.5 % and 1.2 %),
while every reference of MBPP+ and 156 of 164 of HumanEval+ still have one. Shorter references are looked for whole."""
_FEWEST_TOKENS = 4
"""Of a reference: less is in everyone's code."""
_LONG_INPUT = 6
"""Tokens, brackets included, from which an input is told from chance wherever it stands."""
_CUT_INPUT = 16
"""Of a longer input these first tokens are enough, since feedback is cut."""
_OUTPUT_WITHIN = 12
"""Tokens between an input and its output, such as ``Expected Output:``."""

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[^\s\w]")
_BRACKETS = str.maketrans("[{]}", "(())")
_DROPPED = frozenset("\"',`")

Expected = Callable[[Problem, Sequence[tuple[Any, ...]]], Sequence[str | None]]
"""Gives the expected outputs of inputs of a problem, as Python text; None where there is none."""


@dataclass(frozen=True)
class Leak:
    """Something hidden in a message to a model."""

    problem: str
    sample: int
    where: str
    """``attempt 1`` or ``guidance``"""
    kind: str
    """``hidden input``, ``hidden pair`` or ``reference solution``"""
    excerpt: str

    def __str__(self) -> str:
        return f"{self.problem} (sample {self.sample}), {self.where}: {self.kind}: {self.excerpt}"


def check_record(record: ProblemRecord, problem: Problem, expected: Expected | None = None) -> list[Leak]:
    """Return what leaked in one record; each message and kind once.

    Args:
        record: of an honest run.
        problem: with its hidden tests and its reference solution.
        expected: runs the reference solution; it is asked only about inputs that were found in a message. Without it
            an input that the prompt shows is not looked at for another output.
    """
    shown = _Shown(problem, list(_own_texts(record)))
    checked: set[str] = set()
    leaks: dict[tuple[str, str, str], Leak] = {}
    for where, message in _messages(record):
        if message.content in checked:
            continue  # said before in the same dialog
        checked.add(message.content)
        for kind, excerpt in _leaks_in(message.content, problem, shown, expected):
            leak = Leak(record.problem, record.sample, where, kind, excerpt)
            leaks.setdefault((message.content, kind, excerpt), leak)
    return list(leaks.values())


def check_records(
    records: Iterable[ProblemRecord], problems: Iterable[Problem], expected: Expected | None = None
) -> list[Leak]:
    """Return what leaked in the records of an honest run; see ``check_record``."""
    known = {problem.id: problem for problem in problems}
    return [
        leak
        for record in records
        if record.problem in known
        for leak in check_record(record, known[record.problem], expected)
    ]


def _messages(record: ProblemRecord) -> Iterator[tuple[str, Message]]:
    """Yield every message of role system or user that was sent."""
    dialogs = [(f"attempt {index}", attempt.messages) for index, attempt in enumerate(record.attempts)]
    for aside in record.notes.get("asides", ()):
        dialogs.append((str(aside["kind"]), tuple(map(Message.from_json, aside["messages"]))))
    for where, messages in dialogs:
        yield from ((where, message) for message in messages if message.role != "assistant")


def _own_texts(record: ProblemRecord) -> Iterator[str]:
    """Yield what the model that solves the problem has written; a synthesizer is another one."""
    yield from (attempt.reply for attempt in record.attempts)
    yield from (str(aside["reply"]) for aside in record.notes.get("asides", ()) if aside["kind"] != "guidance")


class _Shown:
    """What may stand in a message, the prompt's tokens and the model's own; and what may not."""

    def __init__(self, problem: Problem, own: Sequence[str]) -> None:
        self.texts = [_joined(tokens(text)) for text in (problem.prompt, *own)]
        self.runs = {run for text in self.texts for run in _runs(text.split(), REFERENCE_TOKENS)}
        self.hidden = list(hidden_forms(problem))
        self.examples = {repr(example.inputs) for example in problem.examples if example.inputs is not None}


def _leaks_in(text: str, problem: Problem, shown: _Shown, expected: Expected | None) -> Iterator[tuple[str, str]]:
    words = tokens(text)
    joined = _joined(words)
    for run in _reference_runs(problem):
        if run not in shown.runs and run in joined and not any(run in each for each in shown.texts):
            yield "reference solution", run.strip()
            break
    known: dict[tuple[Any, ...], list[str]] = {}
    for inputs, forms in shown.hidden:
        present = [form for form in forms.whole if form in joined]
        # What only begins like the input is compared with what else begins like it.
        alike = forms.whole if present else [forms.beginning]
        if not present and forms.beginning and forms.beginning in joined:
            present = alike
        if not present:
            continue
        if not any(form in each for form in alike for each in shown.texts) and repr(inputs) not in shown.examples:
            yield "hidden input", _short(present[0])
            return
        if repr(inputs) not in shown.examples:
            known[_Key(inputs)] = present
    if expected is not None and known:
        yield from _pairs(joined, problem, shown, known, expected)


class _Key(tuple[Any, ...]):
    """Inputs as a key, although they hold lists."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(repr(self))


def _pairs(
    joined: str, problem: Problem, shown: _Shown, known: dict[tuple[Any, ...], list[str]], expected: Expected
) -> Iterator[tuple[str, str]]:
    outputs = expected(problem, [tuple(inputs) for inputs in known])
    for (_, forms), output in zip(known.items(), outputs, strict=True):
        wanted = _joined(tokens(output)) if output else ""
        if not wanted.strip():
            continue
        if _follows(joined, forms, wanted) and not any(_follows(each, forms, wanted) for each in shown.texts):
            yield "hidden pair", _short(f"{forms[0]}→{wanted}")
            return


def _follows(text: str, forms: Sequence[str], output: str) -> bool:
    for form in forms:
        start = text.find(form)
        while start >= 0:
            end = start + len(form) - 1
            gap = text[end:].split(maxsplit=_OUTPUT_WITHIN + output.count(" "))
            near = _joined(gap[: _OUTPUT_WITHIN + output.count(" ")])
            if output in near:
                return True
            start = text.find(form, start + 1)
    return False


@dataclass(frozen=True)
class Forms:
    """How a text would hold a hidden input, as joined tokens."""

    whole: list[str]
    beginning: str
    """of an input so long that feedback cuts it; empty for a shorter one"""


def hidden_forms(problem: Problem) -> Iterator[tuple[tuple[Any, ...], Forms]]:
    """Yield each hidden input with the ways in which a text would hold it."""
    name = problem.entry_point.lower()
    for inputs in (*problem.base_inputs, *problem.plus_inputs):
        words = tokens(", ".join(map(repr, inputs)))
        starts = (f" {name} (", " input : (", " input (")
        whole = [f"{start}{_joined(words)}) " for start in starts] + [f" input :{_joined(words)}"] * bool(words)
        if len(words) >= _LONG_INPUT:
            whole.append(_joined(words))
        yield inputs, Forms(whole, _joined(words[:_CUT_INPUT]) if len(words) > _CUT_INPUT else "")


def _reference_runs(problem: Problem) -> Iterator[str]:
    reference = problem.reference
    if reference.startswith(problem.prompt):
        reference = reference[len(problem.prompt) :]
    words = tokens(reference)
    if len(words) >= _FEWEST_TOKENS:
        yield from _runs(words, min(REFERENCE_TOKENS, len(words)))


def _runs(words: Sequence[str], length: int) -> Iterator[str]:
    for start in range(len(words) - length + 1):
        yield _joined(words[start : start + length])


def tokens(text: str) -> list[str]:
    """Return a text as tokens by which two ways of writing the same value are the same."""
    found = (match.translate(_BRACKETS) for match in _TOKEN.findall(text.lower()))
    return [word for word in found if word not in _DROPPED]


def _joined(words: Sequence[str]) -> str:
    # Spaces at both ends, so that a search never ends within a token.
    return f" {' '.join(words)} " if words else " "


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 160 else text[:159] + "…"
