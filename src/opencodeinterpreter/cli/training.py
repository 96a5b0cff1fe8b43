"""What ``ocint train`` does and prints."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.text import Text

from opencodeinterpreter.cli.consoles import err_console, out_console
from opencodeinterpreter.cli.progress import shown_progress
from opencodeinterpreter.cli.text import count, one_line, seconds, short_path, size, visible
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.training.recipe import read_recipe

if TYPE_CHECKING:
    from rich.console import Console

    from opencodeinterpreter.training.estimate import Estimate
    from opencodeinterpreter.training.preparing import Prepared
    from opencodeinterpreter.training.watching import Step

_LINE_SECONDS = 15.0
"""Between two lines where there is no terminal."""
_COUNTS, _SHOWN = "bold green", "dim"


def run_training(path: Path, changes: dict[str, Any], *, dry_run: bool, restart: bool, as_json: bool) -> None:
    """Train by a recipe, or only say what that would take."""
    err, out = err_console(), out_console()
    # Of several processes that train together one speaks.
    err.quiet = out.quiet = os.environ.get("RANK", "0") != "0"
    prepared = _prepared(path, changes, err)
    from opencodeinterpreter.training.checking import check, estimated
    from opencodeinterpreter.training.running import train

    found = estimated(prepared)
    _print_data(prepared, err)
    _print_estimate(prepared, found, out if dry_run and not as_json else err)
    check(prepared, found)
    if dry_run:
        if as_json:
            out.print_json(json.dumps({**vars(found), "total": found.total}))
        return
    output = Path(prepared.recipe.output).expanduser()
    err.print(f"{prepared.base.name} → {short_path(output)}", soft_wrap=True)
    with shown_steps(err) as progress:
        try:
            finished = train(prepared, progress, restart=restart)
        except (SystemExit, KeyboardInterrupt):
            err.print(f"Stopped: the last checkpoint is kept in {short_path(output)}; the same command goes on")
            raise
    if as_json:
        row = {**vars(finished), "model": str(finished.model)}
        out.print_json(json.dumps(row))
        return
    first, last = (finished.losses[0][1], finished.losses[-1][1]) if finished.losses else (0.0, 0.0)
    err.print(
        f"{count(finished.steps, 'step')}, loss {first:.3f} → {last:.3f}; curve: {short_path(output / 'loss.svg')}"
    )
    out.print(short_path(finished.model), soft_wrap=True)
    err.print(f"Next: ocint export {short_path(output)}", soft_wrap=True)


def preview(path: Path, changes: dict[str, Any], number: int, how_many: int) -> None:
    """Show samples with what counts in colour, in brackets where there are no colours."""
    err, out = err_console(), out_console()
    prepared = _prepared(path, {**changes, "output": None}, err)
    samples = prepared.train.samples
    if number > len(samples):
        raise InputError(f"there is no dialog {number}: {count(len(samples), 'dialog')} can be trained on")
    for sample in samples[number - 1 : number - 1 + how_many]:
        out.print(Text(f"dialog {sample.name}: {len(sample.ids)} tokens, {sample.targets} count", "bold"))
        out.print(coloured(sample, prepared.tokenizer, brackets=not out.is_terminal), soft_wrap=True)
        out.print()
    _print_data(prepared, err)
    err.print(
        Text.assemble(
            "Counts for the loss: ", ("like this" if out.is_terminal else "⟦like this⟧", _COUNTS),
            f"; template {prepared.chat.name}, a turn ends with {prepared.chat.end}",
        ),
        soft_wrap=True,
    )  # fmt: skip


def coloured(sample: Any, tokenizer: Any, *, brackets: bool) -> Text:
    """Return a sample's text, with what counts marked."""
    text = Text()
    start = 0
    for end in range(1, len(sample.ids) + 1):
        if end < len(sample.ids) and (sample.labels[end] < 0) == (sample.labels[start] < 0):
            continue
        piece = visible(tokenizer.decode(sample.ids[start:end], skip_special_tokens=False))
        counts = sample.labels[start] >= 0
        text.append(f"⟦{piece}⟧" if counts and brackets else piece, _COUNTS if counts else _SHOWN)
        start = end
    return text


def _prepared(path: Path, changes: dict[str, Any], err: Console) -> Prepared:
    recipe = read_recipe(path, **changes)
    from opencodeinterpreter.training.preparing import prepare

    with shown_progress(err, recipe.model) as told:
        return prepare(recipe, told)


def _print_data(prepared: Prepared, err: Console) -> None:
    train, held_out = prepared.train, prepared.held_out
    said = [
        f"{count(len(train.samples), 'dialog')} to train on ({train.tokens:,} tokens, {train.targets:,} count)",
        f"{len(held_out.samples):,} held out",
    ]
    if train.shortened:
        said.append(f"{train.shortened:,} shortened by whole messages")
    for reason, dropped in (train.dropped + held_out.dropped).most_common():
        said.append(f"{dropped:,} left out: {reason}")
    err.print(one_line("; ".join(said), 600), soft_wrap=True)


def _print_estimate(prepared: Prepared, found: Estimate, console: Console) -> None:
    share = f"{found.trained:,} of {found.parameters:,} weights are trained"
    parts = {
        "weights": found.weights, "gradients": found.gradients, "optimiser": found.optimiser,
        "activations": found.activations,
    }  # fmt: skip
    memory = ", ".join(f"{name} {size(amount)}" for name, amount in parts.items())
    console.print(f"{prepared.recipe.method}: {share}", soft_wrap=True)
    console.print(f"memory, estimated: {size(found.total)} ({memory}); free: {size(found.free)}", soft_wrap=True)
    console.print(
        f"time, estimated: {seconds(found.seconds)} for {count(found.steps, 'step')}, {found.tokens:,} tokens",
        soft_wrap=True,
    )


class _Lines:
    """A line now and then."""

    def __init__(self, console: Console) -> None:
        self._console, self._said = console, 0.0

    def step(self, step: Step) -> None:
        if time.monotonic() - self._said >= _LINE_SECONDS or step.step == step.steps:
            self._said = time.monotonic()
            self._console.print(f"step {step.step} of {step.steps}: {_figures(step)}", soft_wrap=True)

    def evaluated(self, step: int, loss: float) -> None:
        self._console.print(f"step {step}: held-out loss {loss:.4f}", soft_wrap=True)

    def note(self, text: str) -> None:
        self._console.print(f"Note: {text}", soft_wrap=True)


class _Bar(_Lines):
    def __init__(self, console: Console, bars: Any, task: Any) -> None:
        super().__init__(console)
        self._bars, self._task = bars, task

    def step(self, step: Step) -> None:
        self._bars.update(self._task, total=step.steps, completed=step.step, figures=escape(_figures(step)))


def _figures(step: Step) -> str:
    return (
        f"loss {step.loss:.4f} · rate {step.rate:.2g} · {step.tokens_per_second:,.0f} tokens/s · "
        f"{seconds(step.left_seconds)} left"
    )


@contextmanager
def shown_steps(console: Console) -> Iterator[_Lines]:
    """Yield what is to be told of the progress of a run."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bars = Progress(
        TextColumn("training"), BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("{task.fields[figures]}"),
        console=console,
    )  # fmt: skip
    with bars:
        yield _Bar(console, bars, bars.add_task("training", total=None, figures=""))
