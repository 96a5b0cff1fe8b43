"""Readers for the data that people have: instruction pairs, conversations, problem sets, buggy programs."""

from __future__ import annotations

from opencodeinterpreter.codefeedback.sources.base import Format, Given
from opencodeinterpreter.codefeedback.sources.formats import FORMATS, find_format, recognised
from opencodeinterpreter.codefeedback.sources.reading import ReadSettings, SourceStage, read_files, stage

__all__ = [
    "FORMATS",
    "Format",
    "Given",
    "ReadSettings",
    "SourceStage",
    "find_format",
    "read_files",
    "recognised",
    "stage",
]
