"""Tables as tables: from the HTML of a data frame and from Markdown."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from opencodeinterpreter.cli.text import one_line

_ROWS = 40
_COLUMNS = 40
_NUMBER = re.compile(r"^[-+−]?[\d.,\s]*\d[\d.,]*(e[-+]?\d+)?\s*%?$|^(nan|inf|-inf|…|\.\.\.)$", re.IGNORECASE)


class _Reader(HTMLParser):
    """Reads the first table of an HTML text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self.heads = 0
        """How many rows stand in the table's head."""
        self._cell: list[str] | None = None
        self._span = 1
        self._in_head = False
        self._tables = 0
        self._ignored = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tables += tag == "table"
        self._ignored += tag in ("style", "script")
        if self._tables != 1 or self._ignored:
            return
        if tag == "thead":
            self._in_head = True
        elif tag == "tr":
            self.rows.append([])
            self.heads += self._in_head
        elif tag in ("td", "th") and self.rows:
            self._cell = []
            span = dict(attrs).get("colspan") or "1"
            self._span = min(int(span), _COLUMNS) if span.isdecimal() else 1

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self._ignored = max(self._ignored - 1, 0)
        elif tag == "thead":
            self._in_head = False
        elif tag in ("td", "th") and self._cell is not None:
            self.rows[-1].append(one_line("".join(self._cell), 500))
            self.rows[-1].extend([""] * (self._span - 1))
            self._cell = None
        elif tag == "table":
            self._tables += 1  # later tables are passed over

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._ignored:
            self._cell.append(data)


def html_table(html: str, console: Console) -> Table | None:
    """Return the first table of ``html``, or None if there is none or it does not fit the console."""
    if "<table" not in html or len(html) > 500_000:
        return None
    reader = _Reader()
    reader.feed(html)
    reader.close()
    rows = [row for row in reader.rows if row]
    heads = min(reader.heads, len(rows))
    if not rows or len(rows) > _ROWS + heads:
        return None
    return _fitting(rows[:heads], rows[heads:], console, index='class="dataframe"' in html or "<th>" in html)


def markdown_table(lines: list[str], console: Console) -> Table | None:
    """Return the table that ``lines`` of Markdown draw, or None if they draw none."""
    rows = [[_unmarked(cell) for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])] for line in lines]
    if len(rows) < 2 or not all(re.fullmatch(r":?-+:?", cell) for cell in rows[1]):
        return None
    return _fitting(rows[:1], rows[2:], console, index=False)


def _unmarked(cell: str) -> str:
    return one_line(re.sub(r"\*\*|`", "", cell.replace("\\|", "|")), 500)


def _fitting(heads: list[list[str]], rows: list[list[str]], console: Console, index: bool) -> Table | None:
    width = max(len(row) for row in [*heads, *rows])
    if width > _COLUMNS:
        return None
    for row in [*heads, *rows]:
        row.extend([""] * (width - len(row)))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=bool(heads))
    for number in range(width):
        column = [row[number] for row in rows]
        numeric = bool(column) and all(_NUMBER.match(cell) or not cell for cell in column)
        table.add_column(
            Text("\n".join(head[number] for head in heads).strip()),
            justify="right" if numeric else "left",
            style="dim" if index and number == 0 else "",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*map(Text, row))
    wide = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    return table if wide <= console.width - 2 else None


def print_table(heads: list[str], rows: list[list[str]], console: Console) -> None:
    """Print a list of ours as a table; outside a terminal as lines with tabs, for other programs to read."""
    cells = [[one_line(cell, 500) for cell in row] for row in rows]
    if not console.is_terminal:
        for row in [heads, *cells]:
            console.file.write("\t".join(row) + "\n")  # print() would turn tabs into spaces
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, head in enumerate(heads):
        numeric = bool(cells) and all(_NUMBER.match(row[number].split(" ")[0]) or not row[number] for row in cells)
        last = number == len(heads) - 1
        table.add_column(head, justify="right" if numeric else "left", no_wrap=not last, overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)
