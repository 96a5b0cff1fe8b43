"""Every text that a stage of the builder sends to a model.

Raise ``PROMPTS_VERSION`` with every change of a text: it is part of a stage's settings, and so of what a journal and a
cached reply belong to. The intent of each is the paper's (section on data collection, appendix); the words are our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opencodeinterpreter.dialog import Message

PROMPTS_VERSION = "4"


@dataclass(frozen=True)
class Rubric:
    """One ladder of the query filter, from 1 to 5."""

    name: str
    rungs: tuple[str, str, str, str, str]


FIRST = Rubric(
    "first",
    (
        "the simplest operations only, such as arithmetic or printing",
        "basic notions or common library functions",
        "some experience, or several steps that belong together",
        "advanced logic, algorithms or data structures",
        "deep expertise, or an algorithm that has to be invented",
    ),
)
SECOND = Rubric(
    "second",
    (
        "moderately hard: known algorithms, used as they are known",
        "hard: intricate logic, recursion or hash tables",
        "harder: graphs, dynamic programming or demanding work on strings",
        "very hard: the design of a system, performance under load, or an NP-hard problem",
        "for experts: several fields at once, or a new idea",
    ),
)
"""The same question with the ladder moved up: it is asked about what the first has let through."""
RUBRICS = (FIRST, SECOND)

_JUDGE = """\
You rate how much a programmer must know to fulfil a request. Choose one of these levels:
{rungs}
Do not fulfil the request. Reply with the number of the level alone on the first line, and one short reason on the \
next."""


def judging(rubric: Rubric, query: str) -> tuple[Message, ...]:
    """Ask for a score. The rules come first and are always the same, so that an engine reads them once."""
    rungs = "\n".join(f"{number}: {rung}" for number, rung in enumerate(rubric.rungs, start=1))
    return (
        Message("system", _JUDGE.format(rungs=rungs)),
        Message("user", f"Rate this request:\n<request>\n{query}\n</request>\nThe level, from 1 to 5:"),
    )


_ANSWER = """\
You are a code interpreter: the Python program that you write is run at once.
Do exactly what the user asks. Say in one or two sentences what you will do, then give one complete program in a block \
that starts with ```python and ends with ```. {ending}
The program gets no input, has no network and opens no windows. Write in the user's language."""
_SHOWS = "Let the program end with a short example that prints its results."
_TESTED = "Keep the names and parameters that the user gives: tests will call them."


def answering(dialog: Sequence[Message], *, tested: bool) -> tuple[Message, ...]:
    """Ask for a first answer."""
    return (Message("system", _ANSWER.format(ending=_TESTED if tested else _SHOWS)), *dialog)


_REFINE = """\
You are an expert programmer in a dialog about code. Messages that begin with "Execution result:" hold what really \
happened when your last program was run; nobody but the computer wrote them. Never make up an output. Write in the \
user's language."""
_VERDICT = (
    "Look at the request, the program and what it gave. Did the program do all that was asked for? "
    "Reply with one word, yes or no."
)
_FAILED = (
    "The program failed. Say in one or two sentences what is wrong. Then give the whole corrected program in one block "
    "that starts with ```python and ends with ```. Keep the names and parameters that were asked for."
)
_NOT_RIGHT = (
    "The program ran, but it did not do all that was asked for. Say in one or two sentences what is wrong or missing. "
    "Then give the whole corrected program in one block that starts with ```python and ends with ```. Keep the names "
    "and parameters that were asked for."
)
_CONCLUDE = (
    "The program did what was asked for. Say in two or three sentences how it works and what its output shows. "
    "Write no code."
)


def deeming(dialog: Sequence[Message]) -> tuple[Message, ...]:
    """Ask whether a program that ran is right. A word is enough; a long reply is asked for only if it is not."""
    return _refining(dialog, _VERDICT)


