"""The dataset card: what is in a data set, how it was made, and what is known to be weak about it, as Markdown.

It begins with the YAML header that hosts of data sets read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from opencodeinterpreter.codefeedback.presentation.statistics import Statistics
from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.interpreter.feedback import shorten

METHOD_NAMES: Final = {
    "packing": "single-turn packing",
    "simulation": "interaction simulation",
    "correction": "code correction",
    "similar": "LeetCode similar problems",
    "followup": "LeetCode follow-up",
    "session": "a person's own sessions",
}
_SPDX: Final = {
    "mit": "mit",
    "apache-2.0": "apache-2.0",
    "cc-by-4.0": "cc-by-4.0",
    "cc0-1.0": "cc0-1.0",
    "bsd-3-clause": "bsd-3-clause",
}
_SIZES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
)
_SAMPLE: Final = 900
"""Characters of one message that a sample shows."""


class Samples:
    """Keeps the first dialog of each method while all are passed on."""

    def __init__(self) -> None:
        self.kept: dict[str, Dialog] = {}

    def of(self, dialogs: Iterable[Dialog]) -> Iterator[Dialog]:
        """Yield the dialogs as they come."""
        for dialog in dialogs:
            self.kept.setdefault(str(dialog.meta.get("method") or "unknown"), dialog)
            yield dialog


def dataset_card(
    statistics: Statistics,
    samples: Mapping[str, Dialog],
    manifests: Sequence[Mapping[str, Any]] = (),
    *,
    name: str = "Code-Feedback",
    files: Mapping[str, Sequence[str]] | None = None,
    plot: str = "",
) -> str:
    """Return the card.

    Args:
        statistics: of the data set.
        samples: a dialog for each method.
        manifests: of the stages that made it, in their order.
        name: what the data set is called.
        files: its data files, as they lie beside the card, by the name of the form that they hold. Each form is loaded
            by its name; ``messages``, or else the first, where none is named.
        plot: the file name of the picture of its composition; empty for none.
    """
    sections = [
        _header(statistics, name, files or {}),
        f"# {name}\n\n{_summary(statistics)}",
        f"![Composition]({plot})" if plot else "",
        "## What is in it\n\n" + _methods(statistics),
        _counts("Languages", "dialogs", statistics.languages),
        _counts("What became of code in assistant messages", "messages", statistics.code),
        _counts("Simulated human feedback", "dialogs", statistics.human),
        "## Licences and sources\n\n" + _licences(statistics),
        "## How it was made\n\n" + _making(statistics, manifests),
        _drops(manifests),
        "## Form\n\n" + _FORM,
        "## Known weaknesses\n\n" + "\n".join(f"- {each}" for each in weaknesses(statistics, manifests)),
        "## Samples\n\n" + "\n\n".join(_sample(method, samples[method]) for method in samples) if samples else "",
    ]
    return "\n\n".join(section.strip("\n") for section in sections if section) + "\n"


def weaknesses(statistics: Statistics, manifests: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return, in sentences, what a user of the data should know, as far as the counts tell it."""
    whole, code = statistics.whole, statistics.code
    having = sum(code.values()) - code["no code"]
    stages = {str(manifest.get("stage")) for manifest in manifests}
    found = []
    if whole.dialogs and statistics.verified < whole.dialogs:
        found.append(f"{whole.dialogs - statistics.verified:,} of {whole.dialogs:,} dialogs have not been verified.")
    if having and code["not executed"]:
        found.append(
            f"{_share(code['not executed'], having)} of the messages with code were not executed: they are in other "
            "languages than Python, which are parsed and not run, or need what a sandbox does not have."
        )
    if code["ran, without tests"]:
        found.append(
            f"{_share(code['ran, without tests'], having)} of the messages with code ran without error and have no "
            "tests: that they do what was asked for is not shown."
        )
    if statistics.models:
        names = ", ".join(f"`{name}`" for name, _ in statistics.models.most_common(6))
        found.append(f"Text in {_share(_modelled(statistics), whole.dialogs)} of the dialogs was written by {names}.")
    if statistics.human:
        found.append("Human feedback in simulated dialogs was written by a model that plays the person.")
    if "packing" in statistics.methods:
        found.append("Packed dialogs join separate questions: a later one does not build on the answer before it.")
    if manifests and "decontaminate" not in stages:
        found.append("No manifest shows that it was checked for benchmark problems; do not report scores on them.")
    if statistics.estimated:
        found.append("Tokens are an estimate from the length of the text.")
    return found or ["None are known from the counts."]


def _header(statistics: Statistics, name: str, files: Mapping[str, Sequence[str]]) -> str:
    import yaml

    licences = {_SPDX.get(licence.lower(), "other") for licence in statistics.licences}
    size = next((text for limit, text in _SIZES if statistics.whole.dialogs < limit), "n>1M")
    header: dict[str, Any] = {
        "pretty_name": name,
        "license": licences.pop() if len(licences) == 1 else "other",
        "language": ["en"],
        "task_categories": ["text-generation"],
        "size_categories": [size],
        "tags": ["code", "conversational", "execution-feedback", "human-feedback", *sorted(statistics.methods)],
    }
    if files:
        header["configs"] = _configs(files)
    return f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True)}---"


