"""What the text of a dialog must be like, whatever its code does. Each check gives a reason or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from opencodeinterpreter.codefeedback.verification.code_blocks import blocks, code_of, language_name
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.interpreter.code_actions import is_python

FEEDBACK_BEGIN: Final = re.compile(r"\s*execution result\s*:", re.IGNORECASE)

_INVENTED: Final = re.compile(r"^[ \t>*_#]*execution (?:result|output)s?\b[\s*_]*:", re.IGNORECASE | re.MULTILINE)
_CANNOT: Final = (
    r"(?:can(?:no|')?t|can ?not|could not|couldn't|am (?:not able|unable) to|'m (?:not able|unable) to|won't)"
)
_REFUSALS: Final = re.compile(
    "|".join(
        (
            rf"\bI {_CANNOT} (?:assist|help|fulfil|comply|provide|do that|create|generate|write|answer|complete)\b",
            rf"\bI {_CANNOT} (?:actually |directly )?(?:run|execute|test|access|browse|open|see|view|interact)\b",
            rf"\bI'?(?:m| am) sorry,? (?:but )?(?:I |as an )(?:{_CANNOT}|AI|am|'m)?\b",
            r"\bI (?:do not|don't|lack) (?:have )?(?:the )?(?:abilit\w+|capabilit\w+|access|means|tools) to "
            r"(?:run|execute|access|browse|open|interact|test)\b",
            r"\b(?:as|being) an? (?:AI|artificial intelligence|(?:large )?language model|text[- ]based)\b",
            r"\bI am (?:just |only )?an? (?:AI|(?:large )?language model)\b",
            r"\bI(?:'m| am) (?:just |only )?an AI\b",
            r"\b(?:unable|not able) to (?:run|execute) (?:the |this |that |your |any )?(?:code|program|script)\b",
            r"\bthis (?:request|task|question) (?:is not|isn't|falls outside|goes against)\b",
            r"\bas of my (?:last |latest )?(?:knowledge|training|update)\b",
        )
    ),
    re.IGNORECASE,
)
_PROMISED: Final = re.compile(
    r"\b(?:here(?: is|'s|’s| are)|below (?:is|are)|(?:the )?following (?:is|are)) "
    r"(?:(?:the|your|an?|my|some|one|another) )?(?:[\w'+#-]+ ){0,5}?"
    r"(?:code|program|script|function|implementation|class|snippet|query)\b"
    r"|\b(?:the )?following (?:[\w'+#-]+ ){0,3}(?:code|program|script|function|implementation|snippet)\b"
    r"|\b(?:code|program|script|function|implementation|solution)\b[^.\n]{0,60}:\s*\Z",
    re.IGNORECASE,
)
_CODE_LINE: Final = re.compile(
    r"^\s*(?:[{}]+\s*$|(?:def|class|import|from|for|while|if|return|function|const|let|var|public|private|static|int|void|"
    r"#include|using|package|func|fn|SELECT|INSERT|UPDATE|CREATE|DELETE|<\w+|<\?php|echo|print|\$\w+)\b.*|.*[;{}]\s*$|"
    r"\s*[\w.\[\]]+(?:, \w+)* [-+*/]?= .+|\s*[\w.]+\(.*\)\s*$|\s*<[^>]+>.*)",
)
_ASKED: Final = re.compile(
    r"\b(?:in|using|with|write an?|create an?|to|as an?|an?)\s+"
    r"(?:(?:the|simple|basic|short|small|complete|following)\s+)?"
    r"(python|javascript|typescript|java|c\+\+|c#|golang|go|rust|php|ruby|bash|c|kotlin|swift|scala|haskell|sql|perl"
    r"|shell(?=\s+script))"
    r"(?:\s*\d(?:\.\d+)*)?(?![\w+#-])(?!\s+to\b)(?:\s+(code|program|script|function|class|programming|language))?",
    re.IGNORECASE,
)
_SHORT_NAMES: Final = frozenset({"c", "go", "swift", "perl"})
"""Names that are also words, and count only where they are written as a language is and where it is clear."""
_NO_PROGRAMS: Final = frozenset({"html", "css", "json", "yaml", "xml", "toml", "markdown", "md", "bash", "sql", ""})
"""What may stand beside code in whatever language was asked for."""


@dataclass(frozen=True)
class Fault:
    """Why a dialog cannot be used."""

    reason: str
    """the same words for all such dialogs"""
    detail: str = ""


def fault_in(dialog: Dialog) -> Fault | None:
    """Return the first fault in the text of a dialog."""
    return next((fault for check in _CHECKS if (fault := check(dialog)) is not None), None)


def _order(dialog: Dialog) -> Fault | None:
    messages = _spoken(dialog)
    if not messages:
        return Fault("no messages")
    for number, message in enumerate(dialog):
        if not message.content.strip():
            return Fault("an empty message", f"message {number}")
    for number, message in enumerate(messages):
        if message.role != ("assistant" if number % 2 else "user"):
            return Fault("roles do not alternate", f"message {number} is by {message.role}")
    if messages[-1].role != "assistant":
        return Fault("it does not end with the assistant")
    return None


def _unclosed(dialog: Dialog) -> Fault | None:
    for number, message in enumerate(dialog):
        if message.role == "assistant" and any(not block.closed for block in blocks(message.content)):
            return Fault("a code block that is never closed", f"message {number}")
    return None


def _invented(dialog: Dialog) -> Fault | None:
    for number, message in enumerate(dialog):
        if message.role == "assistant" and (found := _INVENTED.search(prose_of(message.content))):
            return Fault("an execution result that the assistant made up", f"message {number}: {found.group().strip()}")
    return None


def _refused(dialog: Dialog) -> Fault | None:
    for number, message in enumerate(dialog):
        if message.role == "assistant" and (found := refusal_in(message.content)):
            return Fault("a refusal", f"message {number}: {found}")
    return None


def _promised(dialog: Dialog) -> Fault | None:
    for number, message in enumerate(dialog):
        if message.role == "assistant" and promises_code_in_vain(message.content):
            return Fault("code that is promised and not there", f"message {number}")
    return None


def _language(dialog: Dialog) -> Fault | None:
    asked = ""
    for number, message in enumerate(dialog):
        if message.role == "user":
            # A new task has its own language; what is said of a task keeps it.
            named = asked_language(message.content)
            known = str(message.meta.get("language") or "")
            asked = named or language_name(known) or asked or language_name(str(dialog.meta.get("language") or ""))
        elif message.role == "assistant" and asked:
            fault = _other_language(message, asked)
            if fault:
                return Fault("code in another language than asked for", f"message {number}: {fault}, not {asked}")
    return None


_CHECKS: Final[tuple[Callable[[Dialog], Fault | None], ...]] = (
    _order,
    _unclosed,
    _invented,
    _refused,
    _promised,
    _language,
)


def refusal_in(text: str) -> str:
    """Return what in a message, outside of its code, says that the model will not or cannot; empty if nothing does."""
    prose = prose_of(text)
    if prose == text:  # many replies hold their code without fences, and a chat program's texts in it are no refusals
        prose = "\n".join(line for line in text.splitlines() if not is_code_line(line))
    found = _REFUSALS.search(prose)
    return found.group() if found else ""


def promises_code_in_vain(text: str) -> bool:
    """Return whether a message says that code is there, and there is none."""
    if code_of(text) or "`" in text or not _PROMISED.search(text):
        return False
    if is_python(text):
        return False
    lines = [line for line in text.splitlines() if line.strip()]
    return not any(is_code_line(line) for line in lines)


def is_code_line(line: str) -> bool:
    """Return whether a line looks like code in some language."""
    return _CODE_LINE.match(line) is not None


def asked_language(text: str) -> str:
    """Return the one language that a text asks for by name; empty if it names none, or several."""
    prose = prose_of(text)
    named = set()
    for match in _ASKED.finditer(prose):
        written, noun = match.group(1), match.group(2)
        if written.lower() in _SHORT_NAMES and not (written[0].isupper() and (noun or written == "C")):
            continue
        named.add(language_name(written))
    if len(named) != 1:
        return ""
    (language,) = named
    return language


def prose_of(text: str) -> str:
    """Return a message without its fenced blocks."""
    for block in blocks(text):
        text = text.replace(block.code, "\n") if block.code.strip() else text
    return text


def _spoken(dialog: Dialog) -> Sequence[Message]:
    """Return the messages without a system message at the beginning."""
    return dialog.messages[1:] if dialog.messages[:1] and dialog.messages[0].role == "system" else dialog.messages


def _other_language(message: Message, asked: str) -> str:
    """Return the language of the message's code if none of it is in the one asked for."""
    languages = [block.language for block in code_of(message.content)]
    programs = [language for language in languages if language not in _NO_PROGRAMS]
    if not programs or asked in languages or any(_compatible(language, asked) for language in programs):
        return ""
    return programs[-1]


def _compatible(one: str, other: str) -> bool:
    families = ({"c", "cpp"}, {"javascript", "typescript", "tsx"})
    return one == other or any({one, other} <= family for family in families)
