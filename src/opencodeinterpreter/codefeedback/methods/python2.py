"""Turns the Python 2 idioms of old solutions into Python 3. Whether the result is right, only its tests can tell."""

from __future__ import annotations

import io
import itertools
import tokenize

_NAMES = {
    "xrange": "range",
    "unicode": "str",
    "basestring": "str",
    "long": "int",
    "unichr": "chr",
    "raw_input": "input",
}
_ATTRIBUTES = {"iteritems": "items", "itervalues": "values", "iterkeys": "keys"}
_OF_MODULES = {
    ("itertools", "izip"): "zip",
    ("itertools", "imap"): "map",
    ("itertools", "ifilter"): "filter",
    ("itertools", "izip_longest"): "itertools.zip_longest",
    ("string", "maketrans"): "str.maketrans",
    ("string", "letters"): "string.ascii_letters",
    ("string", "lowercase"): "string.ascii_lowercase",
    ("string", "uppercase"): "string.ascii_uppercase",
    ("sys", "maxint"): "sys.maxsize",
}
_REDUCE = "from functools import reduce\n\n"


def to_python3(code: str) -> str:
    """Return the program with names of Python 2 replaced by those of Python 3; all else stays, layout and comments too.

    A text that cannot be split into Python's tokens comes back as it is.
    """
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return code
    names = [token for token in tokens if token.type not in (tokenize.NL, tokenize.COMMENT)]
    defined = {after.string for before, after in itertools.pairwise(names) if before.string in ("def", "class")}
    changes: list[tuple[tuple[int, int], tuple[int, int], str]] = []
    for index, token in enumerate(names):
        if token.type != tokenize.NAME:
            continue
        if index > 1 and names[index - 1].string == ".":
            before = names[index - 2]
            replaced = _OF_MODULES.get((before.string, token.string))
            if replaced:
                changes.append((before.start, token.end, replaced))
            elif token.string in _ATTRIBUTES and token.string not in defined:
                changes.append((token.start, token.end, _ATTRIBUTES[token.string]))
        elif token.string in _NAMES and token.string not in defined and not _is_keyword(names, index):
            changes.append((token.start, token.end, _NAMES[token.string]))
    changed = _changed(code, changes)
    return _REDUCE + changed if _lacks_reduce(names) else changed


def _is_keyword(names: list[tokenize.TokenInfo], index: int) -> bool:
    """Hold for the name of an argument or of a variable that is assigned to."""
    following = names[index + 1].string if index + 1 < len(names) else ""
    return following == "="


def _lacks_reduce(names: list[tokenize.TokenInfo]) -> bool:
    pairs = list(itertools.pairwise(names))
    called = any(
        token.string == "reduce" and after.string == "(" and (index == 0 or names[index - 1].string not in (".", "def"))
        for index, (token, after) in enumerate(pairs)
    )
    had = any(before.string in ("def", "import", ",") and token.string == "reduce" for before, token in pairs)
    return called and not had


def _changed(code: str, changes: list[tuple[tuple[int, int], tuple[int, int], str]]) -> str:
    lines = code.splitlines(keepends=True)
    for start, end, text in reversed(changes):
        if start[0] == end[0]:
            line = lines[start[0] - 1]
            lines[start[0] - 1] = line[: start[1]] + text + line[end[1] :]
    return "".join(lines)