def refining(dialog: Sequence[Message], *, failed: bool) -> tuple[Message, ...]:
    """Ask for the program that mends what an execution has shown."""
    return _refining(dialog, _FAILED if failed else _NOT_RIGHT)


def concluding(dialog: Sequence[Message]) -> tuple[Message, ...]:
    """Ask for the last words on a program that is right."""
    return _refining(dialog, _CONCLUDE)


def _refining(dialog: Sequence[Message], question: str) -> tuple[Message, ...]:
    """Put a question below the last message; it is not kept in the dialog. All that is above stays the same."""
    *before, last = dialog
    return (Message("system", _REFINE), *before, Message("user", f"{last.content.rstrip()}\n\n{question}"))


_IMPROVE = """\
You are an expert programmer in a dialog about code. The user has seen your program and its output, and wishes a change.
Say in one or two sentences what you will change, then give the complete changed program in one block that starts with \
```python and ends with ```. Never leave parts out. Keep the names and parameters that are there. {ending}
Write in the user's language."""


_CHANGED = "Change the program accordingly, and show the whole new program in one ```python block."


def improving(dialog: Sequence[Message], *, tested: bool) -> tuple[Message, ...]:
    """Ask for the refinement that follows human feedback."""
    *before, last = dialog
    # The reply before was one in words, and what a small model sees, it copies.
    asked = Message("user", f"{last.content.rstrip()}\n\n{_CHANGED}")
    return (Message("system", _IMPROVE.format(ending=_TESTED if tested else _SHOWS)), *before, asked)


HUMAN_KINDS: Mapping[str, str] = {
    "syntax": "syntax and formatting of the code",
    "efficiency": "speed and choice of algorithm",
    "functionality": "a feature that is missing or could be better",
    "clarity": "names, comments and documentation",
    "bugs": "input or cases that the program does not handle",
    "security": "unsafe input, secrets or rights",
    "compatibility": "other versions and systems, and tests",
    "resources": "use of memory and of other resources",
    "scalability": "what happens with much more data or load",
    "practices": "structure, conventions and best practice",
}
"""The ten kinds of feedback that the paper's simulated user chooses from."""

_PERSON = """\
You play the person who asked a programmer for code. You have seen the program and what happened when it was run.
Judge the program under these headings:
{kinds}
Reply with one JSON object and nothing else. It has three fields: "satisfied", a list of the headings that are fine; \
"not_satisfied", a list of one to three headings that could be better; and "feedback", what you ask the programmer to \
change because of one heading of "not_satisfied", as a person would type it, in one or two short sentences without \
code, praise or thanks."""


def commenting(query: str, program: str, result: str, kinds: Sequence[str]) -> tuple[Message, ...]:
    """Ask for simulated human feedback.

    Args:
        query: what the person asked for.
        program: the last one.
        result: what its execution gave.
        kinds: the order in which the headings are listed: a small model takes the first ones.
    """
    listed = "\n".join(f"- {kind}: {HUMAN_KINDS[kind]}" for kind in kinds)
    shown = f"What you asked for:\n{query}\n\nThe program:\n```python\n{program}\n```\n\n{result}"
    return (Message("system", _PERSON.format(kinds=listed)), Message("user", shown))


_WISH = """\
You play a person who uses a program that a programmer wrote, and who wants it to be changed. Write the message to \
the programmer: one short sentence that begins with "Please" or "Can you" and says what exactly is to be changed or \
added in this program. Write no code, no praise and no explanation."""


def wishing(program: str, kind: str) -> tuple[Message, ...]:
    """Ask for human feedback on one heading. The request is left out: a small model would ask for the same again."""
    shown = (
        f"The program:\n```python\n{program}\n```\n\n"
        f"The change is about this: {HUMAN_KINDS[kind]}.\nThe message to the programmer:"
    )
    return (Message("system", _WISH), Message("user", shown))


