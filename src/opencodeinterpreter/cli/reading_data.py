"""Reads sources for the data set builder: files, data sets of the hub, and the user's own sessions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from opencodeinterpreter.cli.building_data import Wanted, run_made
from opencodeinterpreter.cli.consoles import err_console
from opencodeinterpreter.codefeedback.settings import settings_from
from opencodeinterpreter.codefeedback.sources import ReadSettings, SourceStage, read_files
from opencodeinterpreter.config import load_config, model_settings
from opencodeinterpreter.errors import InputError


def read(sources: Sequence[str], wanted: Wanted) -> None:
    """Read files and data sets of the hub."""
    settings = settings_from(ReadSettings, wanted.chosen, "the stage read")
    paths = [_local(source) for source in sources]
    run_made(SourceStage(settings, paths), paths, wanted, partial(read_files, encoding=settings.encoding))


def _local(source: str) -> Path:
    if not source.startswith("hf:"):
        return Path(source)
    from opencodeinterpreter.cli.progress import shown_progress
    from opencodeinterpreter.codefeedback.sources.hub import fetch_data

    with shown_progress(err_console(), source) as progress:
        return fetch_data(source.removeprefix("hf:"), model_settings(load_config({})).sources, progress)


def from_sessions(names: Sequence[str], licence: str | None, wanted: Wanted) -> None:
    """Turn sessions into dialogs."""
    from opencodeinterpreter.codefeedback.sessions.from_sessions import SessionSettings, session_records, stage
    from opencodeinterpreter.interpreter import SessionStore

    store = SessionStore(load_config().sessions_folder)
    identities = list(names) or sorted(info.id for info in store.infos())
    if not identities:
        raise InputError("there are no sessions yet: ocint chat makes one")
    paths = [store.folder(identity) / "events.jsonl" for identity in identities]
    settings = SessionSettings() if licence is None else SessionSettings(licence)
    run_made(stage(settings), paths, wanted, session_records)
