"""The figures as tables, and the page that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

BEGIN = "<!-- What stands between these two lines is written by: python -m benchmarks.serving --write PAGE -->"
END = "<!-- End of what is written by the program. -->"
Record = dict[str, Any]
_Table = list[Sequence[str]]


def tables(records: Sequence[Record]) -> str:
    """Return all tables for which there are records, as Markdown."""
    levels = [record["result"] for record in records if record["part"].startswith("sessions-")]
    parked = [record["result"] for record in records if record["part"] == "parking"]
    talks = [record["result"] for record in records if record["part"].startswith("users-")]
    blocks = []
    if levels:
        blocks += ["### Many sessions, a script for a model", _markdown(_levels(levels))]
    if parked:
        blocks += ["### Sessions that are parked and come back", _markdown(_parking(parked[0]))]
    if talks:
        blocks += [f"### People with {talks[0]['model']}", _markdown(_users(talks))]
    parts = {"many sessions": levels, "parking": parked, "people with a model": talks}
    missing = [name for name, found in parts.items() if not found]
    if missing:
        blocks.append(f"Not measured yet: {', '.join(missing)}.")
    return "\n\n".join([*blocks, _origin(records), *_faults(records)])


def faultless(records: Sequence[Record]) -> bool:
    """Whether there were neither errors nor leftovers."""
    return not any(record["result"]["errors"] or record["result"]["left"] for record in records)


def write(page: Path, records: Sequence[Record]) -> None:
    """Put the tables into a page, between its two marks; a page that is not there is begun."""
    text = page.read_text(encoding="utf-8") if page.exists() else f"# Many users\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest:
        raise ValueError(f"{page} has no line {BEGIN!r}")
    page.write_text(f"{before}{BEGIN}\n\n{tables(records)}\n\n{END}{after}", encoding="utf-8")


def _levels(levels: Sequence[Record]) -> _Table:
    alone = median(levels[0]["bare"])

    def row(name: str, cell: Any) -> Sequence[str]:
        return [name, *(cell(level) for level in levels)]

    def ratio(level: Record, of: str, to: float) -> str:
        return f"{median(level[of]) / to:.1f}×" if level[of] else "-"

    return [
        ["", *(f"{_number(level)} at once" if _number(level) > 1 else "1 session" for level in levels)],
        row("a new session, to the result of its first code", lambda it: _spread(it["starts"])),
        row("a message, answered with one execution", lambda it: _spread(it["turns"])),
        row("an execution, one after the other without a pause", lambda it: _spread(it["executions"])),
        row("the same in as many bare `Sandbox`es of one program", lambda it: _spread(it["bare"])),
        row("ratio of the two", lambda it: ratio(it, "executions", median(it["bare"]))),
        row("executions a second, all sessions together", lambda it: f"{it['executions_a_second']:.0f}"),
        row("processor time an execution, server and jail", lambda it: f"{1000 * it['cpu_an_execution']:.0f} ms"),
        row("an execution, each person pausing before it", lambda it: _spread(it["paced"])),
        row("mean pause", lambda it: f"{it['load']['pause_seconds']:g} s"),
        row("ratio to one bare `Sandbox` with the machine to itself", lambda it: ratio(it, "paced", alone)),
        row("memory of the server before the first session", lambda it: _mib(it["server_alone"])),
        row("memory of the server, all sessions idle", lambda it: _mib(it["server"])),
        row("memory of the jails", lambda it: _mib(it["jails"])),
        row("memory a session, its jail and the server's growth", lambda it: _mib(_a_session(it))),
        row("all deleted within", lambda it: _seconds(it["closing"])),
        row("errors", lambda it: _count(it["errors"])),
        row("processes, folders and sockets left", lambda it: _count(it["left"])),
    ]


def _parking(found: Record) -> _Table:
    sessions = found["sessions"]
    saved = (found["before"] - found["after"]) / sessions
    return [
        ["", f"{sessions} sessions"],
        ["memory of server and jails, all idle", _mib(found["before"])],
        ["memory of server and jails, all parked", _mib(found["after"])],
        ["before the first session", _mib(found["empty"])],
        ["saved by parking a session", _mib(saved)],
        ["an execution in a session that has its kernel", _spread(found["stayed"])],
        [f"the first of one that comes back, {found['cells']} cells replayed", _spread(found["returned"])],
        ["the same, all coming back at once", _spread(found["returned_at_once"])],
        ["errors", _count(found["errors"])],
        ["processes, folders and sockets left", _count(found["left"])],
    ]


def _users(talks: Sequence[Record]) -> _Table:
    sides = [(record, side) for record in talks for side in ("alone", "at_once")]

    def row(name: str, cell: Any) -> Sequence[str]:
        return [name, *(cell(record, side) for record, side in sides)]

    def times(key: str) -> Any:
        return lambda record, side: _range([talk[key] for talk in record[side]])

    def head(record: Record, side: str) -> str:
        people = len({talk["person"] for talk in record[side]})
        how = "one after the other" if side == "alone" else f"{people} at once"
        return f"`--parallel {record['parallel']}`, {how}"

    return [
        ["", *(head(record, side) for record, side in sides)],
        row("to the first text", times("first")),
        row("to the answer", times("answered")),
        row("tokens a second, all together", _rate),
        row("how many times longer than alone, each person", _slower),
        row("prompt tokens out of the cache, each session", _cached),
        row("memory of server, model and jails", lambda record, _: _mib(record["memory"])),
        row("errors", lambda record, _: _count(record["errors"])),
        row("left", lambda record, _: _count(record["left"])),
    ]


def _rate(record: Record, side: str) -> str:
    tokens = sum(talk["tokens"] for talk in record[side])
    whole = _of_people(record[side], "answered")
    seconds = sum(whole) if side == "alone" else max(whole, default=0.0)
    return f"{tokens / seconds:.1f}" if seconds else "-"


def _slower(record: Record, side: str) -> str:
    """Return the smallest and the largest of the people's ratios, by token, for replies differ in length."""
    if side == "alone":
        return "1"
    now, before = (
        [
            seconds / max(1, tokens)
            for seconds, tokens in zip(_of_people(talks, "answered"), _of_people(talks, "tokens"), strict=True)
        ]
        for talks in (record["at_once"], record["alone"])
    )
    ratios = sorted(a / b for a, b in zip(now, before, strict=False))
    return f"{ratios[0]:.1f} to {ratios[-1]:.1f} (by token)" if ratios else "-"


