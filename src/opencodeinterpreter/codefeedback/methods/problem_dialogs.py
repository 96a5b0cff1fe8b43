"""What the dialogs that are made of problems and their known solutions have in common.

A solution's code goes into its message as it was checked, and is compared with it character by character afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from opencodeinterpreter.codefeedback.asking.parts import Player, Unusable
from opencodeinterpreter.codefeedback.asking.prompts import PROMPTS_VERSION
from opencodeinterpreter.codefeedback.asking.replies import first_sentences, plain_words, with_code
from opencodeinterpreter.codefeedback.methods.origin import origin, provenance, sources_of
from opencodeinterpreter.codefeedback.rows import Problem, Solution
from opencodeinterpreter.codefeedback.verification.code_blocks import blocks
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.models.response_cache import Reply

_SENTENCES: Final = 8
_CHARACTERS: Final = 1500
_NAMES: Final = {"python": "Python", "cpp": "C++", "java": "Java", "javascript": "JavaScript", "go": "Go", "c": "C"}


def written(language: str) -> str:
    """Return a language's name as people write it."""
    return _NAMES.get(language, language.capitalize())


def asked(text: str, kind: str, problem: Problem, **meta: Any) -> Message:
    """Return what the person says."""
    return Message("user", text.strip(), {"kind": kind, **provenance(problem), **meta})


def answered(text: str, solution: Solution, problem: Problem, *, model: str = "") -> Message:
    """Return the message that shows a solution.

    Raises:
        Unusable: if the code in the message is not the solution's, character by character.
    """
    language = solution.language or "python"
    content = with_code(text, solution.code, language)
    shown = [block.code for block in blocks(content)]
    if len(shown) != 1 or shown[0].rstrip("\n") != solution.code.rstrip("\n"):
        raise Unusable("the code of the solution would be changed")
    executed = language == "python"
    passed = True if executed and problem.tests is not None else None
    meta: dict[str, Any] = {
        "kind": "answer",
        "language": language,
        "executed": executed,
        "passed": passed,
        "train": True,
    }
    if executed and problem.tests is not None:
        # Whoever verifies the dialog runs this code with them again.
        meta["tests"] = problem.tests.to_json()
    if model:
        meta["model"] = model
    return Message("assistant", content, {**meta, **provenance(problem)})


def read_introduction(reply: Reply) -> str:
    """Read the text that is to stand above a solution.

    Raises:
        Unusable: if it holds code, or not one whole sentence.
    """
    text = plain_words(first_sentences(reply, _SENTENCES))
    if len(text) > _CHARACTERS:
        raise Unusable("a text that is too long", text[:200])
    return text.rstrip(":").rstrip() + ("." if text.endswith(":") else "")


def facts(solution: Solution) -> str:
    """Return what the source knows of a solution, in one line; empty if it knows nothing."""
    known = [
        f"it takes {solution.time} time" if solution.time else "",
        f"{'and ' if solution.time else 'it takes '}{solution.space} space" if solution.space else "",
    ]
    text = " ".join(each for each in known if each)
    return "; ".join(each for each in (solution.note, text) if each)


def introduction_without_model(solution: Solution) -> str:
    """Return the text above a solution where no model writes it: what the source knows, and nothing more."""
    idea = f" ({solution.note[:1].lower()}{solution.note[1:]})" if solution.note else ""
    text = f"This is a solution in {written(solution.language or 'python')}{idea}."
    known = " and ".join(
        each
        for each in (
            f"{solution.time} time" if solution.time else "",
            f"{solution.space} space" if solution.space else "",
        )
        if each
    )
    return f"{text} It takes {known}." if known else text


def dialog_of(
    method: str,
    problems: Sequence[Problem],
    messages: Iterable[Message],
    seed: int,
    players: Mapping[str, Player],
    **meta: Any,
) -> Dialog:
    """Return a finished dialog."""
    sources = list(dict.fromkeys(source for problem in problems for source in sources_of(problem)))
    licences = ", ".join(dict.fromkeys(problem.licence for problem in problems if problem.licence))
    known = {
        "method": method,
        "sources": sources,
        "licence": licences,
        "language": "python",
        "seed": seed,
        "prompts": PROMPTS_VERSION,
        "models": {part: player.name for part, player in sorted(players.items())},
        "problems": [problem.id for problem in problems],
        **{key: value for problem in problems for key, value in origin(problem.meta).items()},
        **meta,
    }
    return Dialog(tuple(messages), f"{method}-{problems[0].id}", known)
