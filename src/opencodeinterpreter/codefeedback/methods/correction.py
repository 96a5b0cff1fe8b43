"""Code correction: a program that fails, what really happened when it ran, and the fix that really works.

The error is planted into a working program by a model, or the program is a real buggy one. Nothing is taken on trust:
the broken program has to fail, and the fix has to pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

from opencodeinterpreter.codefeedback.asking import prompts
from opencodeinterpreter.codefeedback.asking.model_stage import Means, ModelStage, Tools
from opencodeinterpreter.codefeedback.asking.parts import TRIES, Part, Unusable, row_seed
from opencodeinterpreter.codefeedback.asking.replies import (
    Step,
    first_sentences,
    plain_words,
    read_change,
    read_program,
    with_code,
)
from opencodeinterpreter.codefeedback.methods.draft import Assignment, Draft, assignment, shown
from opencodeinterpreter.codefeedback.methods.planting import error_kind, planted_program
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, MapStage, Outcome, Row
from opencodeinterpreter.codefeedback.rows import Bug
from opencodeinterpreter.codefeedback.verification.executions import Execution, feedback_text
from opencodeinterpreter.errors import ConfigError, InputError
from opencodeinterpreter.models.response_cache import Reply

Fix = Literal["model", "model, else known", "known"]
_SENTENCES = 3
"""As many as are asked for; what a model writes beyond is left out."""
_AS_IT_IS = "I run the program as it is."


@dataclass(frozen=True)
class CorrectionOptions:
    """How corrections are made."""

    fix: Fix = "model, else known"
    """whose fix it is: the model's alone, the known one where the model's fails, or always the known one, around which
    the model writes the text"""
    max_refinements: int = 2
    """programs in which the model may mend the error"""
    kinds: tuple[str, ...] = tuple(prompts.ERROR_KINDS)
    """of errors to be planted"""

    def __post_init__(self) -> None:
        if self.fix not in get_args(Fix):
            raise ConfigError(f"whose fix it is must be one of: {'; '.join(get_args(Fix))}")
        if self.max_refinements < 1:
            raise ConfigError("the model needs at least one program to mend an error")
        if not self.kinds or not set(self.kinds) <= set(prompts.ERROR_KINDS):
            raise ConfigError(f"the kinds of errors are {', '.join(prompts.ERROR_KINDS)}")


class Correction(ModelStage):
    """The stage ``correct``. Bugs, queries or problems in, dialogs out.

    Its parts: ``mender`` writes the fix, and the text around one that is known; ``planter`` is needed for queries and
    problems, into whose programs it plants an error.
    """

    name = "correct"
    parts = ("mender",)
    optional_parts = ("planter",)

    def __init__(self, means: Means, options: CorrectionOptions | None = None) -> None:
        self.options = options or CorrectionOptions()
        super().__init__(means, self.options)

    def work(self, row: Row, tools: Tools) -> Outcome:
        if "buggy" in row:
            return self._of_bug(Bug.from_json(row), tools)
        if "planter" not in tools:
            raise InputError("to plant an error into a program, the part planter needs a model")
        return self._of_planted(assignment(row), tools)

    def _of_bug(self, bug: Bug, tools: Tools) -> Outcome:
        text = bug.statement.strip() or with_code(prompts.NORMAL_PROMPT, bug.buggy.strip("\n"))
        task = Assignment(bug.id, text, bug.fixed, bug.tests, bug.language, bug.source, bug.licence, bug.meta)
        if not task.executable:
            return Outcome(drops=(Drop("not Python", task.language),))
        known = tools.executor.program(task.code, task.tests)
        if not known.ok:
            return Outcome(drops=(Drop("the known fix fails", known.error[-300:] or known.reason),))
        draft = Draft(task, tools.executor)
        buggy = bug.buggy.strip("\n").rstrip()
        draft.program(Step(with_code("" if bug.statement.strip() else _AS_IT_IS, buggy), buggy), "answer", "")
        if draft.good:
            return Outcome(drops=(Drop("the buggy program does not fail"),))
        seed = row_seed(self.means.seed, "correct", bug.id)
        return self._mended(draft, tools, seed, hint=bug.explanation.strip() or bug.kind, asked=bug.kind)

    def _of_planted(self, task: Assignment, tools: Tools) -> Outcome:
        if not task.executable:
            return Outcome(drops=(Drop("not Python", task.language),))
        seed = row_seed(self.means.seed, "correct", task.id)
        working = task.code.strip("\n").rstrip() or self._written(task, tools, seed)
        right = tools.executor.program(working, task.tests)
        if not right.ok:
            return Outcome(drops=(Drop("the program to be broken fails already", right.error[-300:] or right.reason),))
        # Without tests, a wrong result shows itself to nobody.
        kinds = [kind for kind in self.options.kinds if kind != "logical" or task.tests is not None]
        if not kinds:
            return Outcome(drops=(Drop("a logical error needs tests to be seen"),))
        kind = kinds[seed % len(kinds)]
        run = partial(tools.executor.program, tests=task.tests)
        code = planted_program(tools["planter"], working, kind, run, seed + TRIES)
        draft = Draft(
            Assignment(task.id, task.text, working, task.tests, "python", task.source, task.licence, task.meta),
            tools.executor,
        )
        draft.program(Step(with_code("", code), code), "answer", tools["planter"].name)
        if draft.good:
            return Outcome(drops=(Drop("the planted error fails at times only"),))
        expected = "" if task.tests is not None else right.stdout.strip()
        return self._mended(draft, tools, seed + 2 * TRIES, asked=kind, expected=expected)

    def _written(self, task: Assignment, tools: Tools, seed: int) -> str:
        messages = prompts.answering((Draft(task, tools.executor).messages[0],), tested=task.tests is not None)
        return tools["mender"].say(messages, read_program, seed, code=True).code

    def _mended(
        self, draft: Draft, tools: Tools, seed: int, *, hint: str = "", asked: str = "", expected: str = ""
    ) -> Outcome:
        """Go from a program that has failed to its fix.

        Args:
            draft: ends with the program that failed.
            seed: of what is asked now.
            hint: what is known of the error, for the text around the known fix.
            asked: the kind of error that it should be.
            expected: what a right program prints; empty if that is not known.
        """
        assert draft.last is not None
        failure = draft.last
        draft.tell()
        begun = draft.mark()
        by_model = self.options.fix != "known" and self._by_model(draft, tools["mender"], seed, expected)
        if not by_model:
            if self.options.fix == "model":
                return Outcome(drops=(Drop("the model did not mend the error"),), notes=_notes(failure, "none"))
            draft.back_to(begun)
            text = self._explained(draft, tools["mender"], seed + 10 * TRIES, hint)
            fixed = draft.task.code.strip("\n").rstrip()
            draft.program(Step(with_code(text, fixed), fixed), "repair", tools["mender"].name)
            if not draft.good:
                return Outcome(drops=(Drop("the known fix fails"),), notes=_notes(failure, "none"))
        fix = "model" if by_model else "known"
        error = {"asked": asked, "seen": error_kind(failure)}
        dialog = draft.dialog("correction", self.means.seed, self.means.players, finished=True, fix=fix, error=error)
        return Outcome(rows=(dialog.to_json(),), notes=_notes(failure, fix))

    def _by_model(self, draft: Draft, mender: Part, seed: int, expected: str) -> bool:
        """Let the model mend the program; return whether it does."""
        for attempt in range(self.options.max_refinements):
            if attempt:
                draft.tell()
            read = partial(read_change, last=draft.code)
            try:
                step = mender.say(prompts.mending(shown(draft.messages)), read, seed + TRIES * attempt, code=True)
            except Unusable:
                return False
            execution = draft.program(step, "repair", mender.name)
            if draft.good:
                # A program from which the failing part is gone runs too, but prints something else.
                return not expected or execution.stdout.strip() == expected
        return False

    def _explained(self, draft: Draft, mender: Part, seed: int, hint: str) -> str:
        assert draft.last is not None
        messages = prompts.explaining(
            draft.task.text, draft.code, feedback_text(draft.last), draft.task.code.strip("\n"), hint
        )
        return mender.say(messages, read_explanation, seed)


def stage(means: Means, options: CorrectionOptions | None = None) -> MapStage:
    """Return the stage ``correct``."""
    return Correction(means, options)


def read_explanation(reply: Reply) -> str:
    """Read the text around a fix that is known.

    Raises:
        Unusable: if it holds more code than a few quoted words.
    """
    return plain_words(first_sentences(reply, _SENTENCES), quotes=True)


def _notes(failure: Execution, fix: str) -> dict[str, dict[str, int]]:
    return {"errors": {error_kind(failure): 1}, "fixes": {fix: 1}}
