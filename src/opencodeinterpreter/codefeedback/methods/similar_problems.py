"""The stage ``similar``: problems that share tags are merged into one dialog, each problem used once.

No model is needed: the statements are the person's, and the checked solutions the replies. One may write the sentence
that leads from a problem to the next.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

from opencodeinterpreter.codefeedback.asking import prompts
from opencodeinterpreter.codefeedback.asking.model_stage import Means
from opencodeinterpreter.codefeedback.asking.parts import Cast, Part, Unusable, row_seed
from opencodeinterpreter.codefeedback.asking.replies import plain_words, sentences
from opencodeinterpreter.codefeedback.methods.checked_solutions import VERSION, checked, is_checked
from opencodeinterpreter.codefeedback.methods.grouping import Tagged, grouped
from opencodeinterpreter.codefeedback.methods.problem_dialogs import (
    answered,
    asked,
    dialog_of,
    introduction_without_model,
)
from opencodeinterpreter.codefeedback.pipeline.kept_lines import KeptLines
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome, Row, Table, TableStage
from opencodeinterpreter.codefeedback.rows import Problem, Solution
from opencodeinterpreter.codefeedback.verification.execution import Executor
from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.interpreter.feedback import shorten
from opencodeinterpreter.models.response_cache import Reply

_STATEMENT_SHOWN: Final = 1500
_LINK_TOKENS: Final = 80


@dataclass(frozen=True)
class SimilarOptions:
    """How problems are put together."""

    sizes: tuple[int, ...] = (2, 2, 2, 3)
    """one of these is drawn for each dialog (2.1 problems on average in the published set)"""
    floor: float = 0.3
    """the least likeness of two problems: their shared tags, the rare ones counting more, from 0 to 1"""

    def __post_init__(self) -> None:
        if not self.sizes or min(self.sizes) < 2:
            raise ConfigError("a dialog of similar problems needs at least two of them")
        if not 0 < self.floor <= 1:
            raise ConfigError("the least likeness must be above 0 and at most 1")


class Similar:
    """A ``TableStage`` of problems.

    Args:
        means: the sandbox in which solutions are checked that have not been, the seed, and perhaps a model in the part
            ``linker``.
        options: how problems are put together.
    """

    name = "similar"

    def __init__(self, means: Means, options: SimilarOptions | None = None) -> None:
        if extra := sorted(set(means.players) - {"linker"}):
            raise ConfigError(f"the stage similar has no part {extra[0]}: it has linker")
        self._means, self._options = means, options or SimilarOptions()

    @property
    def settings(self) -> Mapping[str, Any]:
        means = self._means
        settings = {
            **asdict(self._options),
            "execution": means.execution.to_json(),
            "checks": VERSION,
            "seed": means.seed,
            "prompts": prompts.PROMPTS_VERSION,
            "models": {part: player.to_json() for part, player in means.players.items()},
        }
        plain: dict[str, Any] = json.loads(json.dumps(settings))
        return plain

    def check(self, row: Row) -> None:
        """Read one row.

        Raises:
            InputError: if it is no problem.
        """
        Problem.from_json(row)

    def build(self, table: Table) -> Iterator[Outcome]:
        """Yield a dialog for each group, in the order of the groups' first problems, and the problems left over."""
        usable = yield from self._usable(table)
        groups, alone = grouped(usable, self._options.sizes, self._options.floor, random.Random(self._means.seed))  # noqa: S311 - not a secret
        member = {each.number: group[0].number for group in groups for each in group}
        last = {group[0].number: max(each.number for each in group) for group in groups}
        order = {group[0].number: [each.number for each in group] for group in groups}
        left = {each.number for each in alone}
        pending: dict[int, dict[int, Problem]] = {}
        with ExitStack() as stack:
            cast = stack.enter_context(Cast(self._means.players, self._means.responses, self._means.generation))
            linker = cast.get("linker")
            table.told.begin(len(table.rows), "problems put together")
            for number, problem in enumerate(self._checked(table)):
                table.told.advance()
                if number in left:
                    yield Outcome(drops=(Drop("no similar problem is left", row=problem.to_json()),))
                if number not in member:
                    continue
                head = member[number]
                pending.setdefault(head, {})[number] = problem
                if last[head] == number:
                    found = pending.pop(head)
                    yield self._dialog([found[each] for each in order[head]], linker)

    def _usable(self, table: Table) -> Generator[Outcome, None, list[Tagged]]:
        """Check what has not been checked; yield the drops, and return what the others have in common."""
        with ExitStack() as stack:
            executor = self._means.executor or stack.enter_context(Executor(self._means.execution))
            kept = stack.enter_context(KeptLines(table.folder / "checked.jsonl"))
            table.told.begin(len(table.rows), "solutions checked")
            before = sum(1 for _ in kept.earlier())
            table.told.advance(before)
            for problems in _pieces(itertools.islice(table.rows, before, None), 4 * self._means.execution.at_once):
                with ThreadPoolExecutor(self._means.execution.at_once) as pool:
                    kept.add(pool.map(partial(_as_checked, executor=executor), problems))
                table.told.advance(len(problems))
        usable: list[Tagged] = []
        for number, problem in enumerate(self._checked(table)):
            reason = _reason(problem)
            if reason:
                yield Outcome(drops=(Drop(reason, row=problem.to_json()),))
            else:
                usable.append(tagged(problem, number))
        return usable

    def _checked(self, table: Table) -> Iterator[Problem]:
        with (table.folder / "checked.jsonl").open(encoding="utf-8") as file:
            for line in file:
                yield Problem.from_json(json.loads(line))

    def _dialog(self, problems: Sequence[Problem], linker: Part | None) -> Outcome:
        messages: list[Message] = []
        shared = sorted(frozenset.intersection(*(frozenset(problem.tags) for problem in problems)))
        for number, problem in enumerate(problems):
            link = ""
            if number and linker is not None:
                link = self._link(problems[number - 1], problem, shared, linker)
            text = f"{link}\n\n{problem.statement.strip()}" if link else problem.statement
            messages.append(asked(text, "query" if number == 0 else "human", problem, language="python"))
            solution = solution_of(problem)
            assert solution is not None
            messages.append(answered(solution.text or introduction_without_model(solution), solution, problem))
        dialog = dialog_of("similar", problems, messages, self._means.seed, self._means.players, tags=shared)
        return Outcome(rows=(dialog.to_json(),), notes={"problems in a dialog": {str(len(problems)): 1}})

    def _link(self, before: Problem, after: Problem, shared: Sequence[str], linker: Part) -> str:
        """Return the sentence that leads over; none where the model gives nothing of use, since it can be missed."""
        first, second = (shorten(each.statement.strip(), _STATEMENT_SHOWN) for each in (before, after))
        seed = row_seed(self._means.seed, "similar", before.id, after.id)
        try:
            return linker.say(prompts.linking(first, second, shared), read_link, seed, max_tokens=_LINK_TOKENS)
        except Unusable:
            return ""


