"""Do what a newcomer is told, from data to an answer of a model of one's own: ``python -m benchmarks.newcomer``.

The commands are those of the first section of docs/training.md, in their order, with the real models, in a folder of
their own. Each leaves something, which is checked; the last is asked a question. It ends with a table of what each step
took and left. Stopped, the same command goes on: steps that are done are not done again, and those that
were begun go on where they were.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.progress import tell
from opencodeinterpreter.codefeedback.presentation import statistics
from opencodeinterpreter.errors import InputError, OcintError

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "training.md"
METHODS = frozenset(statistics.METHODS) - {"session"}
"""The paper's five, as a row names the one that made it."""
HOUR = 3600.0
QUESTION = "Write a function that adds two numbers."


@dataclass(frozen=True)
class Done:
    """One step that was done."""

    command: str
    seconds: float
    """of wall time"""
    left: str
    """what it left, in words"""


@dataclass(frozen=True)
class Left:
    """What a command left."""

    folder: Path
    """in which it was run"""
    out: str
    """what it wrote to standard output"""
    err: str


Check = Callable[[Left], str]
"""Says in words what a command left; raises ``InputError`` where it is not what it should be."""


def commands(page: Path = PAGE) -> list[str]:
    """Return the ``ocint`` commands of the first block of a page, without their remarks."""
    block = re.search(r"^```bash\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = block[1].splitlines() if block else []
    return [shlex.join(shlex.split(line, comments=True)) for line in lines if line.startswith("ocint ")]


def check_data(left: Left) -> str:
    """Dialogs by all five methods."""
    found: dict[str, int] = {}
    for path in left.folder.glob("build/*/*.messages.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            method = str(json.loads(line).get("method"))
            found[method] = found.get(method, 0) + 1
    if missing := METHODS - found.keys():
        raise InputError(f"no dialog is by {', '.join(sorted(missing))}; there are {found}")
    return ", ".join(f"{count} {method}" for method, count in sorted(found.items()))


def check_preview(left: Left) -> str:
    """A dialog of which something counts."""
    counted = re.findall(r"⟦(.*?)⟧", left.out, re.DOTALL)
    if not counted:
        raise InputError(f"nothing counts in what is shown: {left.out[:200]!r}")
    return f"{len(counted)} stretches that count"


def check_dry_run(left: Left) -> str:
    """An estimate, and no model."""
    estimate = re.search(r"time, estimated: .*", left.out)
    if estimate is None or list(left.folder.glob("build/*/model")):
        raise InputError(f"a dry run must only estimate, and it said {left.out[:200]!r}")
    return estimate[0]


def check_run(left: Left) -> str:
    """An adapter, and a loss that has fallen."""
    loss = re.search(r"loss\s+([\d.]+)\s+→\s+([\d.]+)", left.err)
    if loss is None or not float(loss[2]) < float(loss[1]):
        raise InputError(f"the loss must fall: {left.err[-300:]!r}")
    if not list(left.folder.glob("build/*/model/adapter_model.safetensors")):
        raise InputError("there is no adapter")
    return f"loss {loss[1]} → {loss[2]}"


def check_export(left: Left) -> str:
    """A GGUF file that agrees with the model."""
    file = Path(left.out.strip()).expanduser()
    agreed = re.search(r"checked: .*", left.err)
    if agreed is None or not (left.folder / file).is_file():
        raise InputError(f"there is no file that was checked: {left.out!r} {left.err[-300:]!r}")
    return f"{file.name}, {(left.folder / file).stat().st_size / 1e6:.0f} MB"


def check_chat(left: Left) -> str:
    """A reply of the tuned model. It need not be a good one: the page says what is to be expected of it."""
    reply = left.out.strip()
    if not reply:
        raise InputError(f"the tuned model said nothing: {left.err[-300:]!r}")
    return repr(reply[:60])


CHECKS: dict[str, Check] = {
    "ocint data build": check_data,
    "ocint train preview": check_preview,
    "ocint train run --dry-run": check_dry_run,
    "ocint train run": check_run,
    "ocint export": check_export,
    "ocint chat": check_chat,
}


def check_of(command: str) -> Check:
    """Return what is to be looked at after a command; the page must hold no command that nothing is known of."""
    words = command.split()
    name = " ".join(words[:2] if words[1] in ("export", "chat") else words[:3])
    return CHECKS[name + (" --dry-run" if "--dry-run" in words else "")]


def do(command: str, folder: Path, seconds: float) -> tuple[Left, float]:
    """Run a command in the folder; return what it wrote and how long it took.

    Raises:
        InputError: if it failed, or took longer than ``seconds``.
    """
    words = [sys.executable, "-m", "opencodeinterpreter", *shlex.split(command)[1:]]
    environment = {**os.environ, "OCINT_SESSIONS_FOLDER": str(folder / "sessions"), "NO_COLOR": "1"}
    began = time.monotonic()
    try:
        ended = subprocess.run(
            words, cwd=folder, env=environment, input=f"{QUESTION}\n", capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{command} took longer than {seconds:.0f} s; the same command goes on") from error
    if ended.returncode:
        raise InputError(f"{command} failed ({ended.returncode}): {ended.stderr[-1000:]}")
    return Left(folder, ended.stdout, ended.stderr), time.monotonic() - began


def walk(steps: Sequence[str], folder: Path, seconds: float = HOUR) -> list[Done]:
    """Do the steps that are not done, and check each.

    Args:
        steps: command lines that begin with ``ocint``.
        folder: where they are done; holds ``done.jsonl`` with what is done.
        seconds: that one of them may take.

    Raises:
        InputError: if one fails, or does not leave what it should.
    """
    record = folder / "done.jsonl"
    done = [Done(**json.loads(line)) for line in record.read_text().splitlines()] if record.exists() else []
    for step in steps[len(done) :]:
        tell(step)
        left, took = do(step, folder, seconds)
        done.append(Done(step, took, check_of(step)(left)))
        tell(f"{took:.0f} s: {done[-1].left}")
        with record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(vars(done[-1])) + "\n")
    return done


def table(done: Sequence[Done]) -> str:
    """Return what was done as Markdown, with the sum of seconds."""
    lines = ["| step | seconds | what it left |", "|---|---:|---|"]
    lines += [f"| `{each.command}` | {each.seconds:.0f} | {each.left.replace('|', ' ')} |" for each in done]
    whole = sum(each.seconds for each in done)
    return "\n".join([*lines, f"| all | {whole:.0f} | {'within' if whole < HOUR else 'more than'} an hour |"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Do all of it; 1 if a step fails, or all of them take more than an hour."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.newcomer", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "output" / "newcomer", help="where it is done")
    folder = parser.parse_args(arguments).folder.absolute()
    if not (folder / "examples").exists():
        shutil.copytree(ROOT / "examples", folder / "examples")
    try:
        done = walk(commands(), folder)
    except OcintError as error:
        tell(str(error))
        return 1
    print(table(done))
    return int(sum(each.seconds for each in done) >= HOUR)


if __name__ == "__main__":
    sys.exit(main())
