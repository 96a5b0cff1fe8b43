"""Runs as they look in earnest, made without a model: dialogs, codes, verdicts, costs."""

from __future__ import annotations

import random
from pathlib import Path

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.evaluation.records import Attempt, ProblemRecord, RunConfig
from opencodeinterpreter.evaluation.run_folder import Run
from opencodeinterpreter.evaluation.verdicts import Failure, Grade, SuiteResult, Verdict
from opencodeinterpreter.models.response_cache import Tokens

HIDDEN = "hidden_input_4711"
"""Stands in every failure: an honest page must not hold it."""

_LEAKAGE = {
    "single": ("L0", True),
    "visible": ("L2", True),
    "select": ("L2+L3", True),
    "execution": ("L5", False),
    "human": ("L6", False),
    "oracle": ("L7", False),
}
_FIRST = {"single": 1, "select": 2}
_VERSIONS = {"humaneval+": "v0.1.10", "mbpp+": "v0.2.0", "humaneval": "v0.1.10", "mbpp": "v0.2.0"}
_SIZES = {"humaneval": 164, "mbpp": 378}

_WORDS = ("merge", "count", "rotate", "largest", "prime", "vowels", "matrix", "brackets", "median", "words")

_PROMPT = '''def {name}(values: list[int], limit: int = {limit}) -> int:
    """Return the {word} of the values that are not above the limit.

    >>> {name}([1, 2, {limit}0], {limit})
    3
    >>> {name}([])
    0
    """
'''
_RIGHT = '''def {name}(values: list[int], limit: int = {limit}) -> int:
    """Return the {word} of the values that are not above the limit."""
    total = 0
    for value in values:
        if value <= limit:  # the limit itself counts
            total += value
    return total
'''
_WRONG = '''def {name}(values: list[int], limit: int = {limit}) -> int:
    """Return the {word} of the values that are not above the limit."""
    return sum(value for value in values if value < limit and value > 0)
'''
_ENDLESS = """def {name}(values: list[int], limit: int = {limit}) -> int:
    while values[0] <= limit:
        values[0] -= 1
    return sum(values)
"""
_TRACEBACK = """Traceback (most recent call last):
  File "<solution>", line 2, in {name}
    while values[0] <= limit:
IndexError: list index out of range (hidden_input_4711)"""


def config(
    protocol: str = "single", benchmark: str = "humaneval+", model: str = "qwen2.5-coder-1.5b", **changes: object
) -> RunConfig:
    leakage, honest = _LEAKAGE[protocol]
    values: dict[str, object] = {
        "benchmark": benchmark,
        "dataset_version": _VERSIONS[benchmark],
        "dataset_sha256": f"{benchmark}-{changes.get('dataset_version', _VERSIONS[benchmark])}".encode()
        .hex()
        .ljust(64, "0")[:64],
        "protocol": protocol,
        "leakage": leakage,
        "honest": honest,
        "model": model,
        "model_sha256": model.encode().hex().ljust(64, "0")[:64],
        "synthesizer": "qwen2.5-coder-1.5b" if protocol in ("human", "oracle") else "",
        "rounds": 1 if protocol == "single" else 2,
        "prompts": "1",
        "settings": {"prompt": "evalplus", **({} if protocol == "single" else {"flattened": False, "again": 2})},
        "package_version": "0.1.0",
        "problem_count": _SIZES[benchmark.rstrip("+")],
        "machine": {"processor": "a processor", "cores": 2, "xllamacpp": "2026.3"},
        "command": f"ocint eval run --benchmark {benchmark} --protocol {protocol} --model {model}",
        "started": "2026-11-23T09:00:00+00:00",
    }
    return RunConfig(**{**values, **changes})  # type: ignore[arg-type]


def suite(verdict: Verdict, name: str = "f") -> SuiteResult:
    failure = None
    if verdict is Verdict.WRONG:
        failure = Failure(3, f"[10, 20, 9], {HIDDEN!r}", "39", "19", "")
    elif verdict in (Verdict.ERROR, Verdict.TIMEOUT, Verdict.MEMORY):
        failure = Failure(
            7, f"[], {HIDDEN!r}", "", "", _TRACEBACK.format(name=name) if verdict is Verdict.ERROR else ""
        )
    return SuiteResult(verdict, failure, 0.0123)


def grade(base: Verdict, plus: Verdict | None = None, name: str = "f") -> Grade:
    return Grade(suite(base, name), suite(plus or base, name))


def single_attempt(base: Verdict, plus: Verdict | None = None, number: int = 0, **changes: object) -> Attempt:
    """One graded answer, with nothing else to it."""
    values: dict[str, object] = {
        "round": number,
        "kind": "refinement" if number else "answer",
        "messages": (Message("user", "Write f."),),
        "reply": "a reply",
        "code": f"def f(): return {number}",
        "rule": "fence",
        "has_entry_point": True,
        "grade": grade(base, plus),
        "tokens": Tokens(100, 0, 50),
        "seconds": 2.0,
    }
    return Attempt(**{**values, **changes})  # type: ignore[arg-type]


def made_record(problem: str, *verdicts: Verdict | tuple[Verdict, Verdict], sample: int = 0) -> ProblemRecord:
    """A record of one attempt a round, with the verdicts given (both suites alike, or base and plus)."""
    attempts = []
    for number, given in enumerate(verdicts):
        base, plus = given if isinstance(given, tuple) else (given, given)
        attempts.append(single_attempt(base, plus, number))
    return ProblemRecord(problem, tuple(attempts), len(attempts) - 1, sample)


