"""Makes previews of the files of sessions, a few at a time, and keeps the last ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from opencodeinterpreter.sandbox.base import SandboxBackend
from opencodeinterpreter.sandbox.workspace import FileInfo, Workspace
from opencodeinterpreter.serving.previews import kinds
from opencodeinterpreter.serving.previews.jail import read_in_jail
from opencodeinterpreter.serving.previews.shape import SENTENCES, Converted, Kind, Part, Preview, Reason
from opencodeinterpreter.serving.refusals import OverloadedError

_AT_A_TIME = 2
_WAIT_SECONDS = 20.0
_LARGEST = 100 << 20
"""Bytes of a file that is read in a jail."""
_TEXT = 200_000
"""Bytes of a text that is shown."""
_KEPT_BYTES = 48 << 20
_TOTALS_KEPT = 1000
_STEPS = {"pdf": 5, "csv": 200, "tsv": 200, "json": 200, "jsonl": 200, "parquet": 200}
"""Form → how many pages or rows come at a time (``inside.pdf``, ``inside.parts``)."""

Key = tuple[str, FileInfo, int]


class Previews:
    """Makes previews. Safe to use from any thread.

    Args:
        backend: the isolation in which files are read.
    """

    def __init__(self, backend: SandboxBackend) -> None:
        self._backend = backend
        self._turns = threading.BoundedSemaphore(_AT_A_TIME)
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._bytes = 0
        self._totals: OrderedDict[tuple[str, FileInfo], int] = OrderedDict()
        """How many pages or rows there are, so that numbers beyond them cost no work."""

    def preview(self, identity: str, workspace: Workspace, info: FileInfo, start: int = 0) -> bytes:
        """Return the ``Preview`` of a file of a session's workspace, as JSON.

        Args:
            identity: of the session.
            workspace: of the session.
            info: the file.
            start: a page or row, from 0: those that come at a time with it are given, the last ones for any beyond.

        Raises:
            InputError: the file is not there.
            OverloadedError: too many are being made.
            SandboxError: there can be no jail.
        """
        with self._lock:
            start = _in_bounds(info, start, self._totals.get((identity, info), 0))
            key = identity, info, start
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = self._make(workspace, info, start)
        with self._lock:
            # What is no table begins at 0 alone. That one page could not be read makes the others no fewer.
            total = max(made.total, self._totals.get((identity, info), 1))
            self._totals[identity, info] = total
            if len(self._totals) > _TOTALS_KEPT:
                self._totals.popitem(last=False)
        if start >= total:
            return self.preview(identity, workspace, info, start)  # from here on it is known where the end is
        content = made.model_dump_json(exclude_defaults=False).encode()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = content
                self._bytes += len(content)
            while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return content

    def _make(self, workspace: Workspace, info: FileInfo, start: int) -> Preview:
        ending = kinds.ending(info.path)
        form = kinds.FORMS.get(ending)
        if info.size == 0:
            return _none(info, "empty")
        if ending in kinds.PICTURES:
            return Preview(path=info.path, size=info.size, kind="picture", media=kinds.PICTURES[ending])
        if ending in kinds.OLD_OFFICE:
            return _none(info, "old office")
        if form is None:
            return _text(workspace, info)
        if info.size > _LARGEST:
            return _text(workspace, info) if form in kinds.TEXT_FORMS else _none(info, "too large")
        with self._turn():
            found = read_in_jail(self._backend, form, start, lambda path: workspace.download(info.path, path))
        if found.reason and form in kinds.TEXT_FORMS:
            return _text(workspace, info)
        if found.reason:
            return _none(info, found.reason, kinds.PACKAGES.get(form, ""))
        if start == 0 and not (found.cut and found.parts) and not any(_holds_something(part) for part in found.parts):
            return _none(info, "nothing")
        return _shown(info, form, found, start)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=_WAIT_SECONDS):
            raise OverloadedError("Too many previews are being made; try again in a moment.", 5)
        try:
            yield
        finally:
            self._turns.release()


def _in_bounds(info: FileInfo, start: int, total: int) -> int:
    """Return where a preview begins: at 0 where all comes at once, and not behind the end, where that is known.

    It begins at one of the pages that there are, so that no file has more previews than pages.
    """
    step = _STEPS.get(kinds.FORMS.get(kinds.ending(info.path), ""), 0)
    if not step:
        return 0
    return (min(start, total - 1) if total else start) // step * step


def _holds_something(part: Part) -> bool:
    return part.type != "table" or bool(part.columns or part.rows)


def _shown(info: FileInfo, form: str, found: Converted, start: int) -> Preview:
    single = len(found.parts) == 1 and found.parts[0].type == "table"
    kind: Kind = "pages" if form == "pdf" else "table" if single or form == "xlsx" else "document"
    if [part.type for part in found.parts] == ["code"]:
        kind = "text"
    step = _STEPS.get(form, 0) if kind in ("pages", "table") else 0
    total = max(found.total, 0)
    return Preview(
        path=info.path, size=info.size, kind=kind, reason="", message="", media="", start=start if step else 0,
        step=step if step and total > step else 0, total=total, cut=found.cut, parts=found.parts,
    )  # fmt: skip


def _text(workspace: Workspace, info: FileInfo) -> Preview:
    """Show a file as the text that it is, if it is one; bytes are made letters, and nothing is read out of them."""
    head = workspace.read(info.path, _TEXT + 1)
    text = decoded(head)
    if text is None:
        return _none(info, "binary")
    markdown = kinds.ending(info.path) in ("md", "markdown")
    part = Part(
        type="markdown" if markdown else "code",
        text=text,
        language="markdown" if markdown else kinds.language(info.path),
    )
    return Preview(path=info.path, size=info.size, kind="text", parts=[part], cut=len(head) > _TEXT)


def decoded(head: bytes) -> str | None:
    """Return the beginning of a text; None where it is none."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[:_TEXT].decode("utf-16", "replace")
    if b"\0" in head:
        return None
    shown = head[:_TEXT]
    try:
        return shown.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) > _TEXT and error.start >= len(shown) - 3:  # cut in the middle of a letter
            return shown[: error.start].decode("utf-8-sig", "replace")
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in shown)
    return shown.decode("cp1252", "replace") if controls * 50 < len(shown) else None


def _none(info: FileInfo, reason: Reason, package: str = "") -> Preview:
    message = SENTENCES[reason].format(package=package)
    return Preview(path=info.path, size=info.size, kind="none", reason=reason, message=message)
