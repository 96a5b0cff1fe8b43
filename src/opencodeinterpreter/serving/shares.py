"""Read-only links to a session: a page that shows it as it stood, and, if its owner wants so, its files.

A share is a copy, made when the link is made: what comes later is not in it, and whoever has the link reaches neither
the session nor anything else of the server. It lies in a folder of its own, so that it outlives the server::

    shares/ID/share.json   who made it, of which session, until when; stays for a while when the rest is gone
    shares/ID/page.html
    shares/ID/files/0, 1, …

The link's token is the share's random id and a signature, so that no token can be read from the disk without the
server's secret, and its owner can be shown it again.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.interpreter.html_page import PageFile, html_page
from opencodeinterpreter.sandbox.workspace import FileInfo, Workspace
from opencodeinterpreter.serving.links import Links

logger = logging.getLogger(__name__)

MOST_DAYS = 365
_FOLDER = "shares"
_MOST_SHARES = 20
"""Of one session, at a time."""
_MOST_FILES = 200
_MOST_BYTES = 200 << 20
_REMEMBERED_SECONDS = 90 * 86400.0
"""For which a link that has ended is told from one that never was."""
_TOKEN = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_TOLD = {
    "en": "Shared on {made}, as it stood then; the link ends on {until}.",
    "zh": "分享于 {made}，内容为当时的状态；链接于 {until} 失效。",
}

State = Literal["open", "revoked", "expired", "gone"]


@dataclass(frozen=True)
class Share:
    """What is known of a share."""

    id: str
    session: str
    by: str
    """The name of the key that made it; empty for the server's own token."""
    created: float
    """Seconds since 1970, as ``expires``."""
    expires: float
    files: tuple[tuple[str, int], ...] = ()
    """Name and size of each file that goes with it."""
    revoked: bool = False


@dataclass(frozen=True)
class Wish:
    """What a share is to be like."""

    days: int = 7
    files: bool = False
    language: str = "en"


