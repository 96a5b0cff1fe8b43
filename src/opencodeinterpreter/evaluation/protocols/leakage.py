"""The check that proves of every honest run what it claims: nothing hidden stands in any message to a model.

A message of role system or user must hold

- no input of the hidden tests that the problem's prompt does not show, in a form that is told from chance: in a call
  of the function, after the word "Input", or, where it is long, anywhere, also cut;
- no hidden input with its expected output after it, where the prompt does not show the two together;
- no run of the reference solution's tokens.

What the prompt shows, or the model has written itself before (a reply of its own comes back in later messages), does
not count, nor what its own code gives for an example of the prompt: where that looks like something hidden, the code is
run once more, and its outputs are kept with the record. What it writes afterwards excuses nothing: a model repeats what
it was told. Quotes, commas and the kind of brackets are no tokens, so that another way of writing hides nothing.

A record is checked before it is written, and what was found is its mark; a whole run is checked again at its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.evaluation.examples import example_inputs
from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.records import LEAK_MARK, ProblemRecord

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
Ran = Callable[[Problem, str], Sequence[str]]
"""Runs code on the examples of a problem's prompt, and gives for each the call with its output."""
OWN_OUTPUTS = "own outputs"
"""Under which a record's notes hold what the model's code gives for the prompt's examples, where it mattered: rows of
``attempt``, the first with this code, and ``outputs``."""
Inputs = tuple[Any, ...]


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


class LeakCheck:
    """Checks the records of an honest run. What is looked for is worked out once a problem; threads may share one.

    Args:
        problems: with their hidden tests and their reference solutions.
        expected: runs the reference solution; it is asked only about inputs that were found in a message. Without it
            an input that the prompt shows is not looked at for another output.
        ran: runs the model's code; it is asked only about a record in which something seems to have leaked.
    """

    def __init__(self, problems: Iterable[Problem], expected: Expected | None = None, ran: Ran | None = None) -> None:
        self._problems = {problem.id: problem for problem in problems}
        self._expected, self._ran = expected, ran
        self._hidden: dict[str, _Hidden] = {}

    def record(self, record: ProblemRecord) -> list[Leak]:
        """Return what leaked in one record, each message and kind once; nothing for a problem that is not known."""
        problem = self._problems.get(record.problem)
        if problem is None:
            return []
        # Two threads may both work it out; the result is the same.
        hidden = self._hidden.get(problem.id) or self._hidden.setdefault(problem.id, _Hidden(problem, self._expected))
        own = _OwnTexts(record)
        checked: set[str] = set()
        leaks: dict[tuple[str, str, str], Leak] = {}
        for where, before, message in _messages(record):
            if message.content in checked:
                continue  # said before in the same dialog
            checked.add(message.content)
            shown = [hidden.prompt, *own.of(before)]
            for kind, excerpt in hidden.leaks_in(_joined(tokens(message.content)), shown):
                leak = Leak(record.problem, record.sample, where, kind, excerpt)
                leaks.setdefault((message.content, kind, excerpt), leak)
        return list(leaks.values())

    def settled(self, record: ProblemRecord) -> ProblemRecord:
        """Return the record as it is to be kept: with what leaked in it, and with what only seemed to.

        What an earlier check has found is forgotten.
        """
        record = replace(record, notes={k: v for k, v in record.notes.items() if k not in (LEAK_MARK, OWN_OUTPUTS)})
        leaks = self.record(record)
        problem = self._problems.get(record.problem)
        if leaks and problem is not None and self._ran is not None:
            first: dict[str, int] = {}
            for index, attempt in enumerate(record.attempts):
                if attempt.code:
                    first.setdefault(attempt.code, index)
            own = [{"attempt": index, "outputs": list(self._ran(problem, code))} for code, index in first.items()]
            explained = replace(record, notes={**record.notes, OWN_OUTPUTS: own})
            remaining = self.record(explained)
            if len(remaining) < len(leaks):
                record, leaks = explained, remaining
        return marked(record, leaks)

    def records(self, records: Iterable[ProblemRecord]) -> list[Leak]:
        """Return what leaked in any of the records."""
        return [leak for record in records for leak in self.record(record)]


def check_record(record: ProblemRecord, problem: Problem, expected: Expected | None = None) -> list[Leak]:
    """Return what leaked in one record; see ``LeakCheck``."""
    return LeakCheck([problem], expected).record(record)


def check_records(
    records: Iterable[ProblemRecord], problems: Iterable[Problem], expected: Expected | None = None
) -> list[Leak]:
    """Return what leaked in the records of an honest run; see ``LeakCheck``."""
    return LeakCheck(problems, expected).records(records)


def marked(record: ProblemRecord, leaks: Sequence[Leak]) -> ProblemRecord:
    """Return the record with what leaked in it written down; as it is where nothing did."""
    if not leaks:
        return record
    rows = [{"where": leak.where, "kind": leak.kind, "excerpt": leak.excerpt} for leak in leaks]
    return replace(record, notes={**record.notes, LEAK_MARK: rows})


def marked_leaks(record: ProblemRecord) -> list[Leak]:
    """Return what was found to leak when the record was written: no data is needed to know it."""
    rows = record.notes.get(LEAK_MARK)
    found = []
    for row in rows if isinstance(rows, list) else []:
        texts = [row.get(name) for name in ("where", "kind", "excerpt")] if isinstance(row, dict) else []
        if texts and all(isinstance(text, str) for text in texts):
            found.append(Leak(record.problem, record.sample, *map(str, texts)))
    return found


