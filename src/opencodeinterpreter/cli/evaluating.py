"""Runs evaluations as the command line asks."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import platformdirs

from opencodeinterpreter.cli.consoles import err_console, out_console
from opencodeinterpreter.cli.eval_progress import shown_run
from opencodeinterpreter.cli.progress import shown_progress
from opencodeinterpreter.cli.text import count, one_line, short_path
from opencodeinterpreter.config import Config, load_config, model_settings
from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.configuration import chosen, default_rounds, run_config
from opencodeinterpreter.evaluation.datasets import load_dataset
from opencodeinterpreter.evaluation.earlier_replies import keep_replies
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.identity import Identity, identify
from opencodeinterpreter.evaluation.problems import Dataset, Problem
from opencodeinterpreter.evaluation.protocols import Protocol, Settings, label, load_protocol
from opencodeinterpreter.evaluation.protocols.prompts import RefineName
from opencodeinterpreter.evaluation.run_folder import RunFolder, read_run
from opencodeinterpreter.evaluation.runner import Ended, Work, run_protocol
from opencodeinterpreter.evaluation.verdicts import Verdict
from opencodeinterpreter.models import ChatModel, Generation, load_model
from opencodeinterpreter.models.asking import Asker
from opencodeinterpreter.models.response_cache import ResponseCache

if TYPE_CHECKING:
    from rich.console import Console

_SIDE_BY_SIDE = 16
_GAIN_SIDE_BY_SIDE = ("openai:", "transformers:")
"""Models that answer several requests faster together than one after the other."""
_FAULTS_SHOWN = 10
_CHOICES = {
    "prompt": ("evalplus", "evalplus-chat", "qwen", "original"),
    "refine": get_args(RefineName),
    "gate": ("plus", "base"),
    "spend": ("all", "needed"),
}


@dataclass(frozen=True)
class Wanted:
    """What was typed; None stands for what was not."""

    benchmark: str
    protocol: str
    model: str | None
    out: Path | None
    data_version: str | None
    data_file: Path | None
    limit: int | None
    ids: str | None
    failures_of: Path | None
    rounds: int | None
    samples: int | None
    synthesizer: str | None
    prompt: str | None
    flattened: bool
    refine: str | None
    refine_temperature: float | None
    candidates: int
    again: int
    gate: str
    spend: str
    baseline: bool
    temperature: float
    top_p: float
    seed: int | None
    max_tokens: int
    context: str | None
    concurrency: int | None
    minutes: float | None
    responses: Path | None
    replies_of: tuple[Path, ...]
    workers: int | None
    as_json: bool


def run_evaluation(wanted: Wanted) -> int:
    """Run what was asked for; return the exit code: 1 if an honest run turns out to have leaked."""
    err = err_console()
    protocol = load_protocol(wanted.protocol)
    config = load_config({} if wanted.context is None else {"context": wanted.context})
    name = wanted.model or config.model
    settings, samples = _settings(wanted, protocol, served=name.startswith("openai:"))
    dataset = load_dataset(wanted.benchmark, wanted.data_version, wanted.data_file)
    problems = chosen(dataset, _ids(wanted), wanted.limit)
    if not problems:
        raise EvaluationError("no problem is left to run")
    with ExitStack() as stack:
        grader = stack.enter_context(Grader(dataset, wanted.workers))
        check_references(dataset, problems, wanted.workers, err)
        cache = stack.enter_context(ResponseCache(wanted.responses or _responses()))
        concurrency = wanted.concurrency or (_SIDE_BY_SIDE if name.startswith(_GAIN_SIDE_BY_SIDE) else 1)
        opened = _Opened(config, err, concurrency, stack)
        model, identity = opened.model(name)
        for earlier in wanted.replies_of:
            keep_replies(read_run(earlier), identity, cache)
        asker = Asker(model, identity.key, cache)
        helper, helper_identity = None, None
        if protocol.synthesizes:
            other, helper_identity = opened.model(wanted.synthesizer or "")
            helper = Asker(other, helper_identity.key, cache)
        row = run_config(
            dataset, protocol, settings, identity, synthesizer=helper_identity, samples=samples, command=_command(),
            context=None if config.context == Config().context else config.context,
        )  # fmt: skip
        path = wanted.out or Path("runs") / _folder_name(dataset, protocol, name, row.key)
        folder = stack.enter_context(RunFolder(path, row))
        for fault in folder.faults:
            err.print(f"Note: {fault}", soft_wrap=True)
        title = f"{dataset.name} {label(protocol.name, protocol.leakage, protocol.honest)}"
        err.print(f"{title}, {name} → {short_path(path)}", soft_wrap=True)
        work = Work(
            protocol, settings, problems, asker, grader, helper, samples, concurrency,
            None if wanted.minutes is None else 60 * wanted.minutes,
        )  # fmt: skip
        try:
            with shown_run(err, title) as progress:
                ended = run_protocol(work, folder, progress)
        except (SystemExit, KeyboardInterrupt):
            kept = count(len(folder.done), "answer")
            err.print(f"Stopped: {kept} kept in {short_path(path)}; the same command goes on", soft_wrap=True)
            raise
        _print_end(ended, folder, title, err, as_json=wanted.as_json)
    return 1 if ended.leaks else 0


def _settings(wanted: Wanted, protocol: Protocol, *, served: bool) -> tuple[Settings, int]:
    """Return the settings and how many independent answers are wanted.

    Not every server goes on from a reply that is begun for the model, so they are not asked to unless told.
    """
    for name, known in _CHOICES.items():
        value = getattr(wanted, name)
        if value is not None and value not in known:
            raise EvaluationError(f"--{name} must be {', '.join(known[:-1])} or {known[-1]}, not {value!r}")
    if protocol.synthesizes and not wanted.synthesizer:
        raise EvaluationError(f"the protocol {protocol.name} needs --synthesizer: the model that gives the feedback")
    selecting = "samples" in protocol.settings
    generation = Generation(wanted.max_tokens, 0.0 if selecting else wanted.temperature, wanted.top_p, wanted.seed)
    samples = 1 if selecting else wanted.samples or 1
    if samples > 1 and not wanted.temperature:
        raise EvaluationError("--samples above 1 needs a --temperature above 0: greedy answers are all the same")
    settings = Settings(
        generation=generation,
        prompt=wanted.prompt or ("evalplus-chat" if served else "evalplus"),  # type: ignore[arg-type]
        rounds=(wanted.rounds if "rounds" in protocol.settings else None) or default_rounds(protocol),
        flattened=wanted.flattened,
        refine=wanted.refine,  # type: ignore[arg-type]
        refine_temperature=wanted.refine_temperature,
        candidates=wanted.candidates,
        again=wanted.again,
        gate=wanted.gate,  # type: ignore[arg-type]
        spend=wanted.spend,  # type: ignore[arg-type]
        baseline=wanted.baseline,
    )
    if selecting:
        settings = replace(settings, samples=wanted.samples or settings.samples)
        if wanted.temperature:
            settings = replace(settings, sample_temperature=wanted.temperature)
    return settings, samples


def _ids(wanted: Wanted) -> list[str]:
    ids = [word.strip() for word in (wanted.ids or "").split(",") if word.strip()]
    if wanted.failures_of is None:
        return ids
    if ids:
        raise EvaluationError("--ids and --failures-of choose problems each in its own way; give one of them.")
    failed = [
        record.problem
        for record in read_run(wanted.failures_of).records
        if record.answer.grade is not None and record.answer.grade.plus.verdict not in (Verdict.PASS, Verdict.HARNESS)
    ]
    if not failed:
        raise EvaluationError(f"nothing has failed in {wanted.failures_of}")
    return failed


def check_references(dataset: Dataset, problems: Sequence[Problem], workers: int | None, err: Console) -> None:
    """Report reference solutions that do not pass here, before any score is; what passed once is remembered."""
    with err.status("checking the reference solutions"):
        faults = Grader(replace(dataset, problems=tuple(problems)), workers).check_references()
    if len({fault.problem_id for fault in faults}) == len(problems) > 1:
        raise EvaluationError(
            f"no reference solution passes here, so no score would mean anything; the first: {faults[0].text}"
        )
    for fault in faults[:_FAULTS_SHOWN]:
        err.print(f"Warning: {fault.text}", soft_wrap=True)
    if len(faults) > _FAULTS_SHOWN:
        err.print(f"Warning: and {len(faults) - _FAULTS_SHOWN} more", soft_wrap=True)


class _Opened:
    """Loads each model once."""

    def __init__(self, config: Config, err: Console, concurrency: int, stack: ExitStack) -> None:
        self._config, self._err, self._parallel, self._stack = config, err, concurrency, stack
        self._known: dict[str, tuple[ChatModel, Identity]] = {}

    def model(self, name: str) -> tuple[ChatModel, Identity]:
        """Return a model and what identifies it.

        Raises:
            ModelError: if it cannot be had.
        """
        if name not in self._known:
            settings = model_settings(self._config)
            with shown_progress(self._err, name) as progress:
                model = load_model(
                    name,
                    context_tokens=self._config.context,
                    threads=self._config.threads,
                    parallel=self._parallel,
                    settings=settings,
                    progress=progress,
                )
            self._stack.callback(model.close)
            self._known[name] = model, identify(name, model, settings)
        return self._known[name]


def _print_end(ended: Ended, folder: RunFolder, title: str, err: Console, *, as_json: bool) -> None:
    from opencodeinterpreter.evaluation.reporting.markdown import interval_text, warnings_of
    from opencodeinterpreter.evaluation.summary import summarize

    summary = summarize(read_run(folder.path))
    if as_json:
        from opencodeinterpreter.evaluation.reporting.json_form import report_json
        from opencodeinterpreter.evaluation.reporting.report import build_report

        row = report_json(build_report([read_run(folder.path)], published=False))
        print(json.dumps({**row, "leaks": [str(leak) for leak in ended.leaks], "left": ended.left}))  # noqa: T201
    else:
        out = out_console()
        for suite, rate in summary.rates.items():
            out.print(f"{title}: {suite} {interval_text(rate)} of {rate.total}", soft_wrap=True)
        for warning in warnings_of(summary):
            out.print(f"  {warning}", soft_wrap=True)
        out.print(f"ocint eval report {short_path(folder.path)} shows it all", soft_wrap=True)
    if ended.left:
        err.print(f"{count(ended.left, 'answer')} left; the same command goes on", soft_wrap=True)
    print_leaks(ended.leaks, err)


def print_leaks(leaks: Sequence[Any], err: Console) -> None:
    """Say what an honest run has leaked."""
    if leaks:
        err.print(f"LEAK: this run is not honest: {count(len(leaks), 'message')} held hidden content", style="bold red")
    for leak in leaks[:_FAULTS_SHOWN]:
        err.print(f"  {one_line(str(leak), 300)}", soft_wrap=True)


def _responses() -> Path:
    return platformdirs.user_cache_path("opencodeinterpreter") / "evaluation" / "responses.sqlite"


def _folder_name(dataset: Dataset, protocol: Protocol, model: str, key: str) -> str:
    named = Path(model).stem if model.endswith((".gguf", ".json")) else model
    named = re.sub(r"[^\w.+-]+", "-", named)
    return f"{dataset.name}-{dataset.version}-{protocol.name}-{named}-{key[:8]}"


def _command() -> str:
    import shlex

    return shlex.join(["ocint", *sys.argv[1:]])
