"""Finds the code action in a model's reply, while the reply is still being written.

Small models miss every format that is asked of them, so all that they write in practice is read: Markdown fences of any
length, of backticks or tildes, with any spelling of the language or none; a fence that is never closed; a tool call in
JSON; reasoning between ``<think>`` tags, which is not searched; and a reply that is nothing but code.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass

PYTHON_TAGS = frozenset(
    {"python", "python3", "py", "py3", "ipython", "ipython3", "jupyter", "pycon", "code", "tool_code"}
)

_FENCE = re.compile(r"^[ \t]*(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)$")
_THINK = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_TOOL_CALL = re.compile(r"<tool_call>\s*(?P<call>.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)
_TOOL_TAG = "<tool_call>"
_MAY_OPEN = re.compile(r"\s*(?:[`~].*)?", re.DOTALL)
_CODE_ARGUMENTS = ("code", "python", "source", "input")


@dataclass(frozen=True)
class CodeAction:
    """Code that a reply asks to have executed."""

    code: str
    start: int
    """Where the action begins in the reply, its fence or tag included."""
    end: int
    """Where it ends; what a model wrote after it is not to be kept."""
    closed: bool = True
    """False if the reply ended before the action did."""


@dataclass(frozen=True)
class _Block:
    tag: str
    body: str
    start: int
    end: int
    closed: bool


class CodeActionReader:
    """Reads a reply piece by piece and says when its first code action is complete.

    Args:
        language: the kernel's language; blocks tagged with another one are not actions.
    """

    def __init__(self, language: str = "python") -> None:
        self._tags = PYTHON_TAGS if language == "python" else frozenset({language.lower()})
        self._python = language == "python"
        self._text = ""
        self._scanned_lines = 0

    def feed(self, delta: str) -> CodeAction | None:
        """Take the next piece; return the first action that has been closed by now, if there is one."""
        self._text += delta
        # An action is closed by the end of a line (a fence) or by a tag, so other pieces need no search.
        lines = self._text.count("\n")
        if lines == self._scanned_lines and ">" not in delta and "`" not in delta and "~" not in delta:
            return None
        self._scanned_lines = lines
        action = self._tool_call() or self._fenced()
        return action if action and action.closed else None

    def finish(self) -> CodeAction | None:
        """Return the reply's action now that the reply has ended, a closed one or not."""
        return self._tool_call() or self._fenced() or self._bare()

    def said(self) -> int:
        """Return how much of the reply so far stands before any action in it, whatever comes next.

        Only a reply that is nothing but code turns out to be an action all the same.
        """
        text = self._visible()
        *_, line = text.splitlines(keepends=True) or [""]
        if line.splitlines() == [line] and _MAY_OPEN.fullmatch(line):
            text = text[: len(text) - len(line)]  # it is not known yet what an unfinished line opens
        return min([len(text), _tag_begins(text), *(it.start for it in self._blocks(text) if self._may_be_action(it))])

    def _visible(self) -> str:
        """The text with reasoning blanked out, every position kept."""
        return _THINK.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), self._text)

    def _fenced(self) -> CodeAction | None:
        unclosed: CodeAction | None = None
        for block in self._blocks(self._visible()):
            if not self._executable(block):
                continue
            code = _without_prompts(block.body) if self._python else block.body
            if not code.strip():
                continue
            action = CodeAction(code, block.start, block.end, block.closed)
            if block.closed:
                return action
            unclosed = unclosed or action
        return unclosed

    def _blocks(self, text: str) -> list[_Block]:
        blocks: list[_Block] = []
        opened: tuple[str, str, int, int] | None = None  # marks, tag, start, body start
        first_close: tuple[int, int] | None = None  # body end, block end: where a doubtful block would have closed
        position = 0
        for line in text.splitlines(keepends=True):
            match = _FENCE.match(line.rstrip("\r\n"))
            line_start, position = position, position + len(line)
            if not match:
                continue
            marks, info = match["marks"], match["info"].strip()
            if opened is None:
                opened = (marks, info.split()[0].strip("{}.").lower() if info else "", line_start, position)
                continue
            if info or marks[0] != opened[0][0] or len(marks) < len(opened[0]):
                continue
            body = text[opened[3] : line_start]
            end = line_start + len(line.rstrip("\r\n"))
            if self._python and opened[1] in self._tags and _inside_string(body):
                # A fence within a triple-quoted string, as in code that writes Markdown.
                first_close = first_close or (line_start, end)
                continue
            blocks.append(_Block(opened[1], body, opened[2], end, closed=True))
            opened, first_close = None, None
        if opened is not None:
            body_end, end = first_close or (len(text), len(text))
            blocks.append(_Block(opened[1], text[opened[3] : body_end], opened[2], end, closed=False))
        return blocks

    def _executable(self, block: _Block) -> bool:
        if block.tag in self._tags:
            return True
        return self._python and not block.tag and is_python(_without_prompts(block.body))

    def _may_be_action(self, block: _Block) -> bool:
        """Return whether a block is an action, or may become one before it is closed."""
        if not block.closed:
            return not block.tag or block.tag in self._tags
        return bool(block.body.strip()) and self._executable(block)

    def _tool_call(self) -> CodeAction | None:
        text = self._visible()
        match = _TOOL_CALL.search(text)
        if match is None:
            return None
        code = _code_argument(match["call"])
        if code is None:
            return None
        return CodeAction(code, match.start(), match.end(), match.group().endswith("</tool_call>"))

    def _bare(self) -> CodeAction | None:
        text = self._visible()
        if not text.strip() or "```" in text:
            return None
        code = _code_argument(text.strip())
        if code is None and self._python and is_python(text):
            code = text.strip("\n")
        return CodeAction(code, 0, len(self._text)) if code is not None else None


