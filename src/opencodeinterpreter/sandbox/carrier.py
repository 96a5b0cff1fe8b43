"""Keeps the copy of a workspace that is here and the one of a worker alike, over the link between them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from opencodeinterpreter.sandbox.copies import Copy, changed
from opencodeinterpreter.sandbox.link import Link
from opencodeinterpreter.sandbox.workspace import Stamp, Workspace

_LOG = logging.getLogger(__name__)


class Carrier:
    """Knows what either side held when the two were last alike, and carries what is another since.

    Args:
        workspace: the copy that is here.
        limit_mb: as the workspace has it.
    """

    def __init__(self, workspace: Workspace, limit_mb: int | None) -> None:
        self._copy = Copy(workspace)
        self._limit_mb = limit_mb
        self._here: Mapping[str, Stamp] = {}
        self._there: Mapping[str, Stamp] = {}

    def forget(self) -> None:
        """Take the worker's copy to be empty, as that of a new worker is."""
        self._here, self._there = {}, {}

    def bring_there(self, link: Link) -> None:
        """Carry to the worker what has changed here.

        Raises:
            InputError: a file cannot be written there.
            LinkLostError: the worker is gone.
        """
        now = self._copy.stamps()
        new, gone = changed(self._here, now)
        there = {path: stamp for path, stamp in self._there.items() if path not in gone}
        if gone:
            link.call("remove", "workspace", gone)
        for parcel in self._copy.parcels(new) if new else ():
            there.update(link.call("unpack", parcel))
        self._here, self._there = now, there

    def bring_here(self, link: Link, now: Mapping[str, Stamp]) -> None:
        """Carry here what has changed with the worker, which has the files ``now``.

        Raises:
            InputError: a file cannot be written here.
            LinkLostError: the worker is gone.
        """
        new, gone = changed(self._there, now)
        here = {path: stamp for path, stamp in self._here.items() if path not in gone}
        self._copy.remove(gone)
        here.update(_fetch(link, self._copy, "workspace", self._fitting(new, now)))
        self._here, self._there = here, now

    def _fitting(self, paths: list[str], now: Mapping[str, Stamp]) -> list[str]:
        """Leave out what would fill the disk here: files with holes are larger than what they take there."""
        if self._limit_mb is None:
            return paths
        room = (self._limit_mb << 20) - sum(now[path][2] for path in set(now) - set(paths))
        fitting = []
        for path in paths:
            if now[path][2] <= room:
                room -= now[path][2]
                fitting.append(path)
            else:
                _LOG.warning("A file stays on its worker: with it, the workspace would be larger than it may be.")
        return fitting


def bring_log(link: Link, name: str, target: Path) -> Path:
    """Move a log of the worker's to ``target``, and return that.

    Raises:
        InputError, OSError: it cannot be written here.
        LinkLostError: the worker is gone.
    """
    folder = Workspace(target.parent)
    _fetch(link, Copy(folder), "logs", [name])
    link.call("remove", "logs", [name])
    return (folder.path / name).rename(target)


def _fetch(link: Link, into: Copy, folder: str, paths: list[str]) -> dict[str, Stamp]:
    """Fetch files from the worker; return their stamps here."""
    found: dict[str, Stamp] = {}
    if not paths:
        return found
    parcel = link.call("pack", folder, paths)
    try:
        found.update(into.unpack(parcel))
        while not parcel.done:
            parcel = link.call("next_parcel")
            found.update(into.unpack(parcel))
    finally:
        into.drop()
    return found
