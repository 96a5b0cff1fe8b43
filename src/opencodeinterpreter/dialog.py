"""Messages and dialogs, and their stored form: one Code-Feedback JSON object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

from opencodeinterpreter.errors import InputError

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Picture:
    """A picture that a model is shown with a message."""

    name: str
    """What it is, such as the name of its file; all that is stored of it."""
    media: str
    """Its media type, such as ``image/png``."""
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Message:
    """One utterance of a dialog."""

    role: Role
    content: str
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Whatever a later stage needs to know, such as ``kind``; never shown to a model."""
    pictures: tuple[Picture, ...] = field(default=(), repr=False, compare=False)
    """For models that see; the stored form has only their names, under ``pictures`` in ``meta``."""

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {"role": self.role, "content": self.content}
        meta = dict(self.meta)
        if self.pictures:
            meta["pictures"] = [picture.name for picture in self.pictures]
        if meta:
            row["meta"] = meta
        return row

    @classmethod
    def from_json(cls, row: Any) -> Message:
        """Validate one message.

        Raises:
            InputError: if it is not an object with a known role and text content.
        """
        if not isinstance(row, dict):
            raise InputError(f"a message must be an object, not {type(row).__name__}")
        role, content = row.get("role"), row.get("content")
        # A table, such as a Parquet file, has null where the field is not there.
        meta = row.get("meta") if row.get("meta") is not None else {}
        if role not in get_args(Role):
            raise InputError(f"a message's role must be one of {', '.join(get_args(Role))}, not {role!r}")
        if not isinstance(content, str):
            raise InputError(f"a message's content must be text, not {type(content).__name__}")
        if not isinstance(meta, dict):
            raise InputError(f"a message's meta must be an object, not {type(meta).__name__}")
        return cls(cast(Role, role), content, meta)


@dataclass(frozen=True)
class Dialog:
    """An ordered list of messages."""

    messages: tuple[Message, ...] = ()
    id: str | int | None = None
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What is known of the whole, such as ``method`` or ``licence``; never shown to a model."""

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self.messages)

    def adding(self, *messages: Message) -> Dialog:
        """Return a dialog with ``messages`` at its end."""
        return replace(self, messages=(*self.messages, *messages))

    def to_json(self) -> dict[str, Any]:
        """Return the Code-Feedback object: ``{"id": ..., "messages": [{"role", "content"}, ...]}``.

        A ``meta`` is added where there is one.
        """
        row: dict[str, Any] = {"id": self.id, "messages": [message.to_json() for message in self.messages]}
        if self.meta:
            row["meta"] = dict(self.meta)
        return row

    @classmethod
    def from_json(cls, row: Any) -> Dialog:
        """Validate one Code-Feedback object.

        Raises:
            InputError: if it is not one.
        """
        if not isinstance(row, dict) or not isinstance(row.get("messages"), list):
            raise InputError("a dialog must be an object with a list of messages")
        identity = row.get("id")
        if identity is not None and not isinstance(identity, str | int):
            raise InputError(f"a dialog's id must be text or a number, not {type(identity).__name__}")
        meta = row.get("meta") if row.get("meta") is not None else {}
        if not isinstance(meta, dict):
            raise InputError(f"a dialog's meta must be an object, not {type(meta).__name__}")
        return cls(tuple(Message.from_json(message) for message in row["messages"]), identity, meta)


def write_dialogs(dialogs: Iterable[Dialog], path: Path) -> None:
    """Write one dialog a line."""
    with path.open("w", encoding="utf-8") as file:
        for dialog in dialogs:
            file.write(json_line(dialog.to_json()) + "\n")


def read_dialogs(path: Path) -> Iterator[Dialog]:
    """Yield the dialogs of a file, one a line; blank lines are passed over.

    Raises:
        InputError: naming the line that is not a dialog.
    """
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield Dialog.from_json(json.loads(line))
            except (json.JSONDecodeError, InputError) as error:
                raise InputError(f"{path}:{number} is not a dialog: {error}") from error


def json_line(row: Mapping[str, Any]) -> str:
    """Return an object as one line of JSON, without the line's end.

    What may stand in JSON text as it is but ends a line for some readers is escaped.

    Raises:
        ValueError: if a number is NaN or infinite, which JSON does not have.
    """
    text = json.dumps(row, ensure_ascii=False, allow_nan=False)
    # None of them is printable, which is seen faster than they are looked for.
    return text if text.isprintable() else _ENDS_OF_LINES.sub(_escaped, text)


_ENDS_OF_LINES = re.compile(r"[\x7f-\x9f\u2028\u2029]")


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