def _tag_begins(text: str) -> int:
    """Return where the tag of a tool call begins, or could begin at the end of an unfinished text."""
    found = text.find(_TOOL_TAG)
    if found >= 0:
        return found
    return next(
        (len(text) - size for size in range(len(_TOOL_TAG), 0, -1) if text.endswith(_TOOL_TAG[:size])), len(text)
    )


def is_python(text: str) -> bool:
    """Return whether ``text`` is a Python program that does something; a word or a number alone is not."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    idle = (ast.Name, ast.Constant, ast.Attribute, ast.Tuple, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp)
    return any(not isinstance(node, ast.Expr) or not isinstance(node.value, idle) for node in tree.body) and not all(
        isinstance(node, ast.AnnAssign) and node.value is None for node in tree.body
    )


def same_code(one: str, other: str) -> bool:
    """Return whether two programs differ in nothing but layout and comments."""
    if one.strip() == other.strip():
        return True
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def prose(reply: str, language: str = "python") -> str:
    """Return what a reply says apart from its reasoning and its first code action."""
    reader = CodeActionReader(language)
    reader.feed(reply)
    action = reader.finish()
    if action is not None:
        reply = reply[: action.start] + reply[action.end :]
    text = _THINK.sub("", reply).strip()
    return "" if re.fullmatch(r"[`~\s]*", text) else text


def _inside_string(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError as error:
        return "unterminated triple-quoted" in str(error)
    except (ValueError, RecursionError, MemoryError):
        return False
    return False


def _without_prompts(code: str) -> str:
    """Turn a copied interactive transcript into the code typed in it."""
    lines = code.split("\n")
    if not any(line.startswith(">>> ") for line in lines):
        return code
    return "\n".join(line[4:] for line in lines if line.startswith((">>> ", "... ")))


def _code_argument(text: str) -> str | None:
    """Return the code of a tool call in JSON, in any of the usual shapes."""
    if not text.startswith("{"):
        return None
    try:
        call = json.loads(text, strict=False)
    except (json.JSONDecodeError, RecursionError):
        return None
    if not isinstance(call, dict):
        return None
    function = call.get("function")
    arguments = call.get("arguments", call.get("parameters", call))
    if isinstance(function, dict):
        arguments = function.get("arguments", arguments)
    if isinstance(arguments, str):
        return _code_argument(arguments.strip()) or arguments
    if not isinstance(arguments, dict):
        return None
    for name in _CODE_ARGUMENTS:
        if isinstance(arguments.get(name), str):
            return str(arguments[name])
    return None
