"""EvalPlus 0.3.1 in a virtual environment of its own: its grader and its sanitizer, as they were published.

EvalPlus runs programs without isolation. Here it runs as a whole in a jail without a network, in which everything but
its own folder can only be read.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencodeinterpreter.evaluation.data_files import OVERRIDES
from opencodeinterpreter.evaluation.problems import Family
from opencodeinterpreter.sandbox.bubblewrap import candidates

VERSION = "0.3.1"
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "output" / f"evalplus-{VERSION}"
LOST = "lost"
"""The verdict on a program with which EvalPlus ended without a result."""
_REQUIREMENTS = Path(__file__).with_name("evalplus.txt")
_LOOKS = 0.1
"""Seconds between two looks for the result."""
_LONGEST = 600.0
"""Seconds for one evaluation, beside those for its programs."""
_LONGEST_PROGRAM = 130.0
"""Seconds after which EvalPlus gives up a program: a minute and a little for each suite."""
_BROKEN = b"BrokenProcessPool"
"""What EvalPlus writes when a program has ended one of its processes; it then waits for ever."""
_CHECK = (
    "import evalplus.evaluate, evalplus.sanitize, fire; from importlib.metadata import version; "
    "print(version('evalplus'))"
)
_SANITIZE = """
import json, sys
from evalplus.sanitize import sanitize
for line in sys.stdin:
    reply, entry_point = json.loads(line)
    try:
        code = sanitize(reply, entry_point)
    except Exception as error:
        code = None
    print(json.dumps(code), flush=True)
"""


class EvalPlusMissingError(Exception):
    """EvalPlus cannot be had here; the message is one sentence."""


class EvalPlusFailedError(Exception):
    """EvalPlus ended without a result; the message says how."""


@dataclass(frozen=True)
class Theirs:
    """EvalPlus's verdicts on one program: ``pass``, ``fail``, ``timeout``, or ``lost``."""

    base: str
    plus: str
    """Of the plus inputs alone; it counts only where ``base`` passes."""

    @property
    def passes(self) -> tuple[bool, bool]:
        """Base, and base with plus, as EvalPlus counts them."""
        return self.base == "pass", self.base == self.plus == "pass"


@dataclass(frozen=True)
class Evaluation:
    """What one run of ``evalplus.evaluate`` gave."""

    verdicts: tuple[Theirs, ...]
    """In the order of the samples."""
    seconds: float
    """From its start to the whole result."""
    to_end: float | None
    """From its start to its end, where that was waited for: up to 20 s later, for a thread of its own that sleeps."""


