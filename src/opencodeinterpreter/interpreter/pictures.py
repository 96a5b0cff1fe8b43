"""The pictures that a model which sees is shown: figures that code drew, and pictures that came with a task."""

from __future__ import annotations

import base64
import binascii
import functools
import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from opencodeinterpreter.dialog import Message, Picture
from opencodeinterpreter.errors import OcintError
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.base import ExecutionResult

A_ROUND = 4
"""Pictures of one round, and of one task, that are shown."""
IN_CONTEXT = 8
"""Pictures that a model is shown at a time; of older ones it has only what the text says."""
LONGEST_SIDE = 768
"""Pixels; what is larger is made smaller."""
_MOST_BYTES = 10_000_000
_MOST_PIXELS = 40_000_000
"""More are not even decoded: a small file can hold an enormous picture."""
_PNG_BYTES = 150_000
"""A photograph takes more than that, and is sent as JPEG."""
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_LOG = logging.getLogger(__name__)


def figures_of(result: ExecutionResult | None) -> tuple[Picture, ...]:
    """Return the figures of an execution, the last ones where there are many."""
    found: list[Picture] = []
    for display in result.displays if result is not None else ():
        data = next((display.data[kind] for kind in ("image/png", "image/jpeg") if kind in display.data), None)
        picture = _decoded(data) if isinstance(data, str) else None
        if picture is not None:
            found.append(replace(picture, name=f"figure {len(found) + 1}"))
    return tuple(found[-A_ROUND:])


def uploaded(sandbox: AnySandbox, names: Iterable[str]) -> tuple[Picture, ...]:
    """Return the pictures among files of the workspace; one that is gone or cannot be read is left out."""
    found: list[Picture] = []
    for name in names:
        if not name.lower().endswith(_ENDINGS) or len(found) == A_ROUND:
            continue
        try:
            content = sandbox.read(name, _MOST_BYTES)
        except OcintError:
            _LOG.debug("%s is not there to be shown.", name)
            continue
        picture = small(content)
        if picture is not None:
            found.append(replace(picture, name=name))
    return tuple(found)


def latest(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with the last ``IN_CONTEXT`` pictures of theirs, and no others."""
    room = IN_CONTEXT
    kept: list[Message] = []
    for message in reversed(messages):
        shown = message.pictures[-room:] if room else ()
        room -= len(shown)
        kept.append(replace(message, pictures=shown) if len(shown) < len(message.pictures) else message)
    return kept[::-1]


@functools.lru_cache(maxsize=4 * IN_CONTEXT)
def _decoded(data: str) -> Picture | None:
    if len(data) > _MOST_BYTES * 4 // 3:
        return None
    try:
        return small(base64.b64decode(data))
    except (binascii.Error, ValueError):
        return None


def small(content: bytes) -> Picture | None:
    """Return a picture no larger than a model needs; None for what is none, or far too large."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > _MOST_PIXELS:
                return None
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            plain = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
            if plain.mode == "RGBA":  # what is transparent is seen on white
                plain = Image.alpha_composite(Image.new("RGBA", plain.size, "white"), plain).convert("RGB")
            data = _encoded(plain, "PNG")
            if len(data) <= _PNG_BYTES:
                return Picture("", "image/png", data)
            return Picture("", "image/jpeg", _encoded(plain, "JPEG"))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return None  # made by code or by anybody: whatever is wrong with it, it is not shown


def _encoded(image: object, form: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form)  # type: ignore[attr-defined]
    return buffer.getvalue()