def _configs(files: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Return a configuration a form: in one split together, each dialog would be there once a form."""
    forms = sorted(files, key=lambda form: form != "messages")
    configs: list[dict[str, Any]] = [
        {"config_name": form, "data_files": [{"split": "train", "path": list(files[form])}]} for form in forms
    ]
    configs[0]["default"] = True
    return configs


def _summary(statistics: Statistics) -> str:
    whole = statistics.whole
    tokens = f"{'about ' if statistics.estimated else ''}{whole.tokens:,} tokens"
    return (
        f"Dialogs in which code is written, executed and refined from what happened and from what a person says: "
        f"{whole.dialogs:,} dialogs, {whole.turns:,} turns, {tokens}. {whole.with_execution:,} dialogs have execution "
        f"feedback, {whole.with_human:,} human feedback. The methods are those of the Code-Feedback data set "
        "(arXiv 2402.14658, section 3)."
    )


def _methods(statistics: Statistics) -> str:
    rows = [
        [
            METHOD_NAMES.get(name, name),
            f"{part.dialogs:,}",
            f"{part.turns:,}",
            f"{part.turns / part.dialogs:.1f}",
            f"{part.tokens:,}",
            f"{part.with_execution:,}",
            f"{part.with_human:,}",
        ]
        for name, part in [*statistics.in_order(), ("**all**", statistics.whole)]
        if part.dialogs
    ]
    head = ["method", "dialogs", "turns", "turns a dialog", "tokens", "with execution feedback", "with human feedback"]
    return _table(head, rows)


def _counts(title: str, what: str, counts: Counter[str]) -> str:
    if not counts:
        return ""
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [[name, f"{number:,}", _share(number, total)] for name, number in ordered]
    return f"### {title}\n\n" + _table(["", what, "share"], rows)


def _licences(statistics: Statistics) -> str:
    def rows(counts: Counter[str]) -> list[list[str]]:
        return [[name, f"{number:,}"] for name, number in counts.most_common()]

    licences = _table(["licence", "dialogs"], rows(statistics.licences))
    return f"{licences}\n\n" + _table(["source", "dialogs"], rows(statistics.sources))


def _making(statistics: Statistics, manifests: Sequence[Mapping[str, Any]]) -> str:
    if not manifests:
        return "There are no manifests beside the data that would say how it was made."
    rows = []
    for manifest in manifests:
        models = manifest.get("models")
        names = sorted({str(each.get("name")) for each in models.values()}) if isinstance(models, Mapping) else []
        rows.append(
            [
                str(manifest.get("stage", "")),
                f"{manifest.get('rows_in') or 0:,}",
                f"{manifest.get('rows_out') or 0:,}",
                f"{manifest.get('rows_dropped') or 0:,}",
                ", ".join(names),
                "" if manifest.get("seed") is None else str(manifest["seed"]),
                str(manifest.get("started", ""))[:10],
                str(manifest.get("package_version", "")),
            ]
        )
    head = ["stage", "rows in", "rows out", "dropped", "models", "seed", "date", "version"]
    verified = f"{statistics.verified:,} of {statistics.whole.dialogs:,} dialogs were verified: roles, code, language, "
    return _table(head, rows) + f"\n\n{verified}execution feedback and the last code's run."


def _drops(manifests: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [str(manifest.get("stage", "")), reason, f"{number:,}"]
        for manifest in manifests
        for reason, number in sorted(_reasons(manifest).items(), key=lambda item: (-item[1], item[0]))
    ]
    return "### Rows dropped, by reason\n\n" + _table(["stage", "reason", "rows"], rows) if rows else ""


def _reasons(manifest: Mapping[str, Any]) -> dict[str, int]:
    drops = manifest.get("drops")
    return {str(name): int(number) for name, number in drops.items()} if isinstance(drops, Mapping) else {}


_FORM: Final = """One JSON object a line: `id`, `messages` and `meta`. A message has `role`, `content` and its own
`meta`: `kind` (query, answer, execution, human, repair), `passed` (whether the tests passed; empty without tests),
`train` (whether it is to be learned), `language`, `executed`, and `exec` with what an execution gave. Execution
feedback is a user message that begins with `Execution result: `. `ocint data export` gives other forms."""


def _sample(method: str, dialog: Dialog) -> str:
    parts = [f"### {METHOD_NAMES.get(method, method)}: `{dialog.id}`"]
    for message in dialog:
        marks = ", ".join(str(message.meta[key]) for key in ("kind",) if message.meta.get(key))
        quoted = "\n".join(f"> {line}".rstrip() for line in shorten(message.content, _SAMPLE).splitlines())
        parts.append(f"**{message.role}**{f' ({marks})' if marks else ''}\n\n{quoted}")
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [
        head,
        ["---"] + ["---:" if _is_number(column) else "---" for column in _columns(rows, len(head))[1:]],
        *rows,
    ]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _columns(rows: Sequence[Sequence[str]], number: int) -> list[list[str]]:
    return [[row[place] for row in rows] for place in range(number)]


def _is_number(column: Sequence[str]) -> bool:
    return bool(column) and all(re.fullmatch(r"[\d,.]+ ?%?", cell) for cell in column)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "0%"


def _modelled(statistics: Statistics) -> int:
    """Return how many dialogs a model had a part in: no fewer than its most frequent one."""
    return max(statistics.models.values(), default=0)