def _messages(record: ProblemRecord) -> Iterator[tuple[str, frozenset[int], Message]]:
    """Yield every message of role system or user that was sent, with the attempts that were made before it."""
    for index, attempt in enumerate(record.attempts):
        for message in attempt.messages:
            if message.role != "assistant":
                yield f"attempt {index}", frozenset(range(index)), message
    for aside in record.notes.get("asides", ()):
        messages = tuple(map(Message.from_json, aside["messages"]))
        # A record does not say when: what such a dialog quotes was there before it.
        text = "\n".join(message.content for message in messages)
        codes = enumerate(attempt.code.strip() for attempt in record.attempts)
        before = frozenset(index for index, code in codes if code and code in text)
        for message in messages:
            if message.role != "assistant":
                yield str(aside["kind"]), before, message


class _OwnTexts:
    """What the model that solves the problem has written, or its code has given; a synthesizer is another one."""

    def __init__(self, record: ProblemRecord) -> None:
        self._texts = [[_joined(tokens(attempt.reply))] for attempt in record.attempts]
        for given in record.notes.get(OWN_OUTPUTS, ()):
            # Older records have them without the attempt, which explains nothing: the search for leaks finds them anew.
            if isinstance(given, dict):
                self._texts[given["attempt"]] += [_joined(tokens(text)) for text in given["outputs"]]
        asides = (aside for aside in record.notes.get("asides", ()) if aside["kind"] != "guidance")
        self._beside = [_joined(tokens(str(aside["reply"]))) for aside in asides]

    def of(self, attempts: frozenset[int]) -> list[str]:
        """Return the texts of these attempts, and of dialogs on the side, as joined tokens."""
        return [*self._beside, *(text for index in sorted(attempts) for text in self._texts[index])]


class _Hidden:
    """What may not stand in a message about one problem, in the form in which it is looked for."""

    def __init__(self, problem: Problem, expected: Expected | None) -> None:
        self.prompt = _joined(tokens(problem.prompt))
        self._problem, self._expected = problem, expected
        self._reference = list(_reference_runs(problem))
        self._examples = {repr(inputs) for example in problem.examples for inputs in example_inputs(problem, example)}
        self._outputs: dict[str, str] = {}
        self._inputs: dict[str, list[Inputs]] = {}
        """by a text that stands wherever one of the inputs does: most messages hold none of them"""
        for inputs in (*problem.base_inputs, *problem.plus_inputs):
            self._inputs.setdefault(_joined(_first_tokens(inputs, _CUT_INPUT)), []).append(inputs)

    def leaks_in(self, text: str, shown: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield kind and excerpt of what stands in ``text`` and in none of the ``shown``; all are joined tokens."""
        for run in self._reference:
            if run in text and not any(run in each for each in shown):
                yield "reference solution", run.strip()
                break
        known: dict[str, tuple[Inputs, list[str]]] = {}
        for inputs in self._present(text):
            forms = forms_of(self._problem, inputs)
            present = [form for form in forms.whole if form in text]
            # What only begins like the input is compared with what else begins like it.
            alike = forms.whole if present else [forms.beginning]
            if not present and forms.beginning:
                present = alike
            if not present or repr(inputs) in self._examples:
                continue
            if not any(form in each for form in alike for each in shown):
                yield "hidden input", _short(present[0])
                return
            known[repr(inputs)] = inputs, present
        if self._expected is not None and known:
            yield from self._pairs(text, shown, known)

    def _present(self, text: str) -> Iterator[Inputs]:
        for beginning, alike in self._inputs.items():
            if beginning in text:
                yield from alike

    def _pairs(
        self, text: str, shown: Sequence[str], known: dict[str, tuple[Inputs, list[str]]]
    ) -> Iterator[tuple[str, str]]:
        outputs = self._outputs_of({key: inputs for key, (inputs, _) in known.items()})
        for key, (_, forms) in known.items():
            wanted = _joined(tokens(outputs.get(key, "")))
            if not wanted.strip():
                continue
            if _follows(text, forms, wanted) and not any(_follows(each, forms, wanted) for each in shown):
                yield "hidden pair", _short(f"{forms[0]}→{wanted}")
                return

    def _outputs_of(self, wanted: dict[str, Inputs]) -> dict[str, str]:
        """Return what the reference gives, by the inputs' texts; it is run once for each input."""
        assert self._expected is not None
        unknown = {key: inputs for key, inputs in wanted.items() if key not in self._outputs}
        if unknown:
            found = self._expected(self._problem, list(unknown.values()))
            # What gave nothing is asked again: it may have been the machine's fault.
            self._outputs.update({key: text for key, text in zip(unknown, found, strict=True) if text is not None})
        return self._outputs


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


def forms_of(problem: Problem, inputs: Inputs) -> Forms:
    """Return the ways in which a text would hold a hidden input; none of one without any token, such as ``''``."""
    words = tokens(_written(inputs))
    if not words:
        return Forms([], "")
    starts = (f" {problem.entry_point.lower()} (", " input : (", " input (")
    whole = [f"{start}{_joined(words)}) " for start in starts] + [f" input :{_joined(words)}"]
    if len(words) >= _LONG_INPUT:
        whole.append(_joined(words))
    return Forms(whole, _joined(words[:_CUT_INPUT]) if len(words) > _CUT_INPUT else "")


def _written(inputs: Inputs) -> str:
    return ", ".join(map(repr, inputs))


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
    return list(_each_token(text))


def _first_tokens(inputs: Inputs, count: int) -> list[str]:
    return list(islice(_each_token(_written(inputs)), count))


def _each_token(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text.lower()):
        word = match.group().translate(_BRACKETS)
        if word not in _DROPPED:
            yield word


def _joined(words: Sequence[str]) -> str:
    # Spaces at both ends, so that a search never ends within a token.
    return f" {' '.join(words)} " if words else " "


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 160 else text[:159] + "…"
