"""The texts that go back to the model after a round: short and true."""

from __future__ import annotations

import re
from collections.abc import Sequence

from opencodeinterpreter.interpreter.hints import hint
from opencodeinterpreter.sandbox import failure_texts
from opencodeinterpreter.sandbox.base import Display, ErrorInfo, ExecutionResult

OUTPUT_CHARACTERS = 4000
"""What the model sees of one run's output; a person sees all of it."""
_TRACEBACK_LINES = 30
_FILES_LISTED = 20
_EMPTY = re.compile(
    r"\bnan\b|Empty DataFrame|Series\(\[\]|^\s*(\[\]|\{\}|None)\s*$"
    r"|(^|[:=])[ \t]*[^\w\s-]?-?0+([.,]0+)?[ \t]*[^\w\s]?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that is, or ends after a colon in, nothing but zero; nan; an empty list or table."""
_FRAME = re.compile(r"\s*(File |Cell In|Input In)")
_OWN_FRAME = re.compile(r"\s*(Cell In|Input In|File \"?(<cell|/workspace/))")

NEXT_STEP = (
    "If this output holds all that the task asks for, reply with the final answer in plain words and no code. "
    "If something is missing, wrong or not exact enough, reply with the next code."
)
CHECK_STEP = (
    "A result of nothing, zero or nan often means that a filter, a join or a conversion did not fit the data. "
    "Do not answer yet: reply with corrected code, or with code that prints the values and types that it works on."
)
PRINT_STEP = (
    "If the task asks for values that are not shown here, reply with code that prints them. "
    "If all that it asks for is there, reply with the final answer in plain words, with every value that it asks for, "
    "and no code."
)
REPAIR_STEP = "Find the cause, and reply with the complete corrected code in one ```python block."


def execution_feedback(result: ExecutionResult, facts: str = "", check: bool = False) -> str:
    """Return what the model is told of one execution, and the ``facts`` that were found out after it.

    With ``check`` the model is asked to look into a result that is suspiciously empty before it answers.
    It begins with ``Execution result:``, the form that the published dialogs have (Code-Feedback).
    """
    parts = [f"{failure_texts.EXECUTION} {_status(result)}"]
    parts += _output(result)
    if result.error is not None:
        parts.append(short_traceback(result.error))
    parts += [text for text in (hint(result.error), facts) if text]
    if result.state_lost:
        parts.append(
            "The interpreter was restarted: all variables and imports are gone, files are still there. "
            "Code that is needed again must be run again."
        )
    parts.append(_next_step(result, check))
    return "\n".join(parts)


def _next_step(result: ExecutionResult, check: bool) -> str:
    if not result.ok:
        return REPAIR_STEP
    if check:
        return CHECK_STEP
    return PRINT_STEP if is_silent(result) else NEXT_STEP


def unseen_values_feedback() -> str:
    """Return what the model is told when it answers with numbers though nothing that it ran has printed any."""
    return (
        "No code has printed a value yet, so the numbers in this answer are made up. "
        "Reply with code that prints the values that the task asks for."
    )


def stated_value_feedback() -> str:
    """Return what the model is told when its code holds nothing but a value that it made up."""
    return (
        "This code only states a value, and nothing has computed it. "
        "Reply with the code that computes it from what the task gives; code that the task gives has to be run."
    )


def is_silent(result: ExecutionResult) -> bool:
    """Hold for code that put out no text; figures and files tell the model no value, and it would make one up."""
    return not result.stdout.strip() and not (result.result or "").strip()


def repeated_feedback() -> str:
    """Return what the model is told when it gives code again that has just run without error."""
    return (
        "This code has already been run; its output is above. Reply with the final answer in plain words and no code."
    )


def fresh_start(result: ExecutionResult, facts: str, missing: Sequence[str] = ()) -> str:
    """Return what the model is told when it gives code again that led nowhere, which it is then no longer shown.

    ``missing`` are files that the task names and that the code, otherwise without error, has not written.
    """
    if result.ok and missing:
        return (
            f"An attempt at this ran without error, but did not write {', '.join(missing)}. "
            "Write code that does all that is asked for, under the names given."
        )
    error = short_traceback(result.error) if result.error else "\n".join([_status(result), *_output(result)])
    return (
        f"An attempt at this failed or gave nothing of use:\n{error}\n{facts}{chr(10) if facts else ''}"
        "Avoid the cause of this: do it in another way, in smaller steps."
    )


def cut_feedback() -> str:
    """Return what the model is told when its reply was cut inside a code action."""
    return "Your reply was cut off because it was too long, and nothing was run. Reply with shorter, complete code."


def reformat_feedback() -> str:
    """Return what the model is told when it wrote something that looks like code but cannot be read as an action."""
    return (
        "No code could be found in your reply. "
        "Put the whole code into one block that starts with ```python and ends with ```."
    )


def nothing_run_feedback() -> str:
    """Return what the model is told when it answers about files or code of the user's without running anything."""
    return (
        "Nothing has been run yet, so this answer is a guess. "
        "Reply with code in one ```python block that does the task on what the user gave."
    )


def unfinished_feedback() -> str:
    """Return what the model is told when it stops after code that failed."""
    return (
        "The last code failed, so the task is not done and nothing was run since. "
        "Reply with the complete corrected code in one ```python block."
    )


def missing_files_feedback(names: list[str]) -> str:
    """Return what the model is told when it answers though a file that the task names is not there."""
    several = len(names) > 1
    return (
        f"The task names {', '.join(names)}, and {'these are' if several else 'this is'} not in the current folder. "
        f"If {'they are' if several else 'it is'} to be written, reply with the code that does it; "
        "else give the final answer again."
    )


def rejected_feedback(reason: str) -> str:
    """Return what the model is told when a person rejects its code with a reason."""
    return f"The code was not run. The user rejected it: {reason}"


def edited_feedback(code: str, feedback: str) -> str:
    """Return what the model is told when a person ran other code in place of its own."""
    return f"The user changed the code before it ran. What was run:\n```python\n{code.strip()}\n```\n{feedback}"


def own_code_feedback(code: str, feedback: str, edited: bool) -> str:
    """What the model is told of code that a person ran; ``edited`` where it was made from the model's."""
    what = "The user changed the code and ran it again. What was run" if edited else "The user ran code of their own"
    return f"{what}:\n```python\n{code.strip()}\n```\n{feedback}"


def comment_feedback(comment: str, code: str) -> str:
    """What the model is told of a person's comment on a piece of code."""
    return f"About this code:\n```python\n{code.strip()}\n```\n{comment.strip()}" if code.strip() else comment.strip()


def looks_empty(result: ExecutionResult) -> bool:
    """Hold for code that ran without error and put out nothing, zero or nan where a value was to be expected."""
    return result.ok and _EMPTY.search(f"{result.stdout}\n{result.result or ''}") is not None


def shorten(text: str, characters: int = OUTPUT_CHARACTERS) -> str:
    """Keep head and tail of a long text, and say how much is left out."""
    if len(text) <= characters:
        return text
    head = characters * 2 // 3
    tail = characters - head
    return f"{text[:head]}\n[... {len(text) - head - tail} characters left out ...]\n{text[-tail:]}"


def short_traceback(error: ErrorInfo) -> str:
    """Cut a traceback to the frames of the user's own code and the error itself."""
    frames: list[list[str]] = []
    for line in error.traceback.strip().splitlines():
        if _FRAME.match(line) or not frames:
            frames.append([])
        frames[-1].append(line)
    body = [line for frame in frames if _OWN_FRAME.match(frame[0]) for line in frame if line.strip()]
    last = f"{error.name}: {error.value}"
    body = [line for line in body if line.strip() != last.splitlines()[0].strip()][:_TRACEBACK_LINES]
    return "\n".join([*body, shorten(last, 1200)])


def failing_line(error: ErrorInfo) -> str:
    """Return the innermost line of the user's own code in a traceback; empty if there is none."""
    lines = error.traceback.strip().splitlines()
    own = [number for number, line in enumerate(lines[:-1]) if _OWN_FRAME.match(line)]
    return lines[own[-1] + 1].strip() if own else ""


def _status(result: ExecutionResult) -> str:
    seconds = f"{result.duration:.1f} s"
    if result.status == "ok":
        return failure_texts.RAN
    if result.status == "timeout":
        return failure_texts.USED_UP.format(seconds, result.reason)
    if result.status == "killed":
        if result.reason == "stopped":
            return failure_texts.STOPPED_BY_USER.format(seconds)
        if result.reason == "kernel died":
            return failure_texts.KERNEL_ENDED.format(seconds)
        return failure_texts.EXCEEDED.format(seconds, result.reason)
    assert result.error is not None
    return failure_texts.FAILED.format(result.error.name)


def _output(result: ExecutionResult) -> list[str]:
    parts: list[str] = []
    room = OUTPUT_CHARACTERS
    if result.stdout.strip():
        text = shorten(result.stdout.rstrip(), room)
        room = max(room - len(text), room // 4)
        parts.append(f"stdout:\n{text}")
    value = result.result
    if value is not None and value.strip():
        parts.append(f"value of the last expression:\n{shorten(value, room)}")
    if result.stderr.strip():
        parts.append(f"stderr:\n{shorten(result.stderr.rstrip(), room // 2)}")
    figures = sum(1 for display in result.displays if _is_figure(display))
    if figures:
        parts.append(f"{figures} figure{'s' if figures > 1 else ''} shown to the user.")
    if result.files:
        names = [f"{change.path} ({change.change}, {change.size:,} bytes)" for change in result.files[:_FILES_LISTED]]
        more = len(result.files) - len(names)
        parts.append("files: " + ", ".join(names) + (f" and {more} more" if more else ""))
    if result.ok and is_silent(result):
        parts.append("It printed nothing.")
    return parts


def _is_figure(display: Display) -> bool:
    return any(kind.startswith("image/") or "plotly" in kind for kind in display.data)