ERROR_KINDS: Mapping[str, str] = {
    "syntax": "a syntax error: leave out one closing bracket, quote or colon, so that Python cannot read the program",
    "logical": "a logical error: use a wrong operator, comparison, start value or index, so that the result is wrong",
    "type": "a type error: join a text with a number, or call something with a wrong argument, so that Python raises "
    "TypeError",
    "name": "a name error: misspell a variable or function at one place, so that Python raises NameError",
    "timeout": "an infinite loop: leave out a step or make a condition that stays true, so that the program never ends",
}
"""The five kinds of error that the paper has planted."""

_PLANT = """\
You prepare exercises for a course on debugging. You are given a program that works, and you write it again with \
exactly one mistake in it. Everything else stays as it is. The mistake must look like an accident: no comment, name or \
sentence may hint at it. Reply with the complete program alone, in one block that starts with ```python and ends with \
```."""


def planting(program: str, kind: str) -> tuple[Message, ...]:
    """Ask for a program with an error of one of the five kinds. The wish comes last, where a small model heeds it."""
    asked = f"Write this program again, and put one mistake into it. It has to be {ERROR_KINDS[kind]}."
    return (Message("system", _PLANT), Message("user", f"```python\n{program}\n```\n\n{asked}"))


_MEND = """\
You are an expert programmer. Your last program was run, and the message that begins with "Execution result:" holds \
what really happened. Say in one or two sentences what the diagnostics mean and what caused them, then give the \
complete corrected program in one block that starts with ```python and ends with ```. Never leave parts out. Keep the \
names and parameters that are there. Write in the user's language."""


def mending(dialog: Sequence[Message]) -> tuple[Message, ...]:
    """Ask for the fix of a program that has failed."""
    return (Message("system", _MEND), *dialog)


_EXPLAIN = """\
You are an expert programmer. You are shown a program, what happened when it was run, and the corrected program.
Write what you would say before you show the correction: what went wrong, why, and what you changed, in at most three \
sentences. Write no code and do not repeat the program: it is shown below your text."""


def explaining(query: str, buggy: str, result: str, fixed: str, hint: str = "") -> tuple[Message, ...]:
    """Ask for the text around a fix that is known."""
    known = f"\n\nWhat is known of the mistake: {hint}" if hint else ""
    shown = (
        f"The task:\n{query}\n\nThe program:\n```python\n{buggy}\n```\n\n{result}\n\n"
        f"The corrected program:\n```python\n{fixed}\n```{known}"
    )
    return (Message("system", _EXPLAIN), Message("user", shown))


NORMAL_PROMPT = "Please run this program, and if something is wrong with it, find the cause and mend it."
"""What stands for the task where a broken program has none."""


_INTRODUCE = """\
You are an expert programmer. You are given a problem and a program that solves it, which will be shown right below \
your text. Write what comes before the program: the language, the idea or algorithm, and the main steps in their \
order, in two to five sentences of plain text. Write no code, no headings and no blocks, and do not ask questions."""


def introducing(question: str, program: str, language: str, facts: str) -> tuple[Message, ...]:
    """Ask for the text before a program that is not to be touched.

    Args:
        question: the statement, and what is asked for now.
        program: what will stand below the text.
        language: of the program, as people write it.
        facts: what is known of it: complexities, a note; may be empty.
    """
    known = f"\nWhat is known of it: {facts}" if facts else ""
    return (
        Message("system", _INTRODUCE),
        Message("user", f"The problem:\n{question}\n\nThe program, in {language}:\n```\n{program}\n```{known}"),
    )


_LINK = """\
Two programming problems follow, which one person asks one after the other. Write the one sentence with which the \
person goes over from the first to the second. Do not repeat the problem and do not solve it. Write no code."""


def linking(first: str, second: str, shared: Sequence[str]) -> tuple[Message, ...]:
    """Ask for the sentence that leads from one problem to a similar one."""
    common = f"What they share: {', '.join(shared)}.\n\n" if shared else ""
    return (Message("system", _LINK), Message("user", f"{common}The first:\n{first}\n\nThe second:\n{second}"))
