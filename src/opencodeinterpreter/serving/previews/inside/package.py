"""The zip files that Office writes: parts of XML, with relations between them.

``xml.etree`` expands entities, and a zip can hold far more than its size. Both only ever meet the limits of the jail.
"""

from __future__ import annotations

import posixpath
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from .parts import CannotShowError

_LARGEST = 80_000_000
"""Bytes of one part, unpacked."""
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


class Package:
    """A file of Office, opened; used in a ``with`` block.

    Raises:
        CannotShowError: it is encrypted, or of the form of before 2007.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            if file.read(8) == bytes.fromhex("d0cf11e0a1b11ae1"):
                # Encrypted ones have the old form around them.
                file.seek(0)
                encrypted = "EncryptedPackage".encode("utf-16-le") in file.read(20_000_000)
                raise CannotShowError("encrypted" if encrypted else "old office")
        self._zip = zipfile.ZipFile(path)
        self._names = set(self._zip.namelist())

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._zip.close()

    def read(self, name: str) -> bytes:
        """Return a part.

        Raises:
            CannotShowError: it is far too large.
        """
        if self._zip.getinfo(name).file_size > _LARGEST:
            raise CannotShowError("too large")
        return self._zip.read(name)

    def xml(self, name: str) -> ElementTree.Element:
        return ElementTree.fromstring(self.read(name))  # noqa: S314 - see above

    def relations(self, name: str) -> dict[str, str]:
        """Return id → name of the parts that a part refers to; those outside of the file are left out."""
        folder, base = posixpath.split(name)
        listed = f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels"
        if listed not in self._names:
            return {}
        found = {}
        for each in self.xml(listed).iter(f"{_RELATIONS}Relationship"):
            if each.get("TargetMode") == "External":
                continue
            target = each.get("Target", "")
            whole = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            if whole in self._names:
                found[each.get("Id", "")] = whole
        return found

    def main(self, ending: str) -> str:
        """Return the name of the main part, whose relation's type ends so."""
        for each in self.xml("_rels/.rels").iter(f"{_RELATIONS}Relationship"):
            if each.get("Type", "").endswith(ending):
                return each.get("Target", "").lstrip("/")
        raise KeyError(ending)