class Shares:
    """The shares of a server. Safe to use from any thread.

    Args:
        store: the folder of the sessions.
        links: signs the tokens.
    """

    def __init__(self, store: Path, links: Links) -> None:
        self._sessions = store
        self._root = store / _FOLDER
        self._links = links
        self._lock = threading.Lock()
        self.prune()

    def make(self, session: str, by: str, title: str, turns: Sequence[Turn], workspace: Workspace, wish: Wish) -> Share:
        """Make a share of a session as it stands.

        Raises:
            InputError: there is nothing to share yet, or there are too many links, or too large files.
        """
        self.prune()
        if not turns:
            raise InputError("There is nothing to share yet.")
        if len(self.of(session)) >= _MOST_SHARES:
            raise InputError(f"This session has {_MOST_SHARES} links; revoke one first.")
        files = workspace.files() if wish.files else []
        if len(files) > _MOST_FILES or sum(info.size for info in files) > _MOST_BYTES:
            raise InputError(
                f"The files are too many to be shared: {_MOST_FILES} files of {_MOST_BYTES >> 20} MB in all at most. "
                "Share without them."
            )
        now = time.time()
        share = Share(
            secrets.token_urlsafe(16), session, by, now, now + wish.days * 86400.0,
            tuple((info.path, info.size) for info in files),
        )  # fmt: skip
        folder = self._folder(share.id)
        try:
            self._write(folder, share, title, turns, workspace, files, wish.language)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return share

    def _write(
        self,
        folder: Path,
        share: Share,
        title: str,
        turns: Sequence[Turn],
        workspace: Workspace,
        files: Sequence[FileInfo],
        language: str,
    ) -> None:
        self._root.mkdir(mode=0o700, exist_ok=True)
        (folder / "files").mkdir(mode=0o700, parents=True)
        for number, info in enumerate(files):
            workspace.download(info.path, folder / "files" / str(number))
        told = _TOLD.get(language, _TOLD["en"]).format(made=_day(share.created), until=_day(share.expires))
        offered = [PageFile(name, size, f"files/{number}") for number, (name, size) in enumerate(share.files)]
        page = html_page(turns, title=title, language=language, told=told, files=offered)
        (folder / "page.html").write_text(page, encoding="utf-8")
        self._save(share)  # last: without it the share is not there

    def of(self, session: str) -> list[Share]:
        """Return the open shares of a session, newest first."""
        found = [share for share in self._all() if share.session == session and self.state(share) == "open"]
        return sorted(found, key=lambda share: -share.created)

    def revoke(self, session: str, identity: str) -> None:
        """End a share: its link opens nothing from now on.

        Raises:
            InputError: the session has no such share.
        """
        with self._lock:
            share = _read(self._folder(identity)) if _ID.fullmatch(identity) else None
            if share is None or share.session != session or share.revoked:
                raise InputError("There is no such link.")
            self._save(Share(**{**asdict(share), "revoked": True}))
            _empty(self._folder(share.id))

    def token(self, share: Share) -> str:
        """Return what opens a share."""
        return f"{share.id}.{self._links.sign(f'share {share.id}')}"

    def find(self, token: str) -> Share | None:
        """Return the share that a token opens, or opened; None for a token that never was one."""
        match = _TOKEN.fullmatch(token)
        # Before anything is read: a guess costs the server nothing, and a name cannot lead anywhere.
        if match is None or not hmac.compare_digest(self._links.sign(f"share {match[1]}"), match[2]):
            return None
        return _read(self._folder(match[1]))

    def state(self, share: Share) -> State:
        if share.revoked:
            return "revoked"
        if time.time() >= share.expires:
            return "expired"
        return "open" if (self._sessions / share.session / "events.jsonl").is_file() else "gone"

    def page(self, share: Share) -> str:
        """Return the page of an open share.

        Raises:
            FileNotFoundError: it has just ended.
        """
        return (self._folder(share.id) / "page.html").read_text(encoding="utf-8")

    def file(self, share: Share, number: int) -> tuple[Path, str] | None:
        """Return where a file of an open share lies, and its name; None if there is no such one."""
        path = self._folder(share.id) / "files" / str(number)
        if not 0 <= number < len(share.files) or not path.is_file():
            return None
        return path, share.files[number][0]

    def prune(self) -> None:
        """Remove what no link opens any more."""
        with self._lock:
            for share in self._all():
                if self.state(share) == "open":
                    continue
                _empty(self._folder(share.id))
                if time.time() > share.expires + _REMEMBERED_SECONDS:
                    shutil.rmtree(self._folder(share.id), ignore_errors=True)

    def _all(self) -> list[Share]:
        return [share for share in map(_read, _folders(self._root)) if share is not None]

    def _save(self, share: Share) -> None:
        partial = self._folder(share.id) / "share.part"
        partial.write_text(json.dumps(asdict(share)), encoding="utf-8")
        partial.replace(partial.with_name("share.json"))

    def _folder(self, identity: str) -> Path:
        return self._root / identity


def forget_shares(store: Path, session: str) -> None:
    """Remove what the shares of a session that was deleted show; that their links have ended is still told.

    Args:
        store: the folder of the sessions.
    """
    for folder in _folders(store / _FOLDER):
        share = _read(folder)
        if share is not None and share.session == session:
            _empty(folder)


def _folders(root: Path) -> list[Path]:
    return [each for each in root.iterdir() if _ID.fullmatch(each.name)] if root.is_dir() else []


def _read(folder: Path) -> Share | None:
    try:
        row = json.loads((folder / "share.json").read_text(encoding="utf-8"))
        return Share(**{**row, "files": tuple((str(name), int(size)) for name, size in row["files"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        logger.warning("The share %s cannot be read.", folder.name)
        return None


def _empty(folder: Path) -> None:
    (folder / "page.html").unlink(missing_ok=True)
    shutil.rmtree(folder / "files", ignore_errors=True)


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))
