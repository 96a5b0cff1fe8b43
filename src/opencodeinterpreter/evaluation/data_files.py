"""The files of the benchmarks: which are known, and how one gets onto this machine whole."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import tempfile
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import platformdirs

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.problems import Family
from opencodeinterpreter.models.settings import Sources, sources_from_environment
from opencodeinterpreter.models.source_errors import SourceError, host_of
from opencodeinterpreter.models.transfer import fetch, open_client, within

RELEASES: Final = "https://github.com/evalplus"
OVERRIDES: Final[Mapping[Family, str]] = {"humaneval": "HUMANEVAL_OVERRIDE_PATH", "mbpp": "MBPP_OVERRIDE_PATH"}
"""The variables by which EvalPlus, too, is given another file."""
DOWNLOAD_SECONDS: Final = 300.0
"""How long a download of about one megabyte may take in all."""


@dataclass(frozen=True)
class DataFile:
    """A published file, by what its bytes hash to."""

    family: Family
    version: str
    stem: str
    """its name without ``.jsonl.gz``"""
    size: int
    """bytes, compressed"""
    sha256: str
    """of the compressed file"""
    content_sha256: str
    """of the decompressed file, as EvalPlus caches it"""

    @property
    def title(self) -> str:
        return f"{'HumanEval+' if self.family == 'humaneval' else 'MBPP+'} {self.version}"

    @property
    def cached_name(self) -> str:
        return f"{self.stem}-{self.version}.jsonl.gz"

    @property
    def address(self) -> str:
        """Where it is below the address of the releases."""
        return f"{self.stem.lower()}_release/releases/download/{self.version}/{self.stem}.jsonl.gz"


KNOWN: Final = (
    DataFile("humaneval", "v0.1.9", "HumanEvalPlus", 936_542,
             "e62f4130146963d969da64553f407a66e52d095adbfed4ee6733b4d59e14a3ed",
             "50d50fda1ecf4c9168d762456ae29c1d8b8b922e68c66964f7891c98d93a04b7"),
    DataFile("humaneval", "v0.1.10", "HumanEvalPlus", 925_932,
             "272720b90ac375502c8ed23cd791c2a93dfb22a911641a494da74a426c09f101",
             "42526ec0e7d5f3ee0b06d6ced98f8c8bae3d76519151bfb3d36f79010645bd7f"),
    DataFile("mbpp", "v0.1.0", "MbppPlus", 357_603,
             "57d639e77667d88930052b2b07212011c25c0bab94dfc1f19d15e1f7f558bfa9",
             "a855b9de667baea8e2f8aa61f898767a7336872208a85222b35622545e819fe9"),
    DataFile("mbpp", "v0.2.0", "MbppPlus", 336_032,
             "af43697e8791c4c149bdfd6b489d8b5412507551ac20e28a439f650b8225db63",
             "b54e762755248ca411b523c917fa9f93c07b5ff2966bf60b3917b853926a3dad"),
)  # fmt: skip


@dataclass(frozen=True)
class BenchmarkFiles:
    """Where the files of benchmarks come from."""

    folder: Path
    """The cache."""
    overrides: Mapping[Family, Path] = field(default_factory=dict)
    """Files that stand in for the published ones, whatever they hold."""
    releases: str | None = RELEASES
    """Where the published files are; None: nothing is downloaded."""
    sources: Sources = field(default_factory=Sources)
    """The certificates and the patience of downloads."""


def benchmark_files(environ: Mapping[str, str]) -> BenchmarkFiles:
    """Read where benchmarks come from: the cache, and the variables by which EvalPlus is given another file."""
    overrides = {family: Path(environ[name]).expanduser() for family, name in OVERRIDES.items() if environ.get(name)}
    folder = platformdirs.user_cache_path("opencodeinterpreter") / "benchmarks"
    return BenchmarkFiles(folder, overrides, sources=sources_from_environment(environ))


@dataclass(frozen=True)
class Content:
    """What a file of a benchmark holds."""

    path: Path
    sha256: str
    """of the published, compressed file where this is one, else of the file's own bytes"""
    published: DataFile | None
    lines: tuple[str, ...] = field(repr=False)


def read(path: Path) -> Content:
    """Return what a file holds, compressed or not, and which published file it is, if it is one.

    Raises:
        EvaluationError: if it cannot be read, is cut, or is not text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    sha256 = hashlib.sha256(data).hexdigest()
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise EvaluationError(f"{path} is cut or damaged: it cannot be decompressed.") from error
    content_sha256 = hashlib.sha256(data).hexdigest()
    published = next((known for known in KNOWN if known.content_sha256 == content_sha256), None)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{path} is not a file of problems: it is not text (byte {error.start}).") from error
    # Not splitlines: a text may hold separators that end no line of JSONL.
    return Content(path, published.sha256 if published else sha256, published, tuple(text.split("\n")))


def ensure(wanted: DataFile, files: BenchmarkFiles) -> Path:
    """Return the path of a published file in the cache, downloading it if it is not there or damaged.

    Raises:
        EvaluationError: if it cannot be had, or what came is another file.
    """
    path = files.folder / wanted.cached_name
    if cached(wanted, files):
        return path
    if files.releases is None:
        raise EvaluationError(f"{wanted.title} is not in {files.folder}; {_way_out(wanted)}.")
    try:
        files.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=files.folder, prefix=".download-") as scratch:
            part = Path(scratch) / wanted.cached_name
            _download(wanted, files.releases, part, files.sources)
            _must_be(wanted, part, files.releases)
            # In one step: another program never sees half a file.
            part.replace(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise EvaluationError(f"{wanted.title} cannot be kept in {files.folder}: {reason}.") from error
    return path


def cached(wanted: DataFile, files: BenchmarkFiles) -> bool:
    """Return whether a published file lies whole in the cache."""
    with contextlib.suppress(OSError):
        return hashlib.sha256((files.folder / wanted.cached_name).read_bytes()).hexdigest() == wanted.sha256
    return False


def _download(wanted: DataFile, releases: str, part: Path, sources: Sources) -> None:
    url = f"{releases}/{wanted.address}"
    stop = threading.Event()

    def transfer() -> bool:
        with open_client(sources) as client:
            fetch(client, url, part, size=wanted.size, told=lambda _: None, stop=stop)
        return True

    try:
        within(DOWNLOAD_SECONDS, transfer, host_of(url))
    except SourceError as error:
        raise EvaluationError(f"{wanted.title} cannot be downloaded: {error}; {_way_out(wanted)}.") from error
    finally:
        stop.set()


def _must_be(wanted: DataFile, part: Path, releases: str) -> None:
    found = hashlib.sha256(part.read_bytes()).hexdigest()
    if found != wanted.sha256:
        raise EvaluationError(
            f"{host_of(releases)} sent another file than the published {wanted.title} "
            f"(SHA-256 {found[:12]}…, not {wanted.sha256[:12]}…); {_way_out(wanted)}."
        )


def _way_out(wanted: DataFile) -> str:
    return f"try again, or name a copy of {wanted.stem}.jsonl.gz in {OVERRIDES[wanted.family]}"