def stage(means: Means, options: SimilarOptions | None = None) -> TableStage:
    """Return the stage ``similar``."""
    return Similar(means, options)


def read_link(reply: Reply) -> str:
    """Read the sentence that leads from one problem to the next.

    Raises:
        Unusable: if it holds code, or is more than one sentence.
    """
    text = plain_words(reply.text).strip("\"'")
    if "\n" in text or sentences(text) > 1 or reply.finish != "stop":
        raise Unusable("a text that is too long", text[:200])
    return text


def tagged(problem: Problem, number: int) -> Tagged:
    """Return what is kept of a problem while all are compared."""
    words = re.findall(r"[a-z]{4,}", f"{problem.title}\n{problem.statement}".lower())
    return Tagged(problem.id, number, frozenset(tag.lower() for tag in problem.tags), frozenset(words))


def solution_of(problem: Problem) -> Solution | None:
    """Return the Python solution that is shown: one that its source gives with a text, if there is one."""
    of_python = [each for each in problem.solutions if (each.language or "python") == "python"]
    return next((each for each in of_python if each.text), of_python[0] if of_python else None)


def _reason(problem: Problem) -> str:
    """Return why a problem cannot be used; empty if it can."""
    if not problem.statement.strip():
        return "a problem without a statement"
    if not problem.tags:
        return "a problem without tags"
    return "" if solution_of(problem) is not None else "no solution passes"


def _as_checked(problem: Problem, executor: Executor) -> Row:
    done = problem if is_checked(problem) else checked(problem, executor).problem
    return done.to_json()


def _pieces(rows: Iterator[Row], size: int) -> Iterator[list[Problem]]:
    while piece := [Problem.from_json(row) for row in itertools.islice(rows, size)]:
        yield piece
