"""Makes the tasks' data files, the same on every machine: ``python -m benchmarks.realuse.generate``.

Every file is invented, from a fixed seed. The traps stand where real files have them: past the first rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.realuse.generate.documents import DOCUMENTS
from benchmarks.realuse.generate.everyday import EVERYDAY
from benchmarks.realuse.generate.lists import LISTS
from benchmarks.realuse.generate.shapes import Maker
from benchmarks.realuse.generate.tables import TABLES
from benchmarks.realuse.generate.workbooks import WORKBOOKS

MAKERS: Mapping[str, Maker] = {**TABLES, **LISTS, **DOCUMENTS, **WORKBOOKS, **EVERYDAY}
"""File name → what makes its content."""


def make(name: str) -> bytes:
    return MAKERS[name]()
