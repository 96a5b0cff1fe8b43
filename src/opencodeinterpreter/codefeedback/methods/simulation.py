"""Interaction simulation: one model answers, the code runs, a stronger one mends it, and a person wishes for more.

The execution feedback of these dialogs is always a real execution's. What a model writes after its code, where it would
invent an output, is never generated.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

from opencodeinterpreter.codefeedback.asking import prompts
from opencodeinterpreter.codefeedback.asking.model_stage import Means, ModelStage, Tools
from opencodeinterpreter.codefeedback.asking.parts import TRIES, Part, Unusable, row_seed
from opencodeinterpreter.codefeedback.asking.replies import read_change, read_program, read_verdict, read_words
from opencodeinterpreter.codefeedback.methods.draft import Draft, assignment, shown
from opencodeinterpreter.codefeedback.methods.human_feedback import Comment, comment_on
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, MapStage, Outcome, Row
from opencodeinterpreter.codefeedback.verification.executions import feedback_text
from opencodeinterpreter.errors import ConfigError

_WORDS_TOKENS = 200
_VERDICT_TOKENS = 6
"""Tokens: a word, and what a model decorates it with."""

Otherwise = Literal["drop", "keep"]


@dataclass(frozen=True)
class SimulationOptions:
    """How dialogs are simulated."""

    max_refinements: int = 3
    """further programs of the stronger model after the first answer, and as many after each human feedback"""
    human_turns: int = 1
    """how often the simulated person speaks up"""
    without_human: Otherwise = "drop"
    """what becomes of a dialog whose simulated person says nothing of use"""
    unfinished: Otherwise = "drop"
    """what becomes of a dialog whose last program fails; a kept one is marked"""

    def __post_init__(self) -> None:
        if self.max_refinements < 1 or self.human_turns < 0:
            raise ConfigError("at least one refinement is needed, and no fewer than no human feedback")
        if not {self.without_human, self.unfinished} <= set(get_args(Otherwise)):
            raise ConfigError(f"what becomes of a dialog must be one of {', '.join(get_args(Otherwise))}")


class Simulation(ModelStage):
    """The stage ``simulate``: queries or problems in, dialogs out. Its parts: ``weak``, ``strong`` and ``user``."""

    name = "simulate"
    parts = ("weak", "strong", "user")

    def __init__(self, means: Means, options: SimulationOptions | None = None) -> None:
        self.options = options or SimulationOptions()
        super().__init__(means, self.options)

    def work(self, row: Row, tools: Tools) -> Outcome:
        task = assignment(row)
        if not task.executable:
            return Outcome(drops=(Drop("not Python", task.language),))
        draft = Draft(task, tools.executor)
        seed = row_seed(self.means.seed, "simulate", task.id)
        tested = task.tests is not None
        weak = tools["weak"]
        first = weak.say(prompts.answering(shown(draft.messages), tested=tested), read_program, seed, code=True)
        draft.program(first, "answer", weak.name)
        first_failed = not draft.good
        settled = self._settle(draft, tools["strong"], seed + 10)
        comments: list[Comment] = []
        for turn in range(self.options.human_turns if draft.good else 0):
            comment = self._comment(draft, tools["user"], seed + 100 * (turn + 1))
            if comment is None:
                break
            comments.append(comment)
            settled = self._refine(draft, comment, tools, seed + 100 * (turn + 1) + 10)
            if not draft.good:
                break
        return self._outcome(draft, comments, settled, first_failed)

    def _settle(self, draft: Draft, strong: Part, seed: int) -> bool:
        """Let the stronger model look at what the code gave, until it deems it right; return whether it does."""
        good = draft.mark() if draft.good else None
        for attempt in range(self.options.max_refinements):
            draft.tell()
            failed = not draft.good
            at = seed + 3 * TRIES * attempt
            messages = prompts.refining(shown(draft.messages), failed=failed)
            read = partial(read_change, last=draft.code)
            try:
                if not failed and self._deemed_right(draft, strong, at):
                    self._conclude(draft, strong, at + TRIES)
                    return True
                step = strong.say(messages, read, at + 2 * TRIES, code=True)
            except Unusable:
                if good is None:
                    raise
                # It has nothing better: the dialog ends where the program ran, and is not known to be right.
                draft.back_to(good)
                return False
            draft.program(step, "repair", strong.name)
            good = draft.mark() if draft.good else good
        if not draft.good and good is not None:
            # It has broken what ran: the dialog ends where it ran.
            draft.back_to(good)
        return False

    def _deemed_right(self, draft: Draft, strong: Part, seed: int) -> bool:
        return strong.say(prompts.deeming(shown(draft.messages)), read_verdict, seed, max_tokens=_VERDICT_TOKENS)

    def _conclude(self, draft: Draft, strong: Part, seed: int) -> None:
        """Let the model say in words what it deems right; where it cannot, the dialog ends with the program."""
        try:
            text = strong.say(prompts.concluding(shown(draft.messages)), read_words, seed, max_tokens=_WORDS_TOKENS)
        except Unusable:
            draft.untell()
            return
        draft.say(text, strong.name)

    def _comment(self, draft: Draft, user: Part, seed: int) -> Comment | None:
        assert draft.last is not None
        try:
            return comment_on(user, draft.task.text, draft.code, feedback_text(draft.last), seed)
        except Unusable:
            if self.options.without_human == "drop":
                raise
            return None

    def _refine(self, draft: Draft, comment: Comment, tools: Tools, seed: int) -> bool:
        strong = tools["strong"]
        draft.ask(
            comment.text,
            tools["user"].name,
            about=comment.kind,
            satisfied=list(comment.satisfied),
            not_satisfied=list(comment.not_satisfied),
        )
        messages = prompts.improving(shown(draft.messages), tested=draft.task.tests is not None)
        step = strong.say(messages, partial(read_change, last=draft.code), seed, code=True)
        draft.program(step, "answer", strong.name)
        return self._settle(draft, strong, seed + 10)

    def _outcome(self, draft: Draft, comments: list[Comment], settled: bool, first_failed: bool) -> Outcome:
        notes = {
            "executions": {str(draft.executions): 1},
            "first program": {"failed" if first_failed else "ran": 1},
            "human feedback": dict(Counter(comment.kind for comment in comments)),
        }
        more = {"finished": draft.good, "settled": settled, "human": [comment.kind for comment in comments]}
        dialog = draft.dialog("simulation", self.means.seed, self.means.players, **more)
        if not draft.good and self.options.unfinished == "drop":
            assert draft.last is not None
            reason = "the last program fails its tests" if draft.last.passed is False else "the last program fails"
            return Outcome(drops=(Drop(reason, draft.last.error[-300:] or draft.last.reason),), notes=notes)
        return Outcome(rows=(dialog.to_json(),), notes=notes)


def stage(means: Means, options: SimulationOptions | None = None) -> MapStage:
    """Return the stage ``simulate``."""
    return Simulation(means, options)
