"""The program in a model's reply, and by which rule it was found.

Replies differ more than their code does: fences of all kinds or none, one block or several, prose around, the prompt
repeated or only the body of its function, tests behind it, an end that was cut off. A rule is named by where the code
stood, what was done to it, and where what it needs came from: ``fence``, ``text, mended``, ``fence, body + prompt``.
The rules are tried in the order of ``_finds``; the first that gives the entry point wins.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from opencodeinterpreter.evaluation.program import (
    Function,
    Program,
    Statement,
    gives_something,
    is_stub,
    keep,
    needed_by,
    read_program,
)
from opencodeinterpreter.evaluation.replies import Block, blocks, reasoning_too, visible, without_fences
from opencodeinterpreter.evaluation.salvage import salvage

LONGEST: Final = 200_000
"""Characters of a reply that are looked at; a reply that never ended holds nothing new behind them."""
MOST_BLOCKS: Final = 200
"""Fenced blocks that are looked at, the last ones; a reply that repeats itself may have thousands."""

_INDENTED: Final = re.compile(r"\s*^[ \t]+(?!def\b|class\b|async\b|import\b|from\b|@)\S", re.MULTILINE)
"""A text that begins within a function."""


@dataclass(frozen=True)
class Extraction:
    """The program that was found in a reply."""

    code: str
    """empty if there was none"""
    rule: str
    """how it was found"""
    has_entry_point: bool
    """it can be parsed, and defines the function that was asked for"""


@dataclass(frozen=True)
class _Find:
    program: Program
    rule: str


def extract(reply: str, entry_point: str, prompt: str) -> Extraction:
    """Return the program in a reply; any text is read without an error.

    Kept is what the entry point needs; names that the prompt gives (its imports, its helper functions) and that the
    reply uses without giving them are taken from there.

    Args:
        reply: the model's text, raw.
        entry_point: the function that was asked for.
        prompt: what the problem gave the model; for a bare function body, what it is the body of.
    """
    text = visible(reply[:LONGEST])
    if not reply.strip():
        return Extraction("", "empty", has_entry_point=False)
    given = read_program(prompt)
    found = next(_finds(text, entry_point, given), None)
    if found is None and (everything := reasoning_too(reply[:LONGEST])) != text:
        found = next(_finds(everything, entry_point, given), None)
        found = found and _Find(found.program, "reasoning, " + found.rule)
    if found is None:
        return _without_entry_point(text, entry_point)
    return _completed(found, blocks(text)[-MOST_BLOCKS:], entry_point, given)


def _finds(text: str, entry_point: str, prompt: Program | None) -> Iterator[_Find]:
    """Yield programs that define the entry point, the most certain first."""
    # The last one: a reply that mends code quotes the old code first.
    every = sorted(blocks(text)[::-1][:MOST_BLOCKS], key=lambda block: (not block.closed, not block.python))
    for block in every:
        program = read_program(block.body)
        if program and program.defines(entry_point):
            yield _Find(program, _place(block))
    for block in every:
        program = _body(block.body, entry_point, prompt) if _INDENTED.match(block.body) else None
        if program:
            yield _Find(program, f"{_place(block)}, body")
    for block in every:
        program = _mended(block.body, entry_point)
        if program:
            yield _Find(program, f"{_place(block)}, mended")
    for block in every:
        program = _body(block.body, entry_point, prompt)
        if program:
            yield _Find(program, f"{_place(block)}, body")
    plain = without_fences(text)
    program = read_program(textwrap.dedent(plain))
    if program and program.defines(entry_point):
        yield _Find(program, "text")
    program = _body(plain, entry_point, prompt) if _INDENTED.match(plain) else None
    if program:
        yield _Find(program, "text, body")
    program = _mended(plain, entry_point)
    if program:
        yield _Find(program, "text, mended")
    program = _body(plain, entry_point, prompt)
    if program:
        yield _Find(program, "text, body")


def _place(block: Block) -> str:
    return "fence" if block.closed else "open fence"


def _mended(text: str, entry_point: str) -> Program | None:
    """Return the statements of a text that can be parsed, if the entry point is among them."""
    begins = re.search(
        rf"^([ \t]*)(?:async[ \t]+)?(?:def|class)[ \t]+{re.escape(entry_point)}\b(.*)", text, re.MULTILINE
    )
    if begins is None and not re.search(rf"^{re.escape(entry_point)}\b[^=\n]*=", text, re.MULTILINE):
        return None
    if begins and begins[1]:
        if re.match(r"[ \t]*\([ \t]*(?:self|cls)\b", begins[2]):
            return None
        text = re.sub(rf"^{re.escape(begins[1])}", "", text, flags=re.MULTILINE)
    program = read_program(salvage(text))
    return program if program and program.defines(entry_point) else None


def _body(text: str, entry_point: str, prompt: Program | None) -> Program | None:
    """Return the prompt's function with ``text`` as its body, if it reads as one."""
    if prompt is None or not prompt.statements or not re.search(r"\b(?:return|yield)\b", text):
        return None
    last = prompt.statements[-1].node
    if not (isinstance(last, Function) and last.name == entry_point and is_stub(last)):
        return None
    text = text.strip("\n")
    margin = " " * last.body[0].col_offset
    bodies = [textwrap.indent(textwrap.dedent(text), margin), margin + text.lstrip()]
    if text[:1] in " \t":
        bodies.insert(0, text)
    wholes = [f"{prompt.source.rstrip()}\n{body}" for body in bodies]
    for read in (read_program, lambda whole: read_program(salvage(whole))):
        for program in map(read, wholes):
            if program and program.defines(entry_point) and gives_something(program, entry_point):
                return _first_only(program, entry_point)
    return None


