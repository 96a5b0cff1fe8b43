"""Every text that a protocol sends, and how a dialog goes on after feedback.

The names of the prompts and the wording of the published feedback are part of a result's identity: raise
``PROMPTS_VERSION`` with every change of a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.evaluation.problems import Problem

PROMPTS_VERSION = "2"
PromptName = Literal["evalplus", "evalplus-chat", "qwen", "original"]
RefineName = Literal["plain", "clear", "cause", "code", "fresh"]

FEEDBACK_CHARACTERS = 500
"""Where the original cuts the feedback on one suite."""
TIMED_OUT = "Execution timed out."
RESPONSE_MARK, INSTRUCTION_MARK = "@@ Response", "@@ Instruction"

# EvalPlus's own sentences: the figures of its leaderboard were measured with them.
_EVALPLUS = "Please provide a self-contained Python script that solves the following problem in a markdown code block:"
_EVALPLUS_OPENING = (
    "Below is a Python script with a self-contained function that solves the problem and passes corresponding tests:\n"
    "```python\n"
)
# What the makers of the Qwen2.5-Coder models ask in their own evaluation (github.com/QwenLM/Qwen2.5-Coder,
# qwencoder-eval/instruct/eval_plus/convert_data.py, commit dc5af29).
_QWEN_SYSTEM = "You are an intelligent programming assistant to produce Python algorithmic solutions"
_QWEN = "Can you complete the following Python function?"
_QWEN_OPENING = _CODE_OPENING = "```python\n"
CODE_END = "\n```\n"
"""What ends a reply that was begun for the model, as in EvalPlus: the end of the block in which it begins."""

_ORIGINAL_ROLE = (
    "You are a highly capable coding assistant whose answers to the user's instructions are always exact and reliable."
)
_ORIGINAL_END = (
    "Put the whole code into a single code block and return it.\n"
    "Write this block in the following format:\n```python\n# Your code here\n```"
)


def first_messages(problem: Problem, prompt: PromptName) -> tuple[Message, ...]:
    """Return the messages that ask for a first answer.

    Args:
        problem: what is to be solved.
        prompt: ``evalplus``, with which the figures of EvalPlus's leaderboard were had: the model goes on
            from a reply that is begun for it, up to its first line of code. ``evalplus-chat`` asks the same and leaves
            the reply to the model, as EvalPlus does with served models. ``qwen`` is how the makers of the
            Qwen2.5-Coder models ask them, the reply begun too. ``original`` is the layout on which the published
            OpenCodeInterpreter models were trained.
    """
    if prompt == "original":
        return (Message("user", _original(problem)),)
    if prompt == "qwen":
        asked = f"{_QWEN}\n```python\n{problem.prompt.strip()}\n```"
        return (Message("system", _QWEN_SYSTEM), Message("user", asked), Message("assistant", _QWEN_OPENING))
    question = Message("user", _evalplus(problem))
    return (question, Message("assistant", _EVALPLUS_OPENING)) if prompt == "evalplus" else (question,)


def opening(messages: Sequence[Message]) -> str:
    """Return the beginning of the reply that stands in the messages themselves; empty if there is none."""
    return messages[-1].content if messages and messages[-1].role == "assistant" else ""


def _evalplus(problem: Problem) -> str:
    return f"{_EVALPLUS}\n```\n{problem.prompt.strip()}\n```\n"


def _original(problem: Problem) -> str:
    if problem.family == "humaneval":
        task = (
            f"This is the given code, which is to be completed:\n```python\n{problem.prompt.strip()}\n```\n"
            "Go on and complete the function in the Python programming language. "
            "The given code must not be changed, only completed."
        )
    else:
        task = (
            f"This is the given problem with examples of its tests:\n{problem.prompt}\n\n"
            "Solve this problem in the Python programming language.\n"
            "See that the code has the functions that the tests call, and that what they take and return has the "
            "form that the tests show."
        )
    return f"{_ORIGINAL_ROLE}\n\n{INSTRUCTION_MARK}\n{task}\n\n{_ORIGINAL_END}\n\n{RESPONSE_MARK}"


def following(
    messages: Sequence[Message], reply: str, feedback: str, *, flattened: bool, refine: RefineName = "plain"
) -> tuple[Message, ...]:
    """Return the messages that ask for a refinement.

    Args:
        messages: what was sent last.
        reply: what came back, with what it was begun with.
        feedback: what the model is told of it.
        flattened: pack it all into the one user message, as the original evaluation did, which marks the feedback as
            an instruction but opens no response after it; else the dialog goes on in turns of its own.
        refine: with ``code`` the reply is begun with its block of code; with ``fresh`` the task is set anew, with the
            feedback below it and without the reply, since a small model copies what it sees.
    """
    begun = opening(messages)
    *before, last = messages[:-1] if begun else messages
    if refine == "fresh":
        anew = (*before, Message("user", f"{last.content.rstrip()}\n\n{feedback}"))
        return (*anew, Message("assistant", begun)) if begun else anew
    if flattened:
        asked = (*before, Message("user", f"{last.content}\n{reply}\n\n{INSTRUCTION_MARK}\n{feedback}\n"))
    else:
        asked = (*before, last, Message("assistant", reply), Message("user", feedback))
    return (*asked, Message("assistant", _CODE_OPENING)) if refine == "code" else asked


def wrong_answer(inputs: str, expected: str, actual: str) -> str:
    """Return the published text on an output that is not the expected one; ``inputs`` as they stand in a call."""
    return f"The results aren't as expected.\nInput: [{inputs}]\nExpected Output: {expected}\nActual Output: {actual}"


def missing_function(entry_point: str) -> str:
    """Return the published text on code that does not define what is asked for."""
    return f"Please rename your function to {entry_point} as there is no function named {entry_point}."


def cut(text: str) -> str:
    """Cut feedback where the original does."""
    return text[:FEEDBACK_CHARACTERS].strip()


def execution_result(text: str) -> str:
    """Return the published form of execution feedback."""
    return f"Execution result: \n{text}"


_CLEAR = "Your code is not right yet. Reply with the complete corrected code in one ```python block."
_CAUSE = (
    "Your code is not right yet. First say in one or two sentences what in the code causes this and what it must do "
    "instead. Then give the complete corrected code in one ```python block. Do not repeat the same code."
)
_FRESH = "A solution of this has been tried and was not right."


def refining(feedback: str, refine: RefineName) -> str:
    """Return what asks for a refinement: ``plain``, as published, says nothing besides the feedback itself."""
    if refine == "plain":
        return feedback
    if refine == "fresh":
        return f"{_FRESH}\n{feedback}"
    return f"{feedback}\n\n{_CAUSE if refine == 'cause' else _CLEAR}"


def raised(call: str, error: str) -> str:
    """Return what an honest protocol tells of a call that failed by itself."""
    return f"The call {call} failed:\n{error}"


def inputs_wanted(problem: Problem, count: int) -> tuple[Message, ...]:
    """Return the messages that ask for inputs, never for outputs: those that small models expect are often wrong."""
    text = (
        f"Here is a programming problem:\n```\n{problem.prompt.strip()}\n```\n"
        f"Write {count} different calls of {problem.entry_point} that would test a solution well: ordinary cases, "
        "edge cases and larger ones, all of them valid by the problem's text. One call a line, arguments as Python "
        "literals, in one ```python block. No results, no assertions, no comments, no solution."
    )
    return (Message("user", text),)


@dataclass(frozen=True)
class GuidanceRequest:
    """What a synthesizer of human feedback is shown."""

    problem: str
    code: str
    result: str
    reference: str = ""
    """the reference solution; only the oracle sees it"""


_GUIDE = (
    "A programmer has written code for the problem below, and it has been executed. Be the person who looks at it and "
    "gives guidance on how to change it. Read the code and the result of its execution, find what is wrong or left "
    "out, and explain clearly what to change and why. Write no code yourself. Answer in at most three sentences."
)
_GUIDE_ORACLE = (
    "Compare the code with the canonical solution too, and let the differences lead your guidance, but neither reveal "
    "what it says nor mention that there is one."
)


def guidance_messages(request: GuidanceRequest) -> tuple[Message, ...]:
    """Return the messages for the synthesizer; the sections are named as the original names them."""
    parts = [
        _GUIDE + (f" {_GUIDE_ORACLE}" if request.reference else ""),
        f"@@Problem\n{request.problem.strip()}",
        f"@@Existing Code\n{request.code}",
        f"@@Execution Result\n{request.result}",
    ]
    if request.reference:
        parts.append(f"@@Canonical Solution\n{request.reference.strip()}")
    text = "\n\n".join([*parts, "@@Guidance\n"])
    return (Message("system", "You are a helpful assistant."), Message("user", text))
