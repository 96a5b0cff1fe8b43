"""What is told while a run goes on, and the warnings that come before hours are lost."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final, Protocol

import transformers

from opencodeinterpreter.errors import ModelError

_WINDOW: Final = 10
"""Steps whose mean loss is watched."""
_RISE: Final = 1.25
"""So many times the lowest mean is a loss that rises; the noise of small batches stays below."""


@dataclass(frozen=True)
class Step:
    """How far a run is."""

    step: int
    steps: int
    loss: float
    rate: float
    """learning rate"""
    tokens_per_second: float
    """padding left out"""
    left_seconds: float


class Progress(Protocol):
    """Is told of a run."""

    def step(self, step: Step) -> None: ...

    def evaluated(self, step: int, loss: float) -> None: ...

    def note(self, text: str) -> None:
        """Take a remark or a warning, one sentence."""
        ...


class NoProgress:
    """Tells nobody."""

    def step(self, step: Step) -> None: ...

    def evaluated(self, step: int, loss: float) -> None: ...

    def note(self, text: str) -> None: ...


class RisingLoss:
    """Finds a loss that rises, once a rise."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=_WINDOW)
        self._lowest = math.inf
        self._lowest_step = 0
        self._said = False

    def add(self, step: int, loss: float) -> str:
        """Take the loss of a step; return a warning, or nothing."""
        self._last.append(loss)
        if len(self._last) < _WINDOW:
            return ""
        mean = sum(self._last) / _WINDOW
        if mean < self._lowest:
            self._lowest, self._lowest_step, self._said = mean, step, False
        elif mean > _RISE * self._lowest and mean - self._lowest > 0.1 and not self._said:
            self._said = True
            return (
                f"the loss rises: {mean:.3f} over the last {_WINDOW} steps, {self._lowest:.3f} at step "
                f"{self._lowest_step}; a lower learning_rate or a larger batch_size is what helps most often"
            )
        return ""


class Watch(transformers.TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Passes on what the trainer logs.

    Args:
        progress: is told.
        seen: returns how many tokens went through the model so far.
    """

    def __init__(self, progress: Progress, seen: Any) -> None:
        self._progress, self._seen = progress, seen
        self._rising = RisingLoss()
        self._began, self._first, self._tokens = time.monotonic(), 0, 0

    def on_train_begin(self, _args: Any, state: Any, _control: Any, **_more: Any) -> None:
        self._began, self._first, self._tokens = time.monotonic(), state.global_step, self._seen()
        if state.global_step:
            self._progress.note(f"goes on after step {state.global_step} of {state.max_steps}")

    def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, float] | None = None, **_more: Any) -> None:
        logs = logs or {}
        if not state.is_world_process_zero:
            return
        if "eval_loss" in logs:
            self._progress.evaluated(state.global_step, logs["eval_loss"])
        if "loss" not in logs:
            return
        loss, strength = logs["loss"], logs.get("grad_norm", 0.0)
        if not math.isfinite(loss) or not math.isfinite(strength):
            what = "loss" if not math.isfinite(loss) else "gradient"
            raise ModelError(
                f"the {what} is not a number at step {state.global_step}: the last checkpoint is kept; try a lower "
                f"learning_rate, a longer warmup, or dtype: float32"
            )
        taken, done = max(1e-9, time.monotonic() - self._began), max(1, state.global_step - self._first)
        self._progress.step(
            Step(
                state.global_step,
                state.max_steps,
                loss,
                logs.get("learning_rate", 0.0),
                (self._seen() - self._tokens) / taken,
                taken / done * (state.max_steps - state.global_step),
            )
        )
        warning = self._rising.add(state.global_step, loss)
        if warning:
            self._progress.note(warning)
