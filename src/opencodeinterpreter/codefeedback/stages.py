"""All stages by their names, each made from plain settings: what recipes and commands have in common."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from opencodeinterpreter.codefeedback.pipeline.manifest import beside
from opencodeinterpreter.codefeedback.pipeline.stage import MapStage, TableStage
from opencodeinterpreter.codefeedback.settings import must_be_known, names_of, settings_from
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.models import ModelSettings

Stage: TypeAlias = MapStage | TableStage


@dataclass(frozen=True)
class Around:
    """What a stage is given by the machine that it runs on; it does not decide the result, but for the models."""

    model: str | None = None
    """plays every part that the settings name no model for"""
    models: ModelSettings | None = None
    """where models come from; None reads the environment"""
    responses: Path | None = None
    """the file of replies; None keeps them in memory"""
    embeddings: Path | None = None
    concurrency: int = 1
    context_tokens: int = 8192
    folder: Path = field(default_factory=Path)
    """names of files in settings are below it"""
    out: Path | None = None
    """where the rows will go; a report goes beside them"""


@dataclass(frozen=True)
class Kind:
    """A stage that can be made."""

    name: str
    about: str
    settings: tuple[str, ...]
    """what can be set"""
    make: Callable[[Mapping[str, Any], Sequence[Path], Around], Stage]
    """from settings whose names are known, and the input files"""
    parts: tuple[str, ...] = ()
    """that models play"""


def make_stage(name: str, given: Mapping[str, Any], inputs: Sequence[Path], around: Around) -> Stage:
    """Make a stage.

    Args:
        name: of the stage.
        given: its settings, as plain values; for each part that a model plays its name, or None for no model.
        inputs: the files that it will read.
        around: the rest of what it needs.

    Raises:
        ConfigError: for a stage or setting that is not known, or a value that cannot be.
    """
    kind = find_kind(name)
    must_be_known(given, kind.settings, f"the stage {name} has no setting")
    return kind.make(given, inputs, around)


def find_kind(name: str) -> Kind:
    """Return the stage of this name.

    Raises:
        ConfigError: if there is none; it names the nearest.
    """
    must_be_known([name], STAGES, "there is no stage")
    return STAGES[name]()


def _read() -> Kind:
    from opencodeinterpreter.codefeedback.sources import ReadSettings, SourceStage

    def make(given: Mapping[str, Any], inputs: Sequence[Path], around: Around) -> Stage:
        settings = settings_from(ReadSettings, given, "the stage read")
        joined = tuple(around.folder / path for path in settings.join)
        return SourceStage(replace(settings, join=joined), inputs)

    return Kind("read", "records of files become queries, problems and bugs", names_of(ReadSettings), make)


def _take() -> Kind:
    from opencodeinterpreter.codefeedback.choosing import Take, TakeSettings

    def make(given: Mapping[str, Any], _inputs: Sequence[Path], _around: Around) -> Stage:
        if "count" not in given:
            raise ConfigError("the stage take needs a count")
        return Take(settings_from(TakeSettings, given, "the stage take"))

    return Kind("take", "some of the rows", names_of(TakeSettings), make)


def _queries() -> Kind:
    from opencodeinterpreter.codefeedback.choosing import Queries

    def make(_given: Mapping[str, Any], _inputs: Sequence[Path], _around: Around) -> Stage:
        return Queries()

    return Kind("queries", "problems become queries with their first solution", (), make)


def _dedup() -> Kind:
    from opencodeinterpreter.codefeedback.similarity.deduplication import DeduplicationStage

    def make(given: Mapping[str, Any], _inputs: Sequence[Path], _around: Around) -> Stage:
        return DeduplicationStage(**given)

    return Kind("dedup", "rows whose text was there before are dropped", ("threshold", "compared"), make)


def _pack() -> Kind:
    from opencodeinterpreter.codefeedback.methods.packing import PackingSettings, PackingStage

    def make(given: Mapping[str, Any], _inputs: Sequence[Path], around: Around) -> Stage:
        return PackingStage(settings_from(PackingSettings, given, "the stage pack"), around.embeddings)

    return Kind("pack", "single-turn packing of similar queries", names_of(PackingSettings), make)


def _modelled(
    name: str, about: str, module: str, options: str, parts: tuple[str, ...], silent: tuple[str, ...]
) -> Kind:
    """Return the kind of a stage that asks models: options, parts, generation and execution in one mapping.

    Args:
        name: of the stage.
        about: one line.
        module: of the methods, that has its ``stage`` and its options.
        options: the name of the options' class.
        parts: that a model must play.
        silent: parts that need not be played.
    """
    from opencodeinterpreter.codefeedback.asking.model_stage import Means
    from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings
    from opencodeinterpreter.models import Generation

    found = importlib.import_module(f"opencodeinterpreter.codefeedback.methods.{module}")
    kind: type[Any] = getattr(found, options)
    own, limits = names_of(kind), names_of(ExecutionSettings)
    generation = ("max_tokens", "temperature", "top_p")

    def make(given: Mapping[str, Any], _inputs: Sequence[Path], around: Around) -> Stage:
        what = f"the stage {name}"
        drawn = settings_from(Generation, _chosen(given, generation), what)
        means = Means(
            players={part: each for part in (*parts, *silent) if (each := _player(part, given, around))},
            responses=around.responses,
            seed=settings_from(_Seed, _chosen(given, ("seed",)), what).seed,
            generation=drawn,
            execution=settings_from(ExecutionSettings, _chosen(given, limits), what),
        )
        made: Stage = found.stage(means, settings_from(kind, _chosen(given, own), what))
        return made

    return Kind(name, about, (*own, *parts, *silent, "seed", *generation, *limits), make, (*parts, *silent))


@dataclass(frozen=True)
class _Seed:
    seed: int = 0


def _chosen(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def _player(part: str, given: Mapping[str, Any], around: Around) -> Any:
    from opencodeinterpreter.codefeedback.asking.parts import player

    name = given.get(part, around.model)
    if name is None:
        return None
    if not isinstance(name, str):
        raise ConfigError(f"the part {part} must be the name of a model, not {name!r}")
    return player(name, around.models, parallel=around.concurrency, context_tokens=around.context_tokens)


def _filter() -> Kind:
    about = "a judge scores queries by the paper's two rubrics"
    return _modelled("filter", about, "judging", "JudgingOptions", ("judge",), ())


def _simulate() -> Kind:
    about = "interaction simulation with executions and simulated users"
    return _modelled("simulate", about, "simulation", "SimulationOptions", ("weak", "strong", "user"), ())


def _correct() -> Kind:
    about = "errors are planted, seen to fail, and mended"
    return _modelled("correct", about, "correction", "CorrectionOptions", ("mender",), ("planter",))


def _similar() -> Kind:
    return _modelled("similar", "dialogs of similar problems", "similar_problems", "SimilarOptions", (), ("linker",))


def _followup() -> Kind:
    return _modelled(
        "followup", "dialogs of one problem solved anew", "follow_ups", "FollowUpOptions", (), ("narrator",)
    )


def _executing(name: str, about: str, module: str, settings: str | None) -> Kind:
    """Return the kind of a stage that executes: its own settings and the limits of execution in one mapping."""
    from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings

    found = importlib.import_module(f"opencodeinterpreter.codefeedback.{module}")
    kind: type[Any] | None = getattr(found, settings) if settings else None
    own, limits = names_of(kind) if kind else (), names_of(ExecutionSettings)

    def make(given: Mapping[str, Any], _inputs: Sequence[Path], _around: Around) -> Stage:
        what = f"the stage {name}"
        execution = settings_from(ExecutionSettings, _chosen(given, limits), what)
        chosen: Any = execution
        if kind is not None:
            chosen = replace(settings_from(kind, _chosen(given, own), what), execution=execution)
        made: Stage = found.stage(chosen)
        return made

    return Kind(name, about, (*own, *limits), make)


def _check() -> Kind:
    return _executing("check", "solutions of problems are run with their tests", "methods.checked_solutions", None)


def _verify() -> Kind:
    return _executing("verify", "every dialog is verified", "verification.verifying", "VerificationSettings")


def _decontaminate() -> Kind:
    from opencodeinterpreter.codefeedback.decontamination import DecontaminationSettings, DecontaminationStage

    def make(given: Mapping[str, Any], _inputs: Sequence[Path], around: Around) -> Stage:
        settings = settings_from(DecontaminationSettings, given, "the stage decontaminate")
        report = None if around.out is None else beside(around.out, ".report")
        return DecontaminationStage(settings, report, around.embeddings)

    about = "rows that are problems of a benchmark are dropped, with a report"
    return Kind("decontaminate", about, names_of(DecontaminationSettings), make)


STAGES: Final[Mapping[str, Callable[[], Kind]]] = {
    "read": _read,
    "take": _take,
    "queries": _queries,
    "dedup": _dedup,
    "filter": _filter,
    "check": _check,
    "pack": _pack,
    "simulate": _simulate,
    "correct": _correct,
    "similar": _similar,
    "followup": _followup,
    "verify": _verify,
    "decontaminate": _decontaminate,
}
"""Each imports what it needs only when it is asked for."""