def _cached(record: Record, side: str) -> str:
    prompts, cached = _of_people(record[side], "prompt"), _of_people(record[side], "cached")
    shares = sorted(100 * part / max(1, whole) for part, whole in zip(cached, prompts, strict=True))
    return f"{shares[0]:.0f} to {shares[-1]:.0f} %" if shares else "-"


def _of_people(talks: Iterable[Record], key: str) -> list[float]:
    """Return the sum of a figure over each person's messages."""
    sums: dict[int, float] = {}
    for talk in talks:
        sums[talk["person"]] = sums.get(talk["person"], 0.0) + talk[key]
    return [sums[person] for person in sorted(sums)]


def _number(level: Record) -> int:
    return int(level["load"]["sessions"])


def _a_session(level: Record) -> float:
    return float(level["jails"] + level["server"] - level["server_alone"]) / _number(level)


def _spread(seconds: Sequence[float]) -> str:
    """Return the median and the 95th percentile."""
    if not seconds:
        return "-"
    high = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return f"{_seconds(median(seconds))} ({_seconds(high)})"


def _range(seconds: Sequence[float]) -> str:
    return f"{_seconds(median(seconds))} (at most {_seconds(max(seconds))})" if seconds else "-"


def _seconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.1f} s"


def _mib(value: float) -> str:
    return f"{value:.0f} MiB" if value >= 100 else f"{value:.1f} MiB"


def _count(found: Sequence[str]) -> str:
    return f"**{len(found)}**" if found else "none"


def _markdown(table: _Table) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in table]
    return "\n".join([lines[0], "|" + "---|" * len(table[0]), *lines[1:]])


def _origin(records: Sequence[Record]) -> str:
    """Return when, with what and on what all this was measured."""
    last = records[-1]
    parts = "; ".join(f"{name} {value}" for name, value in last["machine"].items() if name != "load before")
    commits = ", ".join(dict.fromkeys(f"`{record['commit']}`" for record in records))
    loads = ", ".join(dict.fromkeys(record["machine"]["load before"].split()[0] for record in records))
    busy = [record["part"] for record in records if record["busy"]]
    other = f" The machine had other work before: {', '.join(busy)}; its times are too long." if busy else ""
    return (
        f"Medians, in brackets the 95th percentile. Measured on {last['date']} at commit {commits}. "
        f"Machine: {parts}. Running processes a core before it began: {loads}.{other}"
    )


def _faults(records: Sequence[Record]) -> list[str]:
    """Return a list of what went wrong, where anything did."""
    found = [
        f"- {record['part']}: {line[:300]}"
        for record in records
        for line in [*record["result"]["errors"], *record["result"]["left"]][:10]
    ]
    return ["What went wrong:\n\n" + "\n".join(found)] if found else []
