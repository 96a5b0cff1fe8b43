"""Output within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.sandbox import Display, OutputDelta
from opencodeinterpreter.sandbox.output import OutputCollector
from opencodeinterpreter.sandbox.text import TextKeeper, as_shown, plain, size_of, split


class TestTextKeeper:
    @given(
        pieces=st.lists(
            st.tuples(st.sampled_from(["stdout", "stderr"]), st.text(min_size=1, max_size=40)), max_size=30
        ),
        limit=st.integers(min_value=0, max_value=200),
    )
    def test_it_keeps_head_and_tail_and_counts_the_rest(self, pieces: list[tuple[str, str]], limit: int) -> None:
        pieces = [(stream, text.encode("utf-8", "replace").decode()) for stream, text in pieces]
        keeper = TextKeeper(limit)
        for stream, text in pieces:
            keeper.add(stream, text)
        total = sum(size_of(text) for _, text in pieces)
        assert keeper.seen == total
        # Of a character that does not fit whole up to three bytes of room are lost.
        assert max(total - limit, 0) <= keeper.omitted <= max(total - limit, 0) + (3 if total > limit else 0)
        if keeper.omitted == 0:
            for stream in ("stdout", "stderr"):
                assert keeper.text(stream) == as_shown(plain("".join(text for name, text in pieces if name == stream)))

    def test_the_whole_is_on_disk_once_some_is_dropped(self, tmp_path: Path) -> None:
        keeper = TextKeeper(100, lambda: tmp_path / "logs" / "run.log")
        keeper.add("stdout", "a" * 90)
        assert keeper.log is None
        keeper.add("stderr", "b" * 90)
        keeper.add("stdout", "c" * 90)
        keeper.close()
        assert keeper.log is not None
        assert keeper.log.read_text() == "a" * 90 + "b" * 90 + "c" * 90
        assert keeper.text("stdout") == "a" * 50 + "\n[... 80 bytes left out ...]\n" + "c" * 50
        assert keeper.omitted == 170

    def test_the_log_has_a_limit_too(self, tmp_path: Path) -> None:
        keeper = TextKeeper(100, lambda: tmp_path / "run.log")
        for _ in range(100):
            keeper.add("stdout", "x" * 100)
        keeper.close()
        assert 2000 <= (tmp_path / "run.log").stat().st_size < 2100

    def test_without_a_limit_everything_is_kept(self) -> None:
        keeper = TextKeeper(None)
        keeper.add("stdout", "x" * 1_000_000)
        assert len(keeper.text("stdout")) == 1_000_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n", "a\n"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("10%\r", "10%"),
        ("\r50%", "50%"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
def test_what_is_written_over_is_gone(text: str, shown: str) -> None:
    assert as_shown(text) == shown


def test_colours_and_titles_are_taken_out() -> None:
    assert plain("\x1b[0;31mred\x1b[0m \x1b]0;title\x07\x1b[2Kdone\x1b(B") == "red done"


@given(st.text(), st.integers(min_value=0, max_value=50))
def test_a_split_loses_nothing_and_keeps_to_its_size(text: str, size: int) -> None:
    text = text.encode("utf-8", "replace").decode()
    head, tail = split(text, size)
    assert head + tail == text
    assert size_of(head) <= size


class TestCollector:
    def test_a_listener_hears_what_is_kept(self) -> None:
        heard: list[OutputDelta] = []
        collector = OutputCollector(100, heard.append)
        collector.add_text("stdout", "a")
        collector.add_message("execute_result", {"data": {"text/plain": "5"}}, 10)
        assert heard == [
            OutputDelta("stdout", text="a"),
            OutputDelta("result", display=Display({"text/plain": "5"}, "result")),
        ]

    def test_streams_of_other_kernels_lose_their_colours(self) -> None:
        collector = OutputCollector(None)
        collector.add_message("stream", {"name": "stderr", "text": "\x1b[31mno\x1b[0m"}, 10)
        assert collector.texts.text("stderr") == "no"

    @pytest.mark.parametrize("data", [None, 5, [], {}, {5: "x"}])
    def test_a_bundle_that_is_none_is_ignored(self, data: object) -> None:
        collector = OutputCollector(None)
        collector.add_message("display_data", {"data": data}, 10)
        assert collector.displays == ()

    def test_text_given_as_lines_is_joined_and_json_is_not(self) -> None:
        collector = OutputCollector(None)
        collector.add_message("display_data", {"data": {"text/html": ["<b>", "</b>"], "application/json": ["a"]}}, 10)
        assert collector.displays[0].data == {"text/html": "<b></b>", "application/json": ["a"]}
