from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.models import Generation
from opencodeinterpreter.models.response_cache import Reply, ResponseCache, Tokens, response_key

HELLO = (Message("user", "hello"),)


def test_what_was_put_in_comes_back_marked_as_cached(tmp_path: Path) -> None:
    reply = Reply("hi \ud800", "stop", Tokens(3, 1, 2), 0.5)
    with ResponseCache(tmp_path / "deep" / "replies.sqlite") as cache:
        assert cache.get("a") is None
        cache.put("a", reply)
    with ResponseCache(tmp_path / "deep" / "replies.sqlite") as cache:
        found = cache.get("a")
    assert found == Reply("hi \ud800", "stop", Tokens(3, 1, 2), 0.5, cached=True)


@pytest.mark.parametrize(
    "other",
    [
        response_key("other", HELLO, Generation()),
        response_key("model", (Message("user", "hello "),), Generation()),
        response_key("model", (Message("system", "hello"),), Generation()),
        response_key("model", HELLO, Generation(max_tokens=5)),
        response_key("model", HELLO, Generation(temperature=0.7)),
    ],
)
def test_the_key_holds_all_that_decides_a_reply(other: str) -> None:
    assert other != response_key("model", HELLO, Generation())


def test_a_seed_counts_for_drawn_replies_only() -> None:
    greedy = response_key("model", HELLO, Generation(seed=1)), response_key("model", HELLO, Generation(seed=2))
    drawn = [response_key("model", HELLO, Generation(temperature=1.0, seed=seed)) for seed in (1, 2)]
    assert greedy[0] == greedy[1]
    assert drawn[0] != drawn[1]


def test_what_a_message_is_for_does_not_count() -> None:
    marked = (Message("user", "hello", {"kind": "task"}),)
    assert response_key("model", marked, Generation()) == response_key("model", HELLO, Generation())


def test_threads_share_it(tmp_path: Path) -> None:
    with ResponseCache(tmp_path / "replies.sqlite") as cache, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: cache.put(str(number), Reply(str(number), "stop")), range(64)))
        assert len(cache) == 64
        assert [cache.get(str(number)).text for number in range(64)] == [str(number) for number in range(64)]  # type: ignore[union-attr]


def test_a_killed_program_loses_nothing_that_it_put_in(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from opencodeinterpreter.models.response_cache import Reply, ResponseCache\n"
        "cache = ResponseCache(Path(sys.argv[1])); cache.put('a', Reply('kept', 'stop')); os._exit(9)"
    )
    path = tmp_path / "replies.sqlite"
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == 9
    with ResponseCache(path) as cache:
        assert cache.get("a") == Reply("kept", "stop", cached=True)


def test_a_reply_of_another_form_is_none(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    with ResponseCache(path) as cache:
        cache.put("a", Reply("x", "stop"))
        file = sqlite3.connect(path)
        with file:
            file.execute("UPDATE replies SET reply = '{}'")
        file.close()
        assert cache.get("a") is None


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    path.write_text("no database, but long enough to be looked at " * 50)
    with pytest.raises(ConfigError, match=r"replies\.sqlite cannot be used"):
        ResponseCache(path)


def test_a_file_that_was_damaged_meanwhile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    with ResponseCache(path) as cache:
        cache.put("a", Reply("hi", "stop"))
        with sqlite3.connect(path) as other:
            other.execute("DROP TABLE replies")
        for read in (lambda: cache.get("a"), lambda: len(cache)):
            with pytest.raises(ConfigError, match=r"response cache .*replies\.sqlite cannot be read: no such table"):
                read()
