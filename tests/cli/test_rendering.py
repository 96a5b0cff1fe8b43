from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from opencodeinterpreter.cli.images import draw, iterm2, kitty, sixel
from opencodeinterpreter.cli.output import Figures, OutputPrinter
from opencodeinterpreter.cli.reply import ReplyPrinter
from opencodeinterpreter.cli.spinner import Spinner
from opencodeinterpreter.cli.tables import html_table, markdown_table
from opencodeinterpreter.cli.text import Cleaner, clean, count, one_line, seconds, size, visible
from opencodeinterpreter.sandbox.base import Display, OutputDelta


def console(width: int = 60, terminal: bool = True, colours: bool = False) -> Console:
    return Console(
        file=io.StringIO(), width=width, force_terminal=terminal, highlight=False, markup=False, emoji=False,
        color_system="truecolor" if colours else None, legacy_windows=False,
    )  # fmt: skip


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def reply(text: str, pieces: int = 3, **options: object) -> str:
    out = console(**options)  # type: ignore[arg-type]
    printer = ReplyPrinter(out, "dark")
    for start in range(0, len(text), pieces):
        printer.feed(text[start : start + pieces])
    printer.close()
    assert printer.at_line_start
    return written(out)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;2;0;0;0\x1b\\after", "after"),
        ("\x9b31mred", "red"),
        ("bell\x07 back\x08 null\x00", "bell back null"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("a\u202eb\u2066c", "abc"),
    ],
)
def test_clean_leaves_no_control_characters(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_sequence_cut_in_two_is_still_taken_out(cut: int) -> None:
    cleaner = Cleaner()
    text = "a\x1b]52;c;ZQ==\x07b\x1b[1mc"
    assert cleaner.feed(text[:cut]) + cleaner.feed(text[cut:]) + cleaner.feed("", last=True) == "abc"


def test_a_sequence_that_never_ends_does_not_swallow_the_output() -> None:
    cleaner = Cleaner()
    shown = "".join(cleaner.feed("\x1b]" + "x" * 1000) for _ in range(10))
    assert "x" * 1000 in shown
    assert "\x1b" not in shown


def test_visible_shows_what_code_hides() -> None:
    assert visible("a = '\x1b[0m'\u202e\r\n\t1") == "a = '␛[0m'\ufffd\n\t1"


def test_numbers_as_people_read_them() -> None:
    assert [size(1), size(999), size(1500), size(2_000_000), size(3_100_000_000_000)] == [
        "1 bytes", "999 bytes", "1.5 kB", "2.0 MB", "3100.0 GB",
    ]  # fmt: skip
    assert [seconds(0.04), seconds(12.3), seconds(65), seconds(3700)] == ["0.0 s", "12 s", "1 min 5 s", "1 h 1 min"]
    assert [count(1, "round"), count(1200, "round")] == ["1 round", "1,200 rounds"]
    assert one_line("a\n b\x1b[1m" + "c" * 300, 10) == "a bcccccc…"


def test_prose_is_folded_at_words() -> None:
    shown = reply("word " * 30, width=40)
    assert max(map(len, shown.splitlines())) <= 40
    assert shown.split() == ["word"] * 30


def test_items_hang() -> None:
    assert reply("- " + "word " * 12, width=30).splitlines()[1].startswith("  word")


def test_markdown_is_rendered() -> None:
    shown = reply("# Title\n\n**Bold** and `code`, 2**10.\n* item\n1. first\n", colours=True)
    assert "\x1b[1;4mTitle" in shown
    assert "\x1b[1mBold\x1b[0m and \x1b[36mcode\x1b[0m, 2**10." in shown
    assert "• \x1b[0mitem" in shown
    assert "1. \x1b[0mfirst" in shown


def test_reasoning_is_dim() -> None:
    shown = reply("<think>Hm.\nWell.</think>\nYes.", colours=True)
    assert "\x1b[2;3mHm.\x1b[0m" in shown
    assert "\x1b[2;3mWell.\x1b[0m" in shown
    assert "\nYes." in shown


def test_rich_markup_is_text() -> None:
    assert "[red]x[/red] :smile:" in reply("[red]x[/red] :smile:\n")


@pytest.mark.parametrize("pieces", [1, 2, 7, 1000])
def test_code_is_coloured_line_by_line(pieces: int) -> None:
    out = console(colours=True)
    printer = ReplyPrinter(out, "dark")
    text = 'So:\n```python\nx = """a\nimport b"""\nimport c\n```\n'
    for start in range(0, len(text), pieces):
        printer.feed(text[start : start + pieces])
    printer.close()
    assert printer.blocks == ['x = """a\nimport b"""\nimport c']
    shown = written(out)
    assert "\x1b[32;49mimport b" in shown  # inside a string
    assert "\x1b[95;49mimport" in shown
    assert "```" not in shown


def test_outside_a_terminal_a_reply_stays_markdown() -> None:
    text = "So **this**:\n\n```python\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert reply(text, terminal=False) == text


def test_a_markdown_table_becomes_a_table() -> None:
    shown = reply("Here:\n| name | n |\n|---|---:|\n| a\\|b | 10 |\n| **c** | 9 |\n\nEnd.\n")
    assert "name    n\n" in shown
    assert "a|b    10\n" in shown
    assert "|---" not in shown
    assert shown.rstrip().endswith("End.")


def test_what_only_looks_like_a_table_stays() -> None:
    assert "|x| is a norm|" in reply("|x| is a norm|\n")
    assert markdown_table(["|a|b|", "|c|d|"], console()) is None


HTML = (
    '<style>td {}</style><table class="dataframe"><thead><tr><th></th><th>n</th></tr></thead>'
    "<tbody><tr><th>a&amp;b</th><td>1.5</td></tr><tr><th>c</th><td>-2</td></tr></tbody></table>"
)


def test_a_data_frame_becomes_a_table() -> None:
    out = console()
    table = html_table(HTML, out)
    assert table is not None
    out.print(table)
    assert "a&b   1.5\n" in written(out)
    assert "td {}" not in written(out)


def test_a_table_that_does_not_fit_is_none() -> None:
    assert html_table(HTML.replace("1.5", "x" * 200), console()) is None
    assert html_table("<table></table>", console()) is None
    assert html_table("<table><tr>" + "<td>1" * 10 + "<script>", console()) is None


def printed(deltas: list[OutputDelta], tmp_path: Path, *, images: str = "none", **options: object) -> str:
    out = console(**options)  # type: ignore[arg-type]
    printer = OutputPrinter(out, Figures(tmp_path / "figures"), images)
    for delta in deltas:
        printer.feed(delta)
    printer.close()
    return written(out)


def texts(*pieces: str, stream: str = "stdout") -> list[OutputDelta]:
    return [OutputDelta(stream, text=piece) for piece in pieces]  # type: ignore[arg-type]


def test_output_stands_behind_a_gutter(tmp_path: Path) -> None:
    deltas = texts("on", "e\ntw", "o") + texts("warning\n", stream="stderr")
    assert printed(deltas, tmp_path, terminal=False) == "│ one\n│ two\n│ warning\n"


def test_a_rich_output_in_the_middle_of_a_line(tmp_path: Path) -> None:
    result = [OutputDelta("result", display=Display({"text/plain": "42"}, "result"))]
    assert printed(texts("out") + result + texts("\nmore\n"), tmp_path, terminal=False) == "│ out\n│ 42\n│ more\n"


def test_progress_bars_keep_their_last_state(tmp_path: Path) -> None:
    shown = printed(texts("10 %\r", "50 %\r", "100 %\nend\n"), tmp_path, terminal=False)
    assert shown == "│ 100 %\n│ end\n"


def test_long_lines_are_folded_behind_the_gutter(tmp_path: Path) -> None:
    lines = printed(texts("x" * 100 + "\n"), tmp_path, width=40).splitlines()
    assert lines == ["│ " + "x" * 38, "│ " + "x" * 38, "│ " + "x" * 24]


def test_a_flood_shows_its_head_and_its_end(tmp_path: Path) -> None:
    flood = texts("".join(f"{number}\n" for number in range(5000)))
    lines = printed(flood, tmp_path).splitlines()
    assert len(lines) < 250
    assert lines[-1] == "│ 4999"
    assert any("lines not shown" in line for line in lines)
    assert len(printed(flood, tmp_path, terminal=False).splitlines()) == 5000


def png() -> bytes:
    file = io.BytesIO()
    picture = Image.new("RGBA", (20, 13), (0, 0, 255, 255))
    picture.putpixel((3, 7), (255, 0, 0, 128))
    picture.save(file, "PNG")
    return file.getvalue()


def shows(kind: str, content: object) -> list[OutputDelta]:
    return [OutputDelta("display", display=Display({kind: content, "text/plain": "plain"}))]


def test_figures_are_saved_and_named(tmp_path: Path) -> None:
    raw = png()
    deltas = shows("image/png", base64.b64encode(raw).decode()) + shows("image/svg+xml", "<svg></svg>")
    shown = printed(deltas, tmp_path, terminal=False, width=300)
    assert (tmp_path / "figures" / "figure-1.png").read_bytes() == raw
    assert (tmp_path / "figures" / "figure-1.svg").read_text() == "<svg></svg>"
    assert "figure-1.png" in shown
    assert "figure-1.svg" in shown


def test_figures_are_links_in_a_terminal(tmp_path: Path) -> None:
    deltas = shows("image/png", base64.b64encode(png()).decode())
    shown = printed(deltas, tmp_path, colours=True)
    assert (tmp_path / "figures" / "figure-1.png").as_uri() in shown


def test_a_picture_that_is_not_base64_is_shown_as_text(tmp_path: Path) -> None:
    assert printed(shows("image/png", "?"), tmp_path, terminal=False) == "│ plain\n"


def test_other_rich_outputs_are_shown_as_text(tmp_path: Path) -> None:
    assert printed(shows("application/json", {"a": [1]}), tmp_path, terminal=False) == "│ plain\n"
    only = [OutputDelta("result", display=Display({"application/json": {"a": 1}}, "result"))]
    assert '"a": 1' in printed(only, tmp_path, terminal=False)


def test_html_that_needs_a_browser_is_saved(tmp_path: Path) -> None:
    printed(shows("text/html", "<div><script>1</script></div>"), tmp_path)
    assert (tmp_path / "figures" / "figure-1.html").exists()


def test_kitty_pictures_come_in_chunks() -> None:
    text = kitty(bytes(10_000))
    assert text.startswith("\x1b_Ga=T,f=100,q=2,m=1;")
    assert text.count("\x1b_G") == 4
    assert text.count("m=0;") == 1
    assert all(len(part) < 4200 for part in text.split("\x1b\\"))


def test_iterm2_pictures() -> None:
    assert iterm2(b"abc") == "\x1b]1337;File=inline=1;size=3;preserveAspectRatio=1:YWJj\x07"


def test_sixel_pictures_draw_every_pixel() -> None:
    text = sixel(png())
    assert text.startswith('\x1bPq"1;1;20;13#0;2;')
    assert text.endswith("-\x1b\\")
    assert text.count("-") == 3  # 13 rows are three bands of six
    assert sixel(b"no picture") == ""


def test_nothing_is_drawn_where_the_terminal_cannot() -> None:
    out = console()
    draw(out, png(), "none")
    assert written(out) == ""
    draw(out, png(), "kitty")
    assert written(out).startswith("\x1b_G")


def test_the_spinner_shows_in_terminals_only() -> None:
    for terminal, seen in ((True, True), (False, False)):
        err = console(terminal=terminal)
        spinner = Spinner(err)
        spinner.wait_for("thinking")
        spinner.tick()
        spinner.clear()
        assert ("thinking 0 s" in written(err)) is seen
        assert written(err).endswith("\r\x1b[K") is seen
