"""A turn as one text in Markdown: what the model says, its code, the output, figures and links to files.

It is what a chat program shows that knows nothing of code interpreters. Code stands in fences with its language, output
in fences of four marks as text, so that the code can be found again when a program sends the dialog back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_OUTPUT_CHARACTERS = 20_000
_TOLD = {"state lost", "installing", "installed", "not installed", "unsandboxed", "tools missing"}
_FENCE = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)
_BLOCK = re.compile(r"^(?P<marks>`{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=marks)[^\S\n]*$", re.MULTILINE | re.DOTALL)
_INNER_FENCE = re.compile(r"^ {0,3}(`{3,})", re.MULTILINE)
_PYTHON = ("python", "py")


class TurnText:
    """Turns events into text, piece by piece.

    Args:
        link: makes the address of a file (``files/NAME``) or of a figure (``outputs/NAME``).
        skip: turns that are passed over first, such as those taken over from an earlier dialog.
    """

    def __init__(self, link: Callable[[str], str], skip: int = 0) -> None:
        self._link = link
        self._skip = skip
        self._active = False
        self._reply = ""
        self._whole = ""
        self._in_output = False
        self._shown = 0

    @property
    def text(self) -> str:
        """All that was given so far."""
        return self._whole

    def feed(self, row: dict[str, Any]) -> str:
        """Return what an event adds to the text."""
        kind = row["type"]
        if kind == "turn_started":
            self._active = self._skip == 0
            self._skip = max(0, self._skip - 1)
        if not self._active:
            return ""
        take = getattr(self, f"_{kind}", None)
        piece: str = take(row) if take is not None else ""
        self._whole += piece
        return piece

    def _round_started(self, _row: dict[str, Any]) -> str:
        self._reply = ""
        return self._paragraph()

    def _text_delta(self, row: dict[str, Any]) -> str:
        self._reply += row["text"]
        return str(row["text"])

    def _approval_request(self, _row: dict[str, Any]) -> str:
        return self._closed_code() + "\n\n*Waits for a person to approve the code.*\n\n"

    def _tool_request(self, row: dict[str, Any]) -> str:
        name = _plain(f"{row['server']}.{row['tool']}")
        return self._close_output() + f"\n\n*Waits for a person to let the code use the tool {name}.*\n\n"

    def _code_action_started(self, row: dict[str, Any]) -> str:
        code = row["code"].strip()
        piece = self._closed_code()
        if code not in self._reply or row.get("author") == "user":
            piece += self._paragraph(piece) + fenced(code, row["language"])
        self._in_output, self._shown = False, 0
        return piece

    def _output_delta(self, row: dict[str, Any]) -> str:
        output = row["output"]
        if output["stream"] in ("stdout", "stderr"):
            return self._output(output["text"])
        data = (output["display"] or {}).get("data", {})
        for media in ("image/png", "image/jpeg", "image/gif"):
            if isinstance(data.get(media), dict):
                return self._close_output() + f"\n\n![figure]({self._link(data[media]['path'])})"
        return self._output(str(data.get("text/plain", "")).rstrip() + "\n")

    def _execution_finished(self, row: dict[str, Any]) -> str:
        result = row["result"]
        piece = ""
        if result["error"] is not None:
            said = f"{result['error']['name']}: {result['error']['value']}"
            piece += self._output(said[:2000] + "\n")
        piece += self._close_output()
        if result["error"] is None and result["reason"] is not None:
            piece += f"\n\n*Ended by the sandbox: {result['reason']}.*"
        files = [each for each in result["artifacts"] if "change" in each]
        if files:
            links = ", ".join(f"[{_plain(each['path'])}]({self._link('files/' + each['path'])})" for each in files)
            piece += f"\n\nFiles: {links}"
        return piece

    def _notice(self, row: dict[str, Any]) -> str:
        return f"\n\n*{row['text']}*" if row["kind"] in _TOLD else ""

    def _interrupted(self, row: dict[str, Any]) -> str:
        return self._closed_code() + self._close_output() + f"\n\n*{row['text']}*"

    def _answer(self, row: dict[str, Any]) -> str:
        piece = self._closed_code() + self._close_output()
        self._active = False
        if row["outcome"] == "answered" and self._reply.strip():
            return piece
        return piece + self._paragraph(piece) + row["text"] if row["text"] else piece

    def _closed_code(self) -> str:
        """Close a code fence that the model left open."""
        if len(_FENCE.findall(self._reply)) % 2 == 0:
            return ""
        self._reply += "\n```"
        return "```" if self._whole.endswith("\n") else "\n```"

    def _output(self, text: str) -> str:
        if not text.strip() and not self._in_output:
            return ""
        room = _OUTPUT_CHARACTERS - self._shown
        if room <= 0:
            return ""
        self._shown += len(text)
        if len(text) > room:
            text = text[:room] + "\n[... more is left out here ...]\n"
        text = text.replace("````", "'```")
        if self._in_output:
            return text
        self._in_output = True
        return f"\n\n````text\n{text}"

    def _close_output(self) -> str:
        if not self._in_output:
            return ""
        self._in_output = False
        return "````" if self._whole.endswith("\n") else "\n````"

    def _paragraph(self, before: str = "") -> str:
        return "\n\n" if (self._whole + before).strip() else ""


def fenced(code: str, language: str) -> str:
    """Return code in a fence that nothing in it closes."""
    longest = max(map(len, _INNER_FENCE.findall(code)), default=2)
    marks = "`" * (longest + 1)
    return f"{marks}{language}\n{code}\n{marks}"


def code_of(answer: str) -> list[str]:
    """Return the code of the cells in an earlier answer."""
    return [block["body"].rstrip() for block in _BLOCK.finditer(answer) if block["info"].strip() in _PYTHON]


def words_of(answer: str) -> str:
    """Return an earlier answer without code and output: what it said last."""
    parts = [part.strip() for part in _BLOCK.sub("\0", answer).split("\0")]
    return next((part for part in reversed(parts) if part), "")


def _plain(name: str) -> str:
    """Return a file's name as the text of a link."""
    return re.sub(r"([\\\[\]`*_<>!&])", r"\\\1", " ".join(name.split()))
