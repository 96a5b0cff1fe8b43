"""Reads one file in the jail and writes what is in it: ``convert(FORM, START, INPUT, OUTPUT)``."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import notebook, pdf, sheets, slides, tables, word
from .parts import CannotShowError, Parts

_READERS: dict[str, Callable[[Path, Parts, int], int | None]] = {
    "pdf": pdf.read,
    "docx": lambda path, parts, _start: word.read(path, parts),
    "pptx": lambda path, parts, _start: slides.read(path, parts),
    "xlsx": lambda path, parts, _start: sheets.read(path, parts),
    "csv": lambda path, parts, start: tables.read_separated(path, parts, start, None),
    "tsv": lambda path, parts, start: tables.read_separated(path, parts, start, "\t"),
    "json": tables.read_json,
    "jsonl": tables.read_json_lines,
    "parquet": tables.read_parquet,
    "ipynb": lambda path, parts, _start: notebook.read(path, parts),
}


def convert(form: str, start: int, source: str, target: str) -> None:
    """Read ``source`` and write ``target``, a JSON object with what was found or why nothing was."""
    with Path(target).open("w", encoding="utf-8") as file:
        json.dump(converted(form, start, source), file)


def converted(form: str, start: int, source: str) -> dict[str, Any]:
    """Return what is in a file; whatever is wrong with it is a reason in the answer."""
    parts = Parts()
    try:
        total = _READERS[form](Path(source), parts, start) or 0
    except CannotShowError as error:
        return {"reason": error.reason, "detail": error.detail}
    except MemoryError:
        return {"reason": "too large"}
    except (zipfile.BadZipFile, NotImplementedError):
        return {"reason": "broken"}
    except RuntimeError as error:  # zipfile's word for a password
        return {"reason": "encrypted" if "encrypted" in str(error) else "broken"}
    except Exception:  # broken files break readers in every way; the file is at fault, and the jail holds the rest
        return {"reason": "broken"}
    return {"parts": parts.parts, "total": total, "cut": parts.cut}
