"""Dialogs of all methods, for tests of what shows and counts them."""

from __future__ import annotations

import random
from typing import Any

from opencodeinterpreter.dialog import Dialog, Message

LANGUAGES = (
    "python",
    "python",
    "python",
    "python",
    "javascript",
    "java",
    "cpp",
    "rust",
    "go",
    "sql",
    "bash",
    "ruby",
    "php",
)
CODE = '''def mean(values: list[float]) -> float:
    """Return the mean."""
    if not values:
        return 0.0  # nothing to divide
    return sum(values) / len(values)


print(mean([1, 2, 4.5]))'''
FAILING: dict[str, Any] = {
    "status": "error",
    "reason": "",
    "stdout": "",
    "stderr": "",
    "error": "Traceback (most recent call last):\n  File 'solution.py', line 3, in mean\n"
    "NameError: name 'total' is not defined",
    "seconds": 0,
}  # fmt: skip
WORKING = {"status": "ok", "reason": "", "stdout": "2.5\n", "stderr": "", "error": "", "seconds": 0}


def says(text: str, **meta: Any) -> Message:
    return Message("assistant", text, {"kind": "answer", "train": True, **meta})


def asks(text: str, kind: str = "human", **meta: Any) -> Message:
    return Message("user", text, {"kind": kind, **meta})


def simulated(number: int, query: str = "") -> Dialog:
    code = {"language": "python", "executed": True, "model": "small"}
    messages = (
        asks(query or f"Write a function that gives the mean of a list of numbers, task {number}.", "query"),
        says(
            f"The mean is the **sum** over the *count*, as in `sum(x) / len(x)`:\n\n```python\n{CODE}\n```",
            passed=False, **code | {"train": False}, exec=FAILING,
        ),
        asks("Execution result: \n" + FAILING["error"], "execution", exec=FAILING, passed=False),
        says(f"A name was wrong.\n\n```python\n{CODE}\n```", passed=True, **code, exec=WORKING) ,
        asks("Execution result: \n2.5", "execution", exec=WORKING, passed=True),
        says("It prints 2.5:\n\n1. the sum is 7.5,\n2. there are three numbers.", passed=None),
        asks("It should say what to do with an empty list. Please raise an error there."),
        says(f"Now it raises.\n\n```python\n{CODE.replace('return 0.0', 'raise ValueError')}\n```",
             passed=True, **code),
    )  # fmt: skip
    meta = {
        "method": "simulation", "language": "python", "licence": "MIT", "sources": ["exercism"], "seed": 1,
        "prompts": "3", "models": {"weak": "qwen2.5-coder-0.5b", "strong": "qwen2.5-coder-1.5b"},
        "human": ["functionality"], "verified": {"version": 1, "executed": 3},
    }  # fmt: skip
    return Dialog(messages, f"simulation-{number}", meta)


def packed(number: int, language: str, turns: int) -> Dialog:
    messages: list[Message] = []
    for turn in range(turns):
        code = f"// {language} {turn}\nlet x = {number};"
        messages += [
            asks(f"How do I do the thing {number}.{turn} in {language}?", "query"),
            says(f"Like this:\n\n```{language}\n{code}\n```", language=language, executed=False, passed=None),
        ]
    meta = {"method": "packing", "language": language, "licence": "Apache-2.0", "sources": ["gpteacher"]}
    return Dialog(tuple(messages), f"packing-{number}", meta)


def sample_dialogs(count: int = 60) -> list[Dialog]:
    """Return dialogs of several methods; the same ones each time."""
    chance = random.Random(5)
    found = []
    for number in range(count):
        if number % 3 == 0:
            found.append(packed(number, chance.choice(LANGUAGES), chance.choice([2, 2, 3])))
            continue
        dialog = simulated(number)
        method = chance.choice(["simulation"] * 4 + ["correction", "similar", "followup", "session"])
        kept = dialog.messages if method == "simulation" else dialog.messages[: chance.choice([4, 6])]
        found.append(Dialog(kept, f"{method}-{number}", {**dialog.meta, "method": method}))
    return found
