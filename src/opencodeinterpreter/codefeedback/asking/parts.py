"""The parts that models play in a stage: any chat model in each, asked so that a killed stage repeats nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from opencodeinterpreter.codefeedback.asking.cutting import CutModel
from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.models import ChatModel, Generation, ModelSettings, load_model, settings_from_environment
from opencodeinterpreter.models.asking import Asker
from opencodeinterpreter.models.cache import check, sha256_of
from opencodeinterpreter.models.catalog import ModelFile
from opencodeinterpreter.models.own_models import known_models, own_path
from opencodeinterpreter.models.response_cache import Reply, ResponseCache

T = TypeVar("T")

TRIES = 3
"""A reply that cannot be used is asked for again twice."""
_VARIED = 0.7
"""The temperature of a further try: the likeliest reply would be the same again."""


class Unusable(Exception):  # noqa: N818 - what a model wrote, not an error
    """A reply that cannot be used.

    Args:
        reason: a few words that are the same for all such replies, since they are counted.
        detail: what is worth knowing about this one.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Player:
    """A model that can play a part; it is opened when a stage begins."""

    name: str
    identity: str
    """what tells it from every other model: the hash of its file where there is one"""
    open: Callable[[], ChatModel]
    """must be picklable where the stage is sent to another process"""

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "identity": self.identity}


def player(
    name: str, settings: ModelSettings | None = None, *, parallel: int = 1, context_tokens: int = 8192
) -> Player:
    """Return the model that goes by ``name`` (as ``load_model`` reads it) as a player, without loading it.

    Args:
        name: a short name, ``path.gguf``, ``openai:name``, ``transformers:name-or-path``, ``scripted:file.json``.
        settings: where models come from; None reads the environment.
        parallel: how many replies the embedded engine or a checkpoint generates side by side.
        context_tokens: how long prompt and reply may be together.

    Raises:
        ModelError, InputError: if the file that the name stands for cannot be read.
    """
    settings = settings or settings_from_environment(os.environ)
    opens = partial(load_model, name, settings=settings, parallel=parallel, context_tokens=context_tokens)
    return Player(name, _identity(name.strip(), settings), opens)


def _identity(name: str, settings: ModelSettings) -> str:
    kind, _, rest = name.partition(":")
    if kind == "scripted":
        script = Path(rest).expanduser()
        if not script.is_file():
            raise InputError(f"the script {script} cannot be read: there is no such file")
        return f"scripted:{sha256_of(script)}"
    if kind == "openai":
        model, endpoint = settings.served(rest)
        return f"{endpoint.base_url or ''} openai:{model}"
    entry = known_models(settings.sources).get(name.lower())
    if isinstance(entry, ModelFile) and entry.sha256:
        return f"llama.cpp:{entry.sha256}"
    if entry is not None and (own := own_path(entry)):
        name = rest = str(own)
    path = Path(name).expanduser()
    if path.suffix.lower() == ".gguf" and path.is_file():
        return f"llama.cpp:{check(path, None)}"
    folder = Path(rest if kind == "transformers" else name).expanduser()
    if folder.is_dir():
        # The weights may be tens of gigabytes: size and time of each file tell another training from this one.
        files = sorted(
            (str(file.relative_to(folder)), file.stat().st_size, file.stat().st_mtime_ns)
            for file in folder.rglob("*")
            if file.is_file()
        )
        return f"transformers:{hashlib.sha256(repr(files).encode()).hexdigest()}"
    return f"transformers:{rest or name}"


class Part:
    """One model in one part, and how its replies are generated."""

    def __init__(self, name: str, asker: Asker, cut: Asker, generation: Generation) -> None:
        self.name = name
        """what the model is called"""
        self._asker, self._cut = asker, cut
        self._generation = generation

    def say(
        self,
        messages: Sequence[Message],
        read: Callable[[Reply], T],
        seed: int,
        *,
        code: bool = False,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> T:
        """Return what ``read`` makes of the model's reply; a reply that it refuses is asked for again.

        Args:
            messages: what is sent.
            read: takes the reply, and raises ``Unusable`` for one that cannot be used.
            seed: of the further tries, and of a reply that is drawn.
            code: end the reply where its first code action closes: what comes after is an invented output.
            max_tokens: in place of the part's own limit.
            temperature: of the first try, in place of the part's own.

        Raises:
            Unusable: if the last try gave nothing of use either.
            Stopped, ModelError: as ``Asker.ask``.
        """
        asker = self._cut if code else self._asker
        generation = replace(self._generation, seed=seed, max_tokens=max_tokens or self._generation.max_tokens)
        if temperature is not None:
            generation = replace(generation, temperature=temperature)
        for attempt in range(TRIES):
            if attempt:
                generation = replace(generation, temperature=max(_VARIED, generation.temperature), seed=seed + attempt)
            reply = asker.ask(messages, generation)
            try:
                if reply.finish == "context":
                    raise Unusable("the dialog is too long for the model")
                if reply.finish == "repetition":
                    raise Unusable("a reply that repeats itself without end")
                return read(reply)
            except Unusable as unusable:
                if attempt == TRIES - 1 or reply.finish == "context":
                    raise
                last = unusable
        raise last


class Cast:
    """The models of a stage, each opened once however many parts it plays.

    Args:
        players: by the part.
        responses: the file with the replies so far; None keeps them in memory.
        generation: how the replies are generated.
    """

    def __init__(self, players: Mapping[str, Player], responses: Path | None, generation: Generation) -> None:
        self._players, self._generation = dict(players), generation
        self._responses = responses
        self._models: dict[str, ChatModel] = {}
        self._askers: list[Asker] = []
        self._parts: dict[str, Part] = {}
        self._cache: ResponseCache | None = None

    def __enter__(self) -> Self:
        self._cache = ResponseCache(self._responses)
        try:
            for part, each in self._players.items():
                self._parts[part] = self._opened(each, self._cache)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __getitem__(self, part: str) -> Part:
        return self._parts[part]

    def get(self, part: str) -> Part | None:
        return self._parts.get(part)

    def stop(self) -> None:
        for asker in self._askers:
            asker.stop()

    def _opened(self, each: Player, cache: ResponseCache) -> Part:
        if each.identity not in self._models:
            self._models[each.identity] = each.open()
        model = self._models[each.identity]
        whole = Asker(model, each.identity, cache)
        # What is cut is another text than the whole reply, so it has keys of its own.
        cut = Asker(CutModel(model), f"{each.identity} up to the code", cache)
        self._askers += [whole, cut]
        return Part(each.name, whole, cut, self._generation)

    def _close(self) -> None:
        for model in self._models.values():
            model.close()
        self._models.clear()
        if self._cache is not None:
            self._cache.close()


def row_seed(seed: int, *of: object) -> int:
    """Return a number that depends on the recipe's seed and on the row alone, not on the order of the rows."""
    text = "\x1f".join(str(each) for each in (seed, *of))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big") >> 1
