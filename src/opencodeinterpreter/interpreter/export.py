"""A session as a Jupyter notebook, as Markdown, as an HTML page, as a Python file, or as a Code-Feedback line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter.code_actions import prose
from opencodeinterpreter.interpreter.events import Round
from opencodeinterpreter.interpreter.history import History, Turn
from opencodeinterpreter.sandbox.base import Display, ExecutionResult

Form = Literal["ipynb", "md", "html", "py", "jsonl"]
FORMS: tuple[Form, ...] = get_args(Form)


def export(
    turns: Sequence[Turn],
    form: str,
    *,
    identity: str = "",
    system: str = "",
    title: str = "",
    language: str = "en",
    forked: tuple[str, int] | None = None,
) -> str:
    """Return the turns as the text of a file of this form.

    Args:
        form: "ipynb" (every code cell with its outputs), "md", "html" (one page with all in it), "py" (the code that
            worked) or "jsonl" (one Code-Feedback object, system message left out as in the published set).
        identity: the dialog's id in the "jsonl" form.
        title: of the "html" form; without one, the first task.
        language: of the words of the "html" form, "en" or "zh".
        forked: of a fork, the session that it comes from and the last turn taken over; in the meta of the "ipynb" and
            "jsonl" forms.

    Raises:
        InputError: an unknown form, or nothing to export.
    """
    origin = {"forked": {"session": forked[0], "turn": forked[1]}} if forked is not None else {}
    writers: dict[str, Callable[[], str]] = {
        "ipynb": lambda: _notebook(turns, origin),
        "md": lambda: _markdown(turns),
        "html": lambda: _html(turns, title, language),
        "py": lambda: _python(turns),
        "jsonl": lambda: _code_feedback(turns, identity, system, origin),
    }
    if form not in writers:
        raise InputError(f"There is no form {form!r}; choose one of {', '.join(FORMS)}.")
    if not turns:
        raise InputError("There is nothing to export yet.")
    return writers[form]()


def _notebook(turns: Sequence[Turn], origin: Mapping[str, Any]) -> str:
    # Imported here: it takes longer to load than the rest of the loop, and most sessions are never exported.
    import nbformat
    from nbformat import v4

    cells = []
    count = 0
    for turn in turns:
        if turn.task:
            cells.append(v4.new_markdown_cell(_quoted(turn.task)))
        for round_ in turn.rounds:
            text = prose(round_.reply)
            if text:
                cells.append(v4.new_markdown_cell(text))
            if round_.code is not None:
                count += round_.result is not None
                number = count if round_.result is not None else None
                outputs = _outputs(round_.result, count) if round_.result else []
                cells.append(v4.new_code_cell(round_.code.rstrip(), execution_count=number, outputs=outputs))
        if turn.answer is not None and turn.answer.outcome not in ("answered", "ran"):
            cells.append(v4.new_markdown_cell(turn.answer.text))
    notebook = v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
            **({"opencodeinterpreter": dict(origin)} if origin else {}),
        },
    )
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # the same session gives the same bytes
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


def _outputs(result: ExecutionResult, count: int) -> list[Any]:
    from nbformat import v4

    outputs: list[Any] = []
    for stream in ("stdout", "stderr"):
        text = getattr(result, stream)
        if text:
            outputs.append(v4.new_output("stream", name=stream, text=text))
    for display in result.displays:
        outputs.append(_display(display, count))
    if result.result is not None and not any(display.kind == "result" for display in result.displays):
        outputs.append(v4.new_output("execute_result", data={"text/plain": result.result}, execution_count=count))
    if result.error is not None:
        error = result.error
        outputs.append(
            v4.new_output("error", ename=error.name, evalue=error.value, traceback=error.traceback.split("\n"))
        )
    elif result.reason is not None:
        outputs.append(v4.new_output("stream", name="stderr", text=f"Ended by the sandbox: {result.reason}.\n"))
    return outputs


def _display(display: Display, count: int) -> Any:
    from nbformat import v4

    data = dict(display.data)
    if display.kind == "result":
        return v4.new_output("execute_result", data=data, execution_count=count)
    return v4.new_output("display_data", data=data)


def _markdown(turns: Sequence[Turn]) -> str:
    parts = []
    for turn in turns:
        parts.append(_quoted(turn.task))
        for round_ in turn.rounds:
            parts += _markdown_round(round_)
        if turn.answer is not None and turn.answer.outcome not in ("answered", "ran"):
            parts.append(turn.answer.text)
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_round(round_: Round) -> list[str]:
    parts = [prose(round_.reply)]
    if round_.code is None:
        return parts
    parts.append(_fenced(round_.code.rstrip(), "python"))
    result = round_.result
    if result is None:
        return [*parts, "*Not run.*"]
    output = "\n".join(text.rstrip() for text in (result.stdout, result.result or "", result.stderr) if text.strip())
    if output:
        parts.append(_fenced(output, "text"))
    parts += [
        f"![figure](data:image/png;base64,{display.data['image/png']})"
        for display in result.displays
        if display.data.get("image/png")
    ]
    if result.error is not None:
        parts.append(_fenced(result.error.traceback.rstrip(), "text"))
    elif result.reason is not None:
        parts.append(f"*Ended by the sandbox: {result.reason}.*")
    if result.files:
        parts.append("Files: " + ", ".join(f"`{change.path}`" for change in result.files))
    return parts


def _html(turns: Sequence[Turn], title: str, language: str) -> str:
    from opencodeinterpreter.interpreter.html_page import html_page

    return html_page(turns, title=title, language=language)


def _python(turns: Sequence[Turn]) -> str:
    parts = []
    for turn in turns:
        worked = [round_.code for round_ in turn.rounds if round_.code and round_.result and round_.result.ok]
        if worked:
            parts.append("# " + "\n# ".join((turn.task or "Code of my own").splitlines()))
            parts += [_without_magics(code).strip() for code in worked]
    if not parts:
        raise InputError("No code has worked yet, so there is nothing to export as Python.")
    return "\n\n".join(parts) + "\n"


def _code_feedback(turns: Sequence[Turn], identity: str, system: str, origin: Mapping[str, Any]) -> str:
    dialog = History(system, list(turns)).dialog()
    messages = tuple(message for message in dialog if message.role != "system")
    return json.dumps(Dialog(messages, identity, origin).to_json(), ensure_ascii=False) + "\n"


def _without_magics(code: str) -> str:
    """A line that only IPython understands would keep a Python file from being read at all."""
    return re.sub(r"^(?=[ \t]*[%!])", "# ", code, flags=re.MULTILINE)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _fenced(text: str, tag: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    marks = "`" * (longest + 1)
    return f"{marks}{tag}\n{text}\n{marks}"
