"""The stage ``followup``: several solutions of one problem become successive turns of one dialog.

They differ in time, in space or in language, and the person asks for just that. A model writes the text above each
program and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from opencodeinterpreter.codefeedback.asking import prompts
from opencodeinterpreter.codefeedback.asking.model_stage import Means, ModelStage, Tools
from opencodeinterpreter.codefeedback.asking.parts import TRIES, row_seed
from opencodeinterpreter.codefeedback.methods.checked_solutions import checked, is_checked
from opencodeinterpreter.codefeedback.methods.complexity import growth
from opencodeinterpreter.codefeedback.methods.problem_dialogs import (
    answered,
    asked,
    dialog_of,
    facts,
    introduction_without_model,
    read_introduction,
    written,
)
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, MapStage, Outcome, Row
from opencodeinterpreter.codefeedback.rows import Problem, Solution
from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.interpreter.feedback import shorten

_STATEMENT_SHOWN: Final = 3000
_TEXT_TOKENS: Final = 320
_FASTER: Final = (
    "Can this be done faster, in {time} time?",
    "That works. Is there a way that takes {time} time?",
    "How could I bring the running time down to {time}?",
)
_SMALLER: Final = (
    "Can this be done with less memory, in {space} space?",
    "Is there a way that needs {space} space only?",
    "How would it look if it may use {space} space at most?",
)
_OTHER: Final = (
    "Is there another way to do it{facts}?",
    "Could you show me a different approach{facts}?",
    "How else could this be solved{facts}?",
)
_LANGUAGE: Final = (
    "How would this look in {language}?",
    "Could you show me a solution in {language} as well?",
    "I need this in {language} too. How would you write it there?",
)


@dataclass(frozen=True)
class FollowUpOptions:
    """How follow-ups are chosen."""

    max_turns: int = 4
    """solutions in one dialog (3.8 on average in the published set)"""
    languages: tuple[str, ...] = ("python", "cpp")
    """which languages a dialog may have, the one that it begins with first"""
    per_language: int = 3

    def __post_init__(self) -> None:
        if self.max_turns < 2:
            raise ConfigError("a follow-up needs at least two turns")
        if not self.languages or self.per_language < 1:
            raise ConfigError("follow-ups need at least one language, and one solution in each")


class FollowUp(ModelStage):
    """Problems with several solutions in, dialogs out. Without its part ``narrator`` the texts are plain ones."""

    name = "followup"
    parts = ()
    optional_parts = ("narrator",)

    def __init__(self, means: Means, options: FollowUpOptions | None = None) -> None:
        self.options = options or FollowUpOptions()
        super().__init__(means, self.options)

    def work(self, row: Row, tools: Tools) -> Outcome:
        problem = Problem.from_json(row)
        if not problem.statement.strip():
            return Outcome(drops=(Drop("a problem without a statement"),))
        if not is_checked(problem):
            problem = checked(problem, tools.executor).problem
        chosen = distinct(problem.solutions, self.options)
        if len(chosen) < 2:
            return Outcome(drops=(Drop("no two solutions that differ in time, space or language", str(len(chosen))),))
        seed = row_seed(self.means.seed, "followup", problem.id)
        messages = self._messages(problem, chosen, tools, seed)
        dialog = dialog_of("followup", [problem], messages, self.means.seed, self.means.players, turns=len(chosen))
        notes = {"turns": {str(len(chosen)): 1}}
        return Outcome(rows=(dialog.to_json(),), notes=notes)

    def _messages(self, problem: Problem, chosen: Sequence[Solution], tools: Tools, seed: int) -> list[Message]:
        chance = random.Random(seed)  # noqa: S311 - which wording, not a secret
        first = chosen[0].language
        messages = [asked(problem.statement, "query", problem, language=first)]
        for number, solution in enumerate(chosen):
            before = chosen[number - 1] if number else None
            question = problem.statement
            if before is not None:
                question = follow_up(before, solution, chance)
                messages.append(asked(question, "human", problem, language=solution.language))
            text, model = self._text(problem, question if number else "", solution, tools, seed + TRIES * number)
            messages.append(answered(text, solution, problem, model=model))
        return messages

    def _text(self, problem: Problem, question: str, solution: Solution, tools: Tools, seed: int) -> tuple[str, str]:
        if "narrator" not in tools:
            return introduction_without_model(solution), ""
        narrator = tools["narrator"]
        shown = shorten(problem.statement.strip(), _STATEMENT_SHOWN)
        wanted = f"{shown}\n\nWhat is asked for now: {question}" if question else shown
        messages = prompts.introducing(wanted, solution.code, written(solution.language), facts(solution))
        return narrator.say(messages, read_introduction, seed, max_tokens=_TEXT_TOKENS), narrator.name


def stage(means: Means, options: FollowUpOptions | None = None) -> MapStage:
    """Return the stage ``followup``."""
    return FollowUp(means, options)


def distinct(solutions: Sequence[Solution], options: FollowUpOptions) -> list[Solution]:
    """Return solutions no two of which agree in language, time and space, in the order in which they are shown.

    In each language the slow ones come first, and of equally fast ones those that need more space.
    """
    chosen: list[Solution] = []
    for language in options.languages:
        of_it = {
            (solution.time, solution.space): solution
            for solution in reversed(solutions)
            if (solution.language or "python") == language and (solution.time or solution.space)
        }
        if not of_it:
            # One whose complexity is not known can still be the one in its language.
            of_it = next(
                ({("", ""): each} for each in solutions if (each.language or "python") == language),
                of_it,
            )
        ordered = sorted(of_it.values(), key=lambda each: (-_size(each.time), -_size(each.space), each.code))
        chosen += ordered[: options.per_language] if language == options.languages[0] else ordered[-1:]
    if not chosen or (chosen[0].language or "python") != options.languages[0]:
        return []
    others = [each for each in chosen if each.language != chosen[0].language]
    room = options.max_turns - min(len(others), options.max_turns - 1)
    return chosen[: len(chosen) - len(others)][:room] + others[: options.max_turns - 1]


def follow_up(before: Solution, after: Solution, chance: random.Random) -> str:
    """Return the question that leads from one solution to the next."""
    if before.language != after.language:
        return chance.choice(_LANGUAGE).format(language=written(after.language))
    time, space = _compared(before.time, after.time), _compared(before.space, after.space)
    if time < 0:
        return chance.choice(_FASTER).format(time=after.time)
    if time == 0 and space < 0:
        return chance.choice(_SMALLER).format(space=after.space)
    known = " and ".join(
        each
        for each in (f"{after.time} time" if after.time else "", f"{after.space} space" if after.space else "")
        if each
    )
    return chance.choice(_OTHER).format(facts=f", in {known}" if known else "")


def _compared(before: str, after: str) -> float:
    """Return how much faster the second grows; nan, which is neither less nor equal, where that cannot be said."""
    one, other = growth(before), growth(after)
    return float("nan") if one is None or other is None else other - one


def _size(text: str) -> float:
    found = growth(text)
    return -1.0 if found is None else found
