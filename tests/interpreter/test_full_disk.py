"""Sessions where no file may grow any more, as on a full disk."""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opencodeinterpreter.errors import SessionError
from opencodeinterpreter.interpreter import SessionStore


@contextmanager
def no_room() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "sessions")


def test_a_session_that_cannot_be_begun_leaves_nothing(store: SessionStore) -> None:
    with store.create(title="before"):
        pass
    with no_room(), pytest.raises(SessionError, match="could not be saved"):
        store.create(title="no room")
    gc.collect()
    assert [info.title for info in store.infos()] == ["before"]
    assert len([path for path in store.root.iterdir() if path.is_dir()]) == 1


def test_a_session_is_let_go_of_and_can_be_opened_again(store: SessionStore) -> None:
    session = store.create()
    with no_room():
        with pytest.raises(SessionError, match="could not be saved"):
            session.append({"type": "comment", "text": "lost"})
        session.close()
    session.close()
    with store.open(session.id) as again:
        assert again.append({"type": "comment", "text": "kept"}) == 2
        assert [row.get("text") for row in again.events()] == [None, "kept"]
