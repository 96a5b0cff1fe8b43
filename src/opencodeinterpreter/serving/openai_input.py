"""What a caller of the OpenAI-compatible routes sends: dialogs, pictures and files in their messages."""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.models.base import Generation
from opencodeinterpreter.sandbox.workspace import Workspace
from opencodeinterpreter.serving.openai_dialogs import Said

_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=-]+)*;base64,(.*)", re.DOTALL)
_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}


class Lenient(BaseModel):
    """Clients send more than we use; what we do not know is passed over."""

    model_config = ConfigDict(extra="ignore")


class ChatMessage(Lenient):
    role: str = Field(max_length=40)
    content: str | list[dict[str, Any]] | None = None


class StreamOptions(Lenient):
    include_usage: bool = False


class ChatBody(Lenient):
    """A request of /v1/chat/completions."""

    model: str = Field(max_length=200)
    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(None, ge=1, le=1)
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    max_completion_tokens: int | None = Field(None, ge=1, le=1_000_000)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(None, ge=-(2**31), lt=2**32)
    user: str | None = Field(None, max_length=500)
    response_format: dict[str, Any] | None = None

    @property
    def wants_json(self) -> bool:
        """Whether the answer is to be JSON, which a turn with its code and output is not."""
        return (self.response_format or {}).get("type") in ("json_object", "json_schema")


@dataclass(frozen=True)
class Attachment:
    """A picture or a file that came inside a message."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Asked:
    """A dialog, taken apart."""

    task: str
    """The last message of the user."""
    attachments: tuple[Attachment, ...]
    """What came with it."""
    before: tuple[Said, ...]
    """The dialog before it, without system messages."""
    system: str
    """What the caller tells every model."""


def asked_of(messages: Sequence[ChatMessage]) -> Asked:
    """Take a dialog apart.

    Raises:
        InputError: its last message is not a user's, or holds something that cannot be used.
    """
    system: list[str] = []
    said: list[tuple[str, str, tuple[Attachment, ...]]] = []
    for message in messages:
        text, attachments = parts_of(message.content)
        if message.role in ("system", "developer"):
            system.append(text)
        elif message.role in ("user", "assistant"):
            said.append((message.role, text, attachments))
    if not said or said[-1][0] != "user":
        raise InputError("The last message must be the user's.")
    first = len(said) - 1
    while first > 0 and said[first - 1][0] == "user":
        first -= 1
    last = said[first:]
    task = "\n\n".join(text for _, text, _ in last if text.strip())
    attachments = tuple(each for _, _, given in last for each in given)
    if not task.strip():
        raise InputError("The last message has no text.")
    return Asked(task, attachments, tuple((role, text) for role, text, _ in said[:first]), "\n\n".join(system))


def parts_of(content: str | list[dict[str, Any]] | None) -> tuple[str, tuple[Attachment, ...]]:
    """Return the text of a message, and the pictures and files in it.

    Raises:
        InputError: a part that cannot be used.
    """
    if content is None or isinstance(content, str):
        return content or "", ()
    texts: list[str] = []
    attachments: list[Attachment] = []
    for part in content:
        kind = part.get("type")
        if kind in ("text", "input_text", "output_text") and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind in ("image_url", "input_image"):
            given = part.get("image_url")
            url = given.get("url") if isinstance(given, dict) else given
            attachments.append(_attachment(url, f"image-{len(attachments) + 1}"))
        elif kind in ("file", "input_file"):
            given = part.get("file") if kind == "file" else part
            data = given.get("file_data") if isinstance(given, dict) else None
            name = given.get("filename") if isinstance(given, dict) else None
            attachments.append(_attachment(data, name if isinstance(name, str) else f"file-{len(attachments) + 1}"))
        else:
            raise InputError("A message may hold text, pictures and files with their data; nothing else is known here.")
    return "\n".join(texts), tuple(attachments)


def put(attachments: Sequence[Attachment], workspace: Workspace) -> list[str]:
    """Put attachments into a workspace and return their names there.

    Raises:
        InputError: one does not fit.
    """
    names = []
    for attachment in attachments:
        with tempfile.NamedTemporaryFile(prefix="ocint-upload-") as copy:
            copy.write(attachment.content)
            copy.flush()
            names.append(workspace.upload(Path(copy.name), attachment.name).path)
    return names


def generation_of(body: ChatBody, usual: Generation) -> Generation:
    """Return how replies are generated, where the caller says something about it."""
    most = body.max_completion_tokens or body.max_tokens
    return Generation(
        max_tokens=min(most, usual.max_tokens) if most else usual.max_tokens,
        temperature=usual.temperature if body.temperature is None else body.temperature,
        top_p=usual.top_p if body.top_p is None else body.top_p,
        seed=usual.seed if body.seed is None else body.seed,
    )


def _attachment(data: object, name: str) -> Attachment:
    found = _DATA.fullmatch(data) if isinstance(data, str) else None
    if found is None:
        raise InputError("Pictures and files must come as data: URLs; nothing is fetched from elsewhere.")
    try:
        content = base64.b64decode(found[2], validate=True)
    except (binascii.Error, ValueError):
        raise InputError("The data of a picture or file is not base64.") from None
    last = name.replace("\\", "/").rpartition("/")[2].encode("utf-8", "replace").decode()
    suffix = _SUFFIXES.get(found[1] or "", "")
    name = "file" if last in ("", ".", "..") or "\0" in last else last
    return Attachment(name if "." in name or not suffix else name + suffix, content)
