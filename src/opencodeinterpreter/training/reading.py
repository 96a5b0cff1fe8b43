"""Reading dialogs to train on: JSON Lines and Parquet files of ours and of others, and data sets of the hub."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.errors import DownloadError, InputError, MissingExtraError, OcintError
from opencodeinterpreter.sandbox.failure_texts import EXECUTION
from opencodeinterpreter.training.recipe import Recipe

_SUFFIXES: Final = (".jsonl", ".ndjson", ".parquet", ".gz")
_MARKS: Final = ("kind", "passed", "train", "language")
_PAIRS: Final = (("instruction", "output"), ("instruction", "response"), ("query", "answer"), ("prompt", "completion"))
"""What single-turn data sets call the question and the answer."""
_SPEAKERS: Final = {"human": "user", "gpt": "assistant", "system": "system", "user": "user", "assistant": "assistant"}


@dataclass(frozen=True)
class Source:
    """One file, or one data set of the hub, that was read."""

    name: str
    sha256: str
    """of the file's bytes; of a data set of the hub, its fingerprint"""
    dialogs: int


@dataclass(frozen=True)
class Corpus:
    """The dialogs of a run."""

    train: tuple[Dialog, ...]
    held_out: tuple[Dialog, ...]
    sources: tuple[Source, ...]
    mixed: str = ""
    """how single turns and dialogs were mixed, in words"""


def read_corpus(recipe: Recipe) -> Corpus:
    """Read, mix and split the data of a recipe; the same recipe gives the same split.

    Raises:
        InputError: if a file is not there or not understood, or there is no assistant turn in all of it.
        MissingExtraError, DownloadError: for a Parquet file or a data set of the hub that cannot be had.
    """
    sources: list[Source] = []
    single = _read_all(recipe.data.single_turn, recipe.data.limit, sources)
    dialogs = _read_all(recipe.data.dialogs, recipe.data.limit, sources)
    if not any(message.role == "assistant" for dialog in (*single, *dialogs) for message in dialog):
        names = ", ".join(source.name for source in sources)
        raise InputError(f"there is nothing to learn from: no assistant turn in {names}")
    chance = random.Random(recipe.seed)  # noqa: S311 - a split that can be made again
    single, dialogs = _by_ratio(single, dialogs, recipe.ratio, chance)
    together = [*single, *dialogs]
    chance.shuffle(together)
    share = recipe.data.held_out
    count = round(share * len(together)) if share < 1 else int(share)
    count = max(1, count) if share and len(together) > 1 else count
    if count >= len(together) and share:
        raise InputError(f"data.held_out is {share:g}, and there are only {len(together)} dialogs")
    mixed = f"{len(single)} of single_turn, {len(dialogs)} of dialogs"
    return Corpus(tuple(together[count:]), tuple(together[:count]), tuple(sources), mixed)


def _by_ratio(
    single: list[Dialog], dialogs: list[Dialog], ratio: tuple[float, float] | None, chance: random.Random
) -> tuple[list[Dialog], list[Dialog]]:
    """Take as many of both as the ratio allows."""
    if ratio is None:
        return single, dialogs
    of_single, of_dialogs = ratio
    units = min(
        len(single) / of_single if of_single else float("inf"),
        len(dialogs) / of_dialogs if of_dialogs else float("inf"),
    )
    return (
        chance.sample(single, min(len(single), round(units * of_single))),
        chance.sample(dialogs, min(len(dialogs), round(units * of_dialogs))),
    )


def _read_all(names: Sequence[str], limit: int | None, sources: list[Source]) -> list[Dialog]:
    found: list[Dialog] = []
    for name in names:
        for file in _files(name):
            if isinstance(file, Path):
                dialogs, sha256 = list(_dialogs_of(file)), _sha256(file)
            else:
                dialogs, sha256 = _from_hub(file)
            sources.append(Source(str(name) if not isinstance(file, Path) else file.name, sha256, len(dialogs)))
            found += [each if each.id is not None else replace(each, id=f"{Path(str(file)).name}:{number}")
                      for number, each in enumerate(dialogs, start=1)]  # fmt: skip
    return found if limit is None else found[:limit]


