"""Where a row is from, as the dialogs made of it say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

_KEPT: Final = ("statement_by", "joined", "slug")
"""What a source says of a row that matters to whoever uses it: whose text the statement is, above all."""


class Sourced(Protocol):
    """A query, a problem or a bug."""

    @property
    def source(self) -> str: ...

    @property
    def licence(self) -> str: ...

    @property
    def meta(self) -> Mapping[str, Any]: ...


def sources_of(row: Sourced) -> list[str]:
    """Return the data sets that a row is from: its own, and the one that it was joined with."""
    named = (row.source, row.meta.get("joined"))
    return list(dict.fromkeys(str(each) for each in named if each))


def provenance(row: Sourced) -> dict[str, str]:
    """Return what each message of a dialog says of the row that it was made of; what is not known is left out."""
    known = {"source": row.source, "licence": row.licence}
    return {name: value for name, value in known.items() if value}


def origin(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a dialog keeps of the meta of the row that it was made of."""
    return {key: meta[key] for key in _KEPT if meta.get(key)}
