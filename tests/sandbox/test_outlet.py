"""The pipes that text output comes through."""

from __future__ import annotations

import os
from pathlib import Path

from opencodeinterpreter.sandbox.outlet import Outlet


def pumped(outlet: Outlet) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    outlet.pump(lambda stream, text: found.append((stream, text)))
    return found


def test_pipes_that_nobody_has_opened_yet_are_not_abandoned(tmp_path: Path) -> None:
    outlet = Outlet(tmp_path)
    outlet.begin("run")
    assert pumped(outlet) == []
    assert not outlet.abandoned
    assert len(outlet.filenos()) == 2
    writers = [os.open(tmp_path / f"run.{stream}", os.O_WRONLY) for stream in ("stdout", "stderr")]
    os.write(writers[0], b"late")
    assert pumped(outlet) == [("stdout", "late")]
    assert not outlet.abandoned
    for writer in writers:
        os.close(writer)
    assert pumped(outlet) == []
    assert outlet.abandoned
    assert outlet.filenos() == []
    outlet.close()


def test_what_was_written_before_the_writers_left_is_read(tmp_path: Path) -> None:
    outlet = Outlet(tmp_path)
    outlet.begin("run")
    for stream in ("stdout", "stderr"):
        with (tmp_path / f"run.{stream}").open("w") as writer:
            writer.write(stream)
    assert not outlet.abandoned
    assert pumped(outlet) == [("stdout", "stdout"), ("stderr", "stderr")]
    assert outlet.abandoned
    outlet.close()
