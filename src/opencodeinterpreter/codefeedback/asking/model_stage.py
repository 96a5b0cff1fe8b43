"""What the stages that ask models have in common: parts, settings, a sandbox, and what becomes of replies of no use."""

from __future__ import annotations

import dataclasses
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from opencodeinterpreter.codefeedback.asking.parts import Cast, Part, Player, Unusable
from opencodeinterpreter.codefeedback.asking.prompts import PROMPTS_VERSION
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome, Process, Row
from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings, Executor
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.models import Generation

GREEDY = Generation()


@dataclass(frozen=True)
class Means:
    """What a model stage works with besides its options."""

    players: Mapping[str, Player]
    """by the part that each plays"""
    responses: Path | None = None
    """the file of the replies so far; None keeps them in memory"""
    seed: int = 0
    generation: Generation = GREEDY
    execution: ExecutionSettings = dataclasses.field(default_factory=ExecutionSettings)
    executor: Executor | None = dataclasses.field(default=None, compare=False)
    """one that is open already, with the same settings, and stays the caller's; None opens one for the stage"""


class Tools:
    """What one row is worked on with, while the stage is under way."""

    def __init__(self, cast: Cast, executor: Executor | None) -> None:
        self._cast, self._executor = cast, executor

    def __getitem__(self, part: str) -> Part:
        """Return the model that plays a part."""
        return self._cast[part]

    def __contains__(self, part: str) -> bool:
        return self._cast.get(part) is not None

    @property
    def executor(self) -> Executor:
        assert self._executor is not None, "only a stage that executes has one"
        return self._executor


class ModelStage(ABC):
    """A map stage (see ``stage.MapStage``) that asks models, and perhaps runs code.

    Args:
        means: models, sandbox, seed.
        options: the stage's own settings, a dataclass of JSON values.

    Raises:
        ConfigError: if a part has no model.
    """

    name: ClassVar[str]
    parts: ClassVar[tuple[str, ...]]
    """the parts that need a model"""
    optional_parts: ClassVar[tuple[str, ...]] = ()
    executes: ClassVar[bool] = True

    def __init__(self, means: Means, options: Any) -> None:
        if missing := [part for part in self.parts if part not in means.players]:
            raise ConfigError(f"the stage {self.name} needs a model for the part {missing[0]}")
        known = (*self.parts, *self.optional_parts)
        if extra := sorted(set(means.players) - set(known)):
            raise ConfigError(f"the stage {self.name} has no part {extra[0]}: it has {', '.join(known) or 'none'}")
        self.means, self._options = means, options
        self._cast: Cast | None = None
        self._executor: Executor | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that decides the result, with the three keys that a manifest knows."""
        means = self.means
        generation = {name: getattr(means.generation, name) for name in ("max_tokens", "temperature", "top_p")}
        settings = {
            **dataclasses.asdict(self._options),
            "generation": generation,
            **({"execution": means.execution.to_json()} if self.executes else {}),
            "seed": means.seed,
            "prompts": PROMPTS_VERSION,
            "models": {part: player.to_json() for part, player in sorted(means.players.items())},
        }
        plain: dict[str, Any] = json.loads(json.dumps(settings))  # as they are read back from a manifest
        return plain

    @contextmanager
    def prepare(self) -> Iterator[Process]:
        """Open the models and the sandboxes."""
        with ExitStack() as stack:
            cast = self._cast = stack.enter_context(
                Cast(self.means.players, self.means.responses, self.means.generation)
            )
            if self.executes:
                self._executor = self.means.executor or stack.enter_context(Executor(self.means.execution))
            tools = Tools(cast, self._executor)

            def process(row: Row) -> Outcome:
                try:
                    return self.work(row, tools)
                except Unusable as unusable:
                    return Outcome(drops=(Drop(unusable.reason, unusable.detail),))

            try:
                yield process
            finally:
                self._cast = self._executor = None

    def stop(self) -> None:
        """End the replies and the code that are under way."""
        if self._cast is not None:
            self._cast.stop()
        if self._executor is not None:
            self._executor.stop()

    @abstractmethod
    def work(self, row: Row, tools: Tools) -> Outcome:
        """Do one row. An ``Unusable`` drops it, for its reason."""