def _first_only(program: Program, entry_point: str) -> Program:
    """Where a model goes on after the body and defines the function again, the first one is its answer."""
    kept: list[Statement] = []
    defined = False
    for statement in program.statements:
        if not (defined and entry_point in statement.binds):
            kept.append(statement)
        defined = defined or statement.defines(entry_point)
    return Program(program.source, tuple(kept)) if len(kept) == len(program.statements) else _of(keep(program, kept))


def _of(source: str) -> Program:
    return read_program(source) or Program(source, ())


def _completed(found: _Find, others: list[Block], entry_point: str, prompt: Program | None) -> Extraction:
    """Reduce a program to what its entry point needs, and bring what it lacks and was given elsewhere."""
    program = _of(_reduced(found.program, entry_point))
    rule = found.rule
    missing = program.missing()
    for block in others if missing else ():
        source = block.body
        other = read_program(source) or read_program(salvage(source))
        lent = _lent(other, missing, entry_point) if other and source != found.program.source else ""
        if lent:
            program = _of(_joined(lent, program.source))
            missing = program.missing()
            rule = rule if rule.endswith("+ other fences") else rule + " + other fences"
    lent = _lent(prompt, missing, entry_point) if prompt and missing else ""
    if lent:
        program, rule = _of(_joined(lent, program.source)), rule + " + prompt"
    return Extraction(program.source, rule, program.defines(entry_point))


def _reduced(program: Program, entry_point: str) -> str:
    needed = {id(statement) for statement in needed_by(program, {entry_point}, entry_point)}
    kept = [
        statement
        for statement in program.statements
        # An import of the entry point, as from "your_module", belongs to a test; a stub may stand below the answer.
        if (statement.is_import or id(statement) in needed)
        and (entry_point not in statement.binds or (statement.defines(entry_point) and not statement.is_import))
    ]
    return keep(program, kept if any(each.defines(entry_point) for each in kept) else list(program.statements))


def _lent(program: Program, names: frozenset[str], entry_point: str) -> str:
    """Return what of a program brings ``names``; empty if nothing does."""
    bringing = [each for each in program.statements if each.is_import and each.binds & names]
    found = {id(each) for each in needed_by(program, names, entry_point)}
    wanted = frozenset(names).union(*(each.uses for each in program.statements if id(each) in found))
    kept = [
        each
        for each in program.statements
        if entry_point not in each.binds and (id(each) in found or (each.is_import and each.binds & wanted))
    ]
    return keep(program, kept) if bringing or any(each.binds & names for each in kept) else ""


def _joined(above: str, below: str) -> str:
    future = re.findall(r"^from __future__ import .*$", below, re.MULTILINE)
    if future:
        below = re.sub(r"^from __future__ import .*\n?", "", below, flags=re.MULTILINE)
    return "\n".join([*future, above, "", "", below.strip("\n")])


def _without_entry_point(text: str, entry_point: str) -> Extraction:
    """Return what code there is, for a grader to say what is wrong with it."""
    every = [block for block in blocks(text) if block.python] or blocks(text)
    named = [block for block in every if re.search(rf"\b{re.escape(entry_point)}\b", block.body)]
    defining = [block for block in every if re.search(r"^[ \t]*(?:def|class)\b", block.body, re.MULTILINE)]
    if every:
        block = (named or defining or every)[-1]
        return Extraction(block.body, f"{_place(block)}, no entry point", has_entry_point=False)
    source = salvage(text)
    if re.search(r"^(?:def|class|async def)\b", source, re.MULTILINE):
        return Extraction(source, "text, no entry point", has_entry_point=False)
    broken = re.search(rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+{re.escape(entry_point)}\b", text, re.MULTILINE)
    if broken:
        return Extraction(text[broken.start() :].strip("\n"), "text, no entry point", has_entry_point=False)
    return Extraction("", "no code", has_entry_point=False)
