"""What a run is: the model, the data, the protocol and its settings, as the record of it says."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from typing import Any

from opencodeinterpreter import __version__
from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.identity import Identity
from opencodeinterpreter.evaluation.problems import Dataset, Problem
from opencodeinterpreter.evaluation.protocols.base import Protocol, Settings, refine_name
from opencodeinterpreter.evaluation.protocols.prompts import PROMPTS_VERSION
from opencodeinterpreter.evaluation.records import ENDPOINTS, RunConfig

_ENGINES = ("xllamacpp", "openai", "transformers", "torch")


def default_rounds(protocol: Protocol) -> int:
    """Return how many rounds a protocol makes unless told otherwise: the published ones refine once."""
    if "rounds" not in protocol.settings:
        return 1
    return 3 if "samples" in protocol.settings else 2


def run_config(
    dataset: Dataset,
    protocol: Protocol,
    settings: Settings,
    model: Identity,
    *,
    synthesizer: Identity | None = None,
    samples: int = 1,
    command: str = "",
    context: int | None = None,
) -> RunConfig:
    """Return the configuration that decides where a run's records may go.

    Args:
        dataset: that is run.
        protocol: what the model is told.
        settings: of the protocol.
        model: what identifies the model.
        synthesizer: likewise, where the protocol has one.
        samples: independent answers a problem.
        command: what was typed.
        context: tokens that the model reads at most, if they are not as many as usual.
    """
    generation = settings.generation
    heeded: dict[str, Any] = {name: getattr(settings, name) for name in sorted(protocol.settings) if name != "rounds"}
    if "refine" in heeded:
        heeded["refine"] = refine_name(protocol, settings)
    # Named only where they are: runs of models in files, of the usual length, stay what they were.
    served = zip(ENDPOINTS, (model.endpoint, synthesizer.endpoint if synthesizer else ""), strict=True)
    heeded |= {name: address for name, address in served if address}
    heeded |= {} if context is None else {"context": context}
    return RunConfig(
        benchmark=dataset.name,
        dataset_version=dataset.version,
        dataset_sha256=dataset.sha256,
        protocol=protocol.name,
        leakage=protocol.leakage,
        honest=protocol.honest,
        model=model.name,
        model_sha256=model.sha256,
        synthesizer=synthesizer.name if synthesizer else "",
        synthesizer_sha256=synthesizer.sha256 if synthesizer else "",
        temperature=generation.temperature,
        top_p=generation.top_p,
        max_tokens=generation.max_tokens,
        seed=generation.seed,
        rounds=settings.rounds,
        samples=samples,
        prompts=PROMPTS_VERSION,
        settings=heeded,
        package_version=__version__,
        problem_count=len(dataset.problems),
        machine=machine(),
        command=command,
        started=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    )


def machine() -> dict[str, Any]:
    """Return what is worth knowing about where a run was made."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
    }
    for engine in _ENGINES:
        try:
            found[engine] = importlib.metadata.version(engine)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def chosen(dataset: Dataset, ids: Sequence[str] = (), limit: int | None = None) -> tuple[Problem, ...]:
    """Return the problems of a run, in the order of the data set.

    Args:
        dataset: to choose from.
        ids: problems by their names, such as ``HumanEval/7``, or by the numbers in them, ``7``, and ranges of these,
            ``0-40``; none chooses all.
        limit: of these no more than the first so many.

    Raises:
        EvaluationError: naming an id that the data set does not have.
    """
    if not ids:
        return dataset.problems[:limit]
    names = [problem.id for problem in dataset.problems]
    wanted: set[str] = set()
    for word in ids:
        found = {name for name in names if name.lower() == word.lower()} or _in_range(names, word)
        if not found:
            raise EvaluationError(f"{dataset.name} {dataset.version} has no problem {word}")
        wanted |= found
    return tuple(problem for problem in dataset.problems if problem.id in wanted)[:limit]


def _in_range(names: Sequence[str], word: str) -> set[str]:
    """Return the problems whose number is that of a word such as ``7``, ``HumanEval/7`` or ``0-40``, or lies in it."""
    family, slash, numbers = word.rpartition("/")
    low, dash, high = numbers.partition("-")
    try:
        first, last = int(low), int(high if dash else low)
    except ValueError:
        raise EvaluationError(f"{word!r} names no problem: say 7, HumanEval/7 or 0-40") from None
    found = set()
    for name in names:
        begin, _, number = name.rpartition("/")
        # Problems of one's own may have names without numbers.
        if number.isdecimal() and first <= int(number) <= last and (not slash or begin.lower() == family.lower()):
            found.add(name)
    return found