class EvalPlus:
    """EvalPlus as it is installed in a virtual environment.

    Args:
        folder: of the environment.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._jails = candidates()

    def evaluate(
        self,
        family: Family,
        data: Path,
        samples: Sequence[tuple[str, str]],
        scratch: Path,
        parallel: int,
        *,
        to_end: bool = False,
    ) -> Evaluation:
        """Grade programs from cold: the outputs of the references are computed anew.

        Args:
            family: of the problems.
            data: the file of the problems, each of which must have a sample.
            samples: problem and program.
            scratch: an empty folder.
            parallel: how many programs run at a time.
            to_end: wait for its end instead of ending it when the result is whole.

        Raises:
            EvalPlusFailedError: if it gave no result.
        """
        path = scratch / "samples.jsonl"
        lines = (json.dumps({"task_id": problem, "solution": code}) + "\n" for problem, code in samples)
        path.write_text("".join(lines), encoding="ascii")
        result = scratch / "samples_eval_results.json"
        command = [self._program("evalplus.evaluate"), "--dataset", family, "--samples", str(path)]
        command += ["--parallel", str(parallel)]
        began = time.time()
        longest = _LONGEST + _LONGEST_PROGRAM * len(samples)
        settings = {OVERRIDES[family]: str(data.absolute())}
        document = self._until(result, command, settings, scratch, longest, to_end)
        whole = time.time() - began if to_end else None
        # By the clock of the files: the program is, or was, still there.
        seconds = result.stat().st_mtime - began
        return Evaluation(_in_order(document, [problem for problem, _ in samples]), seconds, whole)

    def sanitize(self, replies: Sequence[tuple[str, str]], scratch: Path) -> Iterator[str | None]:
        """Yield what EvalPlus extracts from each reply for an entry point; None where it raises an exception."""
        asked = scratch / "replies.jsonl"
        asked.write_text("".join(json.dumps(reply) + "\n" for reply in replies), encoding="ascii")
        command = self._jailed([self._program("python"), "-c", _SANITIZE], scratch)
        with (
            asked.open(encoding="ascii") as given,
            subprocess.Popen(
                command, stdin=given, stdout=subprocess.PIPE, env=self._environment({}, scratch), text=True
            ) as process,
        ):
            assert process.stdout is not None
            yield from map(json.loads, process.stdout)
        if process.returncode:
            raise EvalPlusFailedError(f"EvalPlus's sanitizer ended with status {process.returncode}")

    def _until(
        self, result: Path, command: list[str], settings: dict[str, str], scratch: Path, longest: float, to_end: bool
    ) -> Any:
        """Run a command until its result is whole, or to its end, and return the result."""
        log = scratch / "output.txt"
        deadline = time.monotonic() + longest
        with (
            log.open("wb") as output,
            subprocess.Popen(
                self._jailed(command, scratch),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(settings, scratch),
            ) as process,
        ):
            try:
                while time.monotonic() < deadline:
                    ended = process.poll() is not None
                    if ended or not to_end:
                        with contextlib.suppress(OSError, ValueError):  # not there yet, or half written
                            return json.loads(result.read_bytes())
                    if ended or _BROKEN in log.read_bytes():
                        break
                    time.sleep(_LOOKS)
            finally:
                process.kill()  # with its jail everything in it ends
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise EvalPlusFailedError(f"EvalPlus gave no result: {last[0][:200]}")

    def _program(self, name: str) -> str:
        return str(self._folder / "bin" / name)

    def _environment(self, settings: dict[str, str], scratch: Path) -> dict[str, str]:
        home = str(scratch.absolute())
        return {"PATH": os.defpath, "HOME": home, "XDG_CACHE_HOME": f"{home}/cache", "LANG": "C.UTF-8", **settings}

    def _jailed(self, command: list[str], scratch: Path) -> list[str]:
        if not self._jails:
            raise EvalPlusFailedError("there is no bwrap to keep EvalPlus in")
        here, folder = str(scratch.absolute()), str(self._folder)
        # Its own temporary folder first: what is shown may lie below it.
        options = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
        options += ["--ro-bind", folder, folder, "--bind", here, here, "--chdir", here]
        options += ["--unshare-net", "--unshare-pid", "--die-with-parent", "--"]
        return [str(self._jails[0]), *options, *command]


def ensure(progress: Callable[[str], None], folder: Path | None = None) -> EvalPlus:
    """Return EvalPlus, installing it from the package index where it is not there.

    Args:
        progress: is told what takes long.
        folder: of an environment that has it; by default one that is made below ``output/``.

    Raises:
        EvalPlusMissingError: if it cannot be had.
    """
    place = folder or FOLDER
    if _is_there(place):
        return EvalPlus(place)
    if folder is not None:
        raise EvalPlusMissingError(f"There is no working EvalPlus {VERSION} in {folder}.")
    progress(f"installing EvalPlus {VERSION} into {place.relative_to(ROOT)} (once, a minute or two)")
    install = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", str(place)],
        [*install, "--requirement", str(_REQUIREMENTS)],
        [*install, "--no-deps", f"evalplus=={VERSION}"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = [line for line in (done.stderr or done.stdout).splitlines() if line.startswith("ERROR")]
            why = lines[0].removeprefix("ERROR: ")[:200] if lines else f"status {done.returncode}"
            raise EvalPlusMissingError(f"EvalPlus {VERSION} cannot be installed: {why}")
    if not _is_there(place):
        raise EvalPlusMissingError(f"EvalPlus {VERSION} was installed into {place}, and does not start.")
    return EvalPlus(place)


def _is_there(folder: Path) -> bool:
    try:
        done = subprocess.run(
            [str(folder / "bin" / "python"), "-c", _CHECK], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return done.stdout.strip() == VERSION


def _in_order(document: Any, problems: Sequence[str]) -> tuple[Theirs, ...]:
    """Return the verdicts of each sample; a problem's results stand in the order of its samples."""
    results = {problem: iter(found) for problem, found in document["eval"].items()}
    found = [next(results[problem]) for problem in problems]
    return tuple(Theirs(one["base_status"], one["plus_status"]) for one in found)