def _files(name: str) -> list[Path | str]:
    path = Path(name).expanduser()
    if path.is_dir():
        inside: list[Path | str] = [each for each in sorted(path.iterdir()) if each.suffix in _SUFFIXES]
        if not inside:
            raise InputError(f"the folder {path} holds no data: no file that ends in {', '.join(_SUFFIXES)}")
        return inside
    if path.is_file():
        return [path]
    if path.suffix in (*_SUFFIXES, ".json") or name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise InputError(f"there is no file {name}")
    return [name]


def _dialogs_of(path: Path) -> Iterator[Dialog]:
    if path.suffix == ".parquet":
        try:
            import pyarrow.parquet as parquet
        except ImportError as error:
            raise MissingExtraError("a Parquet file", "training") from error
        try:
            batches = parquet.ParquetFile(path).iter_batches(512)
            yield from _understood((row for batch in batches for row in batch.to_pylist()), str(path))
        except (OSError, ValueError) as error:
            if isinstance(error, OcintError):
                raise
            raise InputError(f"{path} cannot be read as Parquet: {' '.join(str(error).split())[:200]}") from error
        return
    yield from _understood(_lines(path), str(path))


def _lines(path: Path) -> Iterator[Any]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="\n") as file:
        try:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    yield json.loads(line)
                except json.JSONDecodeError as error:
                    raise InputError(f"{path}:{number} is not JSON: {error}") from error
        except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
            raise InputError(f"{path} is not text in UTF-8, or is damaged") from error


def _understood(rows: Iterable[Any], where: str) -> Iterator[Dialog]:
    for number, row in enumerate(rows, start=1):
        try:
            yield _dialog(row)
        except InputError as error:
            raise InputError(f"{where}:{number} is not a dialog: {error}") from error


def _dialog(row: Any) -> Dialog:
    """Return a row of ours, of the messages form, of ShareGPT's, or of a pair of question and answer, as a dialog."""
    if not isinstance(row, Mapping):
        raise InputError(f"a row must be an object, not {type(row).__name__}")
    if isinstance(row.get("messages"), list):
        messages = [_message(each) for each in row["messages"]]
        return Dialog.from_json({"id": _id(row), "messages": messages, "meta": row.get("meta")})
    if isinstance(row.get("conversations"), list):
        turns = [
            {"role": _SPEAKERS.get(str(turn.get("from"))), "content": turn.get("value")}
            for turn in row["conversations"]
            if isinstance(turn, Mapping)
        ]
        return Dialog.from_json({"id": _id(row), "messages": turns})
    for question, answer in _PAIRS:
        if isinstance(row.get(question), str) and isinstance(row.get(answer), str):
            more = row.get("input")
            asked = f"{row[question]}\n\n{more}" if isinstance(more, str) and more.strip() else row[question]
            return Dialog((Message("user", asked), Message("assistant", row[answer])), _id(row))
    pairs = ", ".join("/".join(pair) for pair in _PAIRS)
    raise InputError(f"it has neither messages nor conversations nor a pair of {pairs}")


def _message(row: Any) -> Any:
    """Return a message in our own form; what ``ocint data export`` writes beside role and content becomes its meta."""
    if not isinstance(row, Mapping):
        return row
    beside = {name: row[name] for name in _MARKS if row.get(name) not in (None, "")}
    meta = {**beside, **(row.get("meta") or {})}
    role, content = row.get("role"), row.get("content")
    if role == "tool" and isinstance(content, str):
        role, meta = "user", {**meta, "kind": "execution"}
        content = content if content.startswith(EXECUTION) else f"{EXECUTION} \n{content}"
    return {"role": role, "content": content, "meta": meta}


def _id(row: Mapping[str, Any]) -> str | int | None:
    found = row.get("id")
    return found if isinstance(found, str | int) else None


def _from_hub(name: str) -> tuple[list[Dialog], str]:
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("a data set of the hub", "training") from error
    try:
        table = datasets.load_dataset(name, split="train")
    except Exception as error:  # the library raises what its many parts raise
        reason = " ".join(str(error).split())[:200]
        raise DownloadError(f"the data set {name} cannot be had from the hub: {reason}") from error
    return list(_understood(table, name)), str(table._fingerprint)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
