"""Dialogs in the forms that other programs read, as JSONL or Parquet, and back again.

| form | a row | execution feedback |
|---|---|---|
| ``messages`` | ``id``, ``messages`` with what training needs, what is known of the dialog | a user message |
| ``code-feedback`` | ``id``, ``messages`` of role and content | a user message that begins ``Execution result: `` |
| ``tool`` | ``id``, ``messages`` of role and content | a message of the role ``tool``, without those words |
| ``sharegpt`` | ``id``, ``conversations`` of ``from`` and ``value`` | as in ``code-feedback`` |

Code stands in the assistant's text in every form. A row has every field of its form, so that tables can be made of it.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, Protocol, get_args

from opencodeinterpreter.codefeedback.files.jsonl import read_records
from opencodeinterpreter.codefeedback.files.row_files import row_bytes
from opencodeinterpreter.codefeedback.verification.checks import FEEDBACK_BEGIN
from opencodeinterpreter.codefeedback.verification.executions import FEEDBACK
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.errors import InputError, MissingExtraError

Form = Literal["messages", "code-feedback", "tool", "sharegpt"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)
ENDINGS: Final = (".jsonl", ".jsonl.gz", ".parquet")

_BATCH: Final = 1000
"""Rows of a Parquet file that are in memory at once."""
_SPEAKERS: Final = {"system": "system", "user": "human", "assistant": "gpt"}
_ROLES: Final = {"system": "system", "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}
_KEPT: Final = {
    "kind": "",
    "language": "",
    "passed": None,
    "train": None,
    "executed": None,
    "source": "",
    "licence": "",
}
"""What of a message's meta goes with the form ``messages``, and what stands there where it is not known."""
_KNOWN: Final = {"method": "", "language": "", "licence": ""}


def to_form(dialog: Dialog, form: str) -> dict[str, Any]:
    """Return a dialog as a row of a form. Its id becomes text, since a column has one type.

    Raises:
        InputError: if there is no such form.
    """
    identity = "" if dialog.id is None else str(dialog.id)
    match form:
        case "messages":
            known = {name: _text(dialog.meta.get(name)) for name in _KNOWN}
            sources = [str(each) for each in dialog.meta.get("sources") or ()]
            return {"id": identity, "messages": [_whole(each) for each in dialog], **known, "sources": sources}
        case "code-feedback":
            return {"id": identity, "messages": [{"role": each.role, "content": each.content} for each in dialog]}
        case "tool":
            return {"id": identity, "messages": [_with_tool(each) for each in dialog]}
        case "sharegpt":
            said = [{"from": _SPEAKERS[each.role], "value": each.content} for each in dialog]
            return {"id": identity, "conversations": said}
    raise InputError(f"There is no form {form!r}; choose one of {', '.join(FORMS)}.")


def from_form(row: Mapping[str, Any], form: str) -> Dialog:
    """Return the dialog of a row of a form.

    Raises:
        InputError: if the row is not of this form, or there is no such form.
    """
    if form not in FORMS:
        raise InputError(f"There is no form {form!r}; choose one of {', '.join(FORMS)}.")
    given = row.get("conversations" if form == "sharegpt" else "messages")
    if not isinstance(given, list):
        raise InputError(f"a row of the form {form} must have a list of messages")
    if form == "sharegpt":
        messages = [Message.from_json({"role": _ROLES.get(str(each.get("from"))), "content": each.get("value")})
                    for each in given if isinstance(each, Mapping)]  # fmt: skip
    else:
        messages = [_message(each) for each in given]
    meta = {}
    if form == "messages":
        meta = {name: row[name] for name in (*_KNOWN, "sources") if row.get(name)}
    identity = row.get("id")
    return Dialog(tuple(messages), identity if isinstance(identity, str | int) and identity != "" else None, meta)


def read_dialog_file(path: Path) -> Iterator[Dialog]:
    """Yield the dialogs of a file of rows, as the stages write it.

    Raises:
        InputError: naming file and line of a record that is no dialog.
    """
    for record in read_records(path):
        if record.row is None:
            raise InputError(f"{record.place} cannot be used: {record.fault}")
        try:
            yield Dialog.from_json(record.row)
        except InputError as error:
            raise InputError(f"{record.place} is not a dialog: {error}") from error


