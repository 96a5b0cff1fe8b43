"""Does one job from beginning to end: what ``ocint run`` is made of."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.text import Text

from opencodeinterpreter.cli.approval import Approver, check_can_ask, decide_by_json
from opencodeinterpreter.cli.consoles import err_console, look, out_console, warn_unsandboxed
from opencodeinterpreter.cli.deliver import Delivery
from opencodeinterpreter.cli.inputs import check_files, read_task
from opencodeinterpreter.cli.output import Figures
from opencodeinterpreter.cli.render import JsonRenderer, Renderer, TextRenderer
from opencodeinterpreter.cli.turns import exit_code, show_turn
from opencodeinterpreter.cli.workbench import Workbench, workbench
from opencodeinterpreter.config import Config
from opencodeinterpreter.errors import MissingExtraError, ModelError, OcintError, SandboxError
from opencodeinterpreter.interpreter import Answer, Failure
from opencodeinterpreter.sandbox.base import Display, FileChange


def do_job(
    task: str, files: Sequence[Path], config: Config, *, json_lines: bool, quiet: bool, identity: str | None
) -> int:
    """Do a task and show it; return the exit code.

    Raises:
        OcintError: it could not be begun.
    """
    err = err_console()
    json_renderer = JsonRenderer(sys.stdout) if json_lines else None
    try:
        text = read_task(task, config.context)
        given = check_files(files, config.limits)
        if not json_lines:
            check_can_ask(config, "; use --json in scripts")
        warn_unsandboxed(config, err)
        with workbench(config, err, identity) as bench:
            return _turn(bench, text, given, json_renderer or text_renderer(bench, err, quiet), err)
    except OcintError as error:
        if json_renderer is not None:
            json_renderer.show(Failure(_kind(error), str(error)))
        raise


def _turn(bench: Workbench, task: str, files: list[Path], renderer: Renderer, err: Console) -> int:
    if isinstance(renderer, JsonRenderer):
        renderer.write(
            {
                "type": "session",
                "id": bench.session.id,
                "workspace": str(bench.session.workspace),
                "isolation": bench.config.backend,
            }
        )
    last = show_turn(
        bench.interpreter,
        lambda: bench.interpreter.stream(task, files),
        renderer,
        decide_by_json if isinstance(renderer, JsonRenderer) else Approver(err),
    )
    if isinstance(renderer, JsonRenderer) and isinstance(last, Answer) and bench.config.output is not None:
        _deliver_silently(bench, last, err)
    return exit_code(last)


def text_renderer(bench: Workbench, err: Console, quiet: bool = False) -> TextRenderer:
    """Return what shows the events of this session to a person."""
    out = out_console()
    figures = Figures(bench.session.folder / "figures")
    delivery = Delivery(bench.config.output, out)

    def deliver(answer: Answer) -> list[Text]:
        drawn, figures.paths = figures.paths, []
        return delivery(bench.interpreter.sandbox, changes_in(answer), drawn)

    return TextRenderer(
        out,
        err,
        figures=figures,
        look=look(bench.config, quiet),
        isolation=bench.config.backend,
        deliver=deliver,
    )


def changes_in(answer: Answer) -> list[FileChange]:
    """Return the files that were made or changed for an answer."""
    return [artifact for artifact in answer.artifacts if isinstance(artifact, FileChange)]


def _deliver_silently(bench: Workbench, answer: Answer, err: Console) -> None:
    """Copy the files where only JSON is printed."""
    figures = Figures(bench.session.folder / "figures")
    for artifact in answer.artifacts:
        if isinstance(artifact, Display):
            figures.keep(artifact)
    Delivery(bench.config.output, err)(bench.interpreter.sandbox, changes_in(answer), figures.paths)


def _kind(error: OcintError) -> Literal["model", "sandbox", "input"]:
    if isinstance(error, ModelError | MissingExtraError):
        return "model"
    return "sandbox" if isinstance(error, SandboxError) else "input"
