"""Answers that are nothing but code, as many sources have them, put into a fence as a dialog's code stands in one."""

from __future__ import annotations

import dataclasses
from typing import Final

from opencodeinterpreter.codefeedback.asking.replies import with_code
from opencodeinterpreter.codefeedback.verification.checks import asked_language, is_code_line
from opencodeinterpreter.codefeedback.verification.code_blocks import language_name
from opencodeinterpreter.codefeedback.verification.parsing import PARSED, check_syntax
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.interpreter.code_actions import is_python

_MOST: Final = 0.6
"""Share of the lines that must look like code: almost any words are a program in Bash."""
_LONGEST: Final = 50_000
"""Characters of a text that is looked at."""
_COMMENTS: Final = ("#", "//", "/*", "*", "--", ")", "]", "}")


def fence_bare_code(dialog: Dialog) -> tuple[Dialog, int]:
    """Put the assistant's messages that are wholly code into fences; return the dialog and how many there were."""
    messages: list[Message] = []
    fenced = 0
    asked = ""
    for message in dialog:
        if message.role == "user":
            asked = asked_language(message.content)
        language = ""
        if message.role == "assistant":
            known = (asked, str(message.meta.get("language") or ""), str(dialog.meta.get("language") or ""))
            language = language_of_bare_code(message.content, *known)
        if language:
            fenced += 1
            message = dataclasses.replace(message, content=with_code("", message.content.strip("\n"), language))
        messages.append(message)
    return (dataclasses.replace(dialog, messages=tuple(messages)) if fenced else dialog), fenced


def language_of_bare_code(text: str, *languages: str) -> str:
    """Return the language that a text is wholly a program in, out of those it may be in; empty if it is none."""
    if len(text) > _LONGEST or "```" in text or "~~~" in text or not text.strip():
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    looking = sum(is_code_line(line) or line.startswith(_COMMENTS) for line in lines)
    if looking < _MOST * len(lines):
        return ""
    for language in dict.fromkeys(map(language_name, languages)):
        if language == "python" and is_python(text):
            return "python"
        if language in PARSED and language != "python" and check_syntax(text, language).status == "ok":
            return language
    return ""