def sample_run(
    protocol: str = "single",
    benchmark: str = "humaneval+",
    model: str = "qwen2.5-coder-1.5b",
    *,
    problems: int | None = None,
    strength: float = 0.6,
    seed: int = 1,
    **changes: object,
) -> Run:
    """Return a run of the given size whose model solves about ``strength`` of the problems."""
    made = config(protocol, benchmark, model, **changes)
    count = made.problem_count if problems is None else problems
    name = "HumanEval" if benchmark.startswith("humaneval") else "Mbpp"
    records = (
        _record(f"{name}/{number}", number, sample, protocol, strength, seed)
        for number in range(count)
        for sample in range(made.samples)
    )
    return Run(made, tuple(records), Path(f"{protocol}-{benchmark}-{model}"))


def _record(problem: str, number: int, sample: int, protocol: str, strength: float, seed: int) -> ProblemRecord:
    # The first answer is drawn alike whatever the protocol, as greedy answers are.
    dice = random.Random(f"{seed} {problem} {sample} {strength}")
    first = _drawn(dice, number, 0, "answer", strength, ())
    if protocol == "single":
        return ProblemRecord(problem, (first,), 0, sample)
    if protocol == "select":
        return _selection(problem, number, dice, strength, sample)
    if first.grade and first.grade.plus.passed:
        return ProblemRecord(problem, (first,), 0, sample, (0,))
    told = _feedback(protocol, first)
    messages = (*first.messages, Message("assistant", first.reply), Message("user", told))
    chance = {"visible": 0.2, "execution": 0.3, "human": 0.45, "oracle": 0.7}[protocol]
    second = _drawn(dice, number, 1, "refinement", chance, messages)
    final = 1 if protocol != "visible" or dice.random() < 0.8 else 0
    aside = {
        "kind": "feedback",
        "model": "qwen2.5-coder-1.5b",
        "messages": [],
        "reply": told,
        "tokens": {"prompt": 300, "completion": 40},
        "seconds": 1.5,
    }
    notes = {"asides": [aside]} if protocol in ("human", "oracle") else {}
    return ProblemRecord(problem, (first, second), final, sample, (0, final), notes)


def _selection(problem: str, number: int, dice: random.Random, strength: float, sample: int) -> ProblemRecord:
    attempts = [_drawn(dice, number, 0, "sample", strength, ()) for _ in range(4)]
    passing = [index for index, each in enumerate(attempts) if each.grade and each.grade.plus.passed]
    chosen = passing[0] if passing and dice.random() < 0.8 else 0
    steps = {"greedy": 0, "random pick": number % 4, "visible filter": chosen, "agreement": chosen, "repair": chosen}
    return ProblemRecord(problem, tuple(attempts), chosen, sample, (chosen,), {"steps": steps})


def _feedback(protocol: str, first: Attempt) -> str:
    if protocol in ("human", "oracle"):
        return "The limit itself should count too. Compare with <= and do not leave out the negative values."
    if protocol == "visible":
        return "On the examples of the prompt:\nf([1, 2, 30], 3) gives 2, and 3 is expected."
    seen = f"Input: [10, 20, 9], {HIDDEN!r}\nExpected Output: 39\nActual Output: 19"
    return f"Execution result: \nThe results aren't as expected.\n{seen}"


def _drawn(
    dice: random.Random, number: int, round_number: int, kind: str, chance: float, messages: tuple[Message, ...]
) -> Attempt:
    word = _WORDS[number % len(_WORDS)]
    names = {"name": f"{word}_{number}", "word": word, "limit": number % 7 + 3}
    asked = "Please provide a self-contained Python script that solves the following problem in a markdown code block:"
    sent = messages or (Message("user", f"{asked}\n```python\n{_PROMPT.format(**names)}```"),)
    drawn = dice.random()
    if drawn < chance:
        code, verdicts = _RIGHT, (Verdict.PASS, Verdict.PASS if dice.random() < 0.9 else Verdict.WRONG)
    elif drawn < chance + 0.75 * (1 - chance):
        code, verdicts = _WRONG, (Verdict.WRONG, Verdict.WRONG)
    else:
        kinds = [
            (_ENDLESS, Verdict.TIMEOUT),
            (_ENDLESS, Verdict.ERROR),
            ("", Verdict.NO_CODE),
            (_ENDLESS, Verdict.MEMORY),
        ]
        code, verdict = dice.choice(kinds)
        verdicts = (verdict, verdict)
    filled = code.format(**names)
    reply = (
        f"The values above the limit are left out:\n\n```python\n{filled}```\n" if code else "I cannot run code here."
    )
    return Attempt(
        round=round_number,
        kind=kind,
        messages=sent,
        reply=reply,
        code=filled,
        rule="fenced block" if code else "none",
        has_entry_point=bool(code),
        grade=grade(*verdicts, name=names["name"]),  # type: ignore[arg-type]
        tokens=Tokens(180 + len(sent) * 90, 150, 60 + len(reply) // 4),
        seconds=3.0 + dice.random() * 6,
        cached=dice.random() < 0.1,
    )