def export_dialogs(dialogs: Iterable[Dialog], form: str, out: Path) -> int:
    """Write dialogs to a file in a form; the ending of its name says as what. Return how many.

    It appears when it is whole.

    Raises:
        InputError: if there is no such form, or no such ending.
        MissingExtraError: if Parquet is asked for without ``pyarrow``.
    """
    if form not in FORMS:
        raise InputError(f"There is no form {form!r}; choose one of {', '.join(FORMS)}.")
    if not out.name.endswith(ENDINGS):
        raise InputError(
            f"The name of the file must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}, not as {out.name}."
        )
    rows = (to_form(dialog, form) for dialog in dialogs)
    partial = out.with_name(out.name + ".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    try:
        with ExitStack() as stack:
            writer: _Writer = (
                _Parquet(partial, form, stack) if out.suffix == ".parquet" else _Lines(partial, out, stack)
            )
            while batch := list(islice(rows, _BATCH)):
                writer.write(batch)
                count += len(batch)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return count


class _Writer(Protocol):
    def write(self, rows: list[dict[str, Any]]) -> None: ...


class _Lines:
    def __init__(self, path: Path, out: Path, stack: ExitStack) -> None:
        file = stack.enter_context(path.open("wb"))
        packed = out.suffix == ".gz"
        # Without a time and a name, so that the same rows give the same bytes.
        self._file = stack.enter_context(gzip.GzipFile("", "wb", 9, file, mtime=0)) if packed else file

    def write(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            self._file.write(row_bytes(row))


class _Parquet:
    def __init__(self, path: Path, form: str, stack: ExitStack) -> None:
        try:
            import pyarrow as arrow
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtraError("Writing Parquet", "data") from error
        self._arrow = arrow
        self._schema = _schema(arrow, form)
        self._writer = stack.enter_context(parquet.ParquetWriter(path, self._schema, compression="zstd"))

    def write(self, rows: list[dict[str, Any]]) -> None:
        table = self._arrow.Table.from_pylist([_storable(row) for row in rows], schema=self._schema)
        self._writer.write_table(table)


def _schema(arrow: Any, form: str) -> Any:
    """Return the columns of a form: guessed from the first rows they would miss what only later ones have."""
    text, truth = arrow.string(), arrow.bool_()
    if form == "sharegpt":
        said = arrow.struct([("from", text), ("value", text)])
        return arrow.schema([("id", text), ("conversations", arrow.list_(said))])
    fields = [("role", text), ("content", text)]
    columns: list[tuple[str, Any]] = []
    if form == "messages":
        fields += [(name, text if empty == "" else truth) for name, empty in _KEPT.items()]
        columns = [*((name, text) for name in _KNOWN), ("sources", arrow.list_(text))]
    return arrow.schema([("id", text), ("messages", arrow.list_(arrow.struct(fields))), *columns])


def _storable(value: Any) -> Any:
    """Return a value whose texts can be stored as UTF-8: models write halves of surrogate pairs now and then."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


def _whole(message: Message) -> dict[str, Any]:
    meta = {name: message.meta.get(name, empty) for name, empty in _KEPT.items()}
    for name, empty in _KEPT.items():
        meta[name] = _text(meta[name]) if empty == "" else meta[name] if isinstance(meta[name], bool) else None
    return {"role": message.role, "content": message.content, **meta}


def _with_tool(message: Message) -> dict[str, Any]:
    if message.role == "user" and message.content.startswith(FEEDBACK) and _alone(message):
        return {"role": "tool", "content": message.content.removeprefix(FEEDBACK)}
    return {"role": message.role, "content": message.content}


def _alone(message: Message) -> bool:
    """Hold for what nobody but the sandbox has said."""
    return bool(message.meta.get("kind", "execution") == "execution")


def _message(row: Any) -> Message:
    if not isinstance(row, Mapping):
        raise InputError("a message must be an object")
    if row.get("role") == "tool":
        return Message.from_json({"role": "user", "content": FEEDBACK + str(row.get("content") or ""),
                                  "meta": {"kind": "execution"}})  # fmt: skip
    meta = {name: row[name] for name, empty in _KEPT.items() if row.get(name, empty) != empty}
    message = Message.from_json({"role": row.get("role"), "content": row.get("content"), "meta": meta})
    if not meta and message.role == "user" and FEEDBACK_BEGIN.match(message.content):
        return Message(message.role, message.content, {"kind": "execution"})
    return message


def _text(value: Any) -> str:
    return "" if value is None else str(value)
