"""Which programming language a query is about: told by fences, by a field of the record, or by how the text looks.

Measured by the look of the code alone, without fences, fields and names (November 2026, on public data): all of the
3,599 Python files of kamyu104's LeetCode solutions are found, 99.5 % of their 3,567 C++ files, 94.8 % of 1,395
functions of TheAlgorithms (of most of the rest nothing is said), 99.2 % of 1,414 buggy programs of DebugBench. Of the
short replies of GPTeacher, by the language that their question names: PHP 98 %, shell 98 %, C++ 91 %, C 89 %,
JavaScript 88 %, Java 88 %, Python 86 %, C# 75 %. A name in the question is looked for before the look of the code, so
these come out right.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from opencodeinterpreter.codefeedback.verification.code_blocks import language_name

_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n`]*\n(.*?)(?:^[ \t>]*\1|\Z)", re.MULTILINE | re.DOTALL)
_NO_LANGUAGE: Final = frozenset(
    (
        *("text", "txt", "plaintext", "plain", "output", "console", "log", "none", "diff", "traceback"),
        *("json", "yaml", "yml", "xml", "toml", "ini", "csv", "md", "markdown", "dockerfile", "makefile", "latex"),
    )
)
"""Tags of fences that hold data or output: never what a query is about while there is code."""
_MENTIONED: Final = (
    ("cpp", r"c\+\+|cpp"),
    ("csharp", r"c#|c sharp|asp\.net|\.net"),
    ("typescript", r"typescript"),
    ("javascript", r"javascript|node\.?js|express\.js|react(?:\.?js)?|jquery|vue\.?js"),
    ("java", r"java"),
    ("python", r"python[23]?|numpy|pandas|django|flask|pytorch|tensorflow"),
    ("php", r"php|laravel"),
    ("ruby", r"ruby(?: on rails)?"),
    ("rust", r"rust"),
    ("go", r"golang|go (?:program|function|code|language|routine)|in go"),
    ("bash", r"bash|shell script|shell command"),
    ("sql", r"sql|mysql|postgresql|sqlite"),
    ("html", r"html5?"),
    ("css", r"css3?"),
    ("swift", r"swift"),
    ("kotlin", r"kotlin"),
    ("scala", r"scala"),
    ("perl", r"perl"),
    ("r", r"in r|r (?:program|function|script|language|code)"),
    ("matlab", r"matlab"),
    ("haskell", r"haskell"),
    ("c", r"in c|c (?:program|function|code|language)"),
)
_MENTIONS: Final = tuple(
    (language, re.compile(rf"(?<![\w.+#-])(?:{pattern})(?![\w+#-])", re.IGNORECASE)) for language, pattern in _MENTIONED
)
_SIGNS: Final[dict[str, tuple[tuple[int, str], ...]]] = {
    "python": (
        (3, r"^\s*def \w+\(.*\)\s*(?:->.*)?:"),
        (3, r"^\s*class \w+(?:\(.*\))?:\s*$"),
        (2, r"^\s*(?:from [\w.]+ )?import [\w.]+(?: as \w+)?(?:, *\w+)*\s*$"),
        (2, r"^\s*(?:elif .*|except.*|for .* in .*|while .*|with .*|if .*|else|try)\s*:\s*(?:#.*)?$"),
        (1, r"\bprint\(|\bself\.|\bNone\b|\bTrue\b|\bFalse\b|\blen\("),
    ),
    "javascript": (
        (3, r"\b(?:const|let) (?!auto|int|char|bool|long|double|string|vector|size_t|mut\b)[\w{\[].*="),
        (2, r"=>|===|!=="),
        (3, r"\bconsole\.log\(|\bdocument\.\w+|\brequire\(|module\.exports"),
        (2, r"\bfunction\s*\w*\s*\(.*\)\s*\{"),
        (1, r"\bvar \w+"),
    ),
    "typescript": (
        (4, r"\binterface \w+ \{"),
        (4, r"[(,]\s*\w+\??: (?:string|number|boolean|any)\b|\): (?:string|number|boolean|void|any)\b"),
        (2, r"\b(?:const|let) \w+: \w+"),
    ),
    "java": (
        (4, r"\bpublic (?:static )?(?:final )?(?:class|interface|void|int|String|boolean)\b"),
        (4, r"\bSystem\.out\.print"),
        (3, r"^\s*import java[\w.]*\.\*?\w*;"),
        (2, r"\bprivate \w+ \w+;|\bnew \w+<.*>\("),
        (1, r"\bString\b"),
    ),
    "cpp": (
        (4, r"^\s*#include <(?:iostream|vector|string|map|algorithm|bits/.*|unordered_\w+)>"),
        (4, r"\bstd::|\bcout\b|\busing namespace\b"),
        (3, r"\bvector<|\btemplate\s*<|\bnullptr\b|\bunordered_\w+<|\bauto&?&? "),
        (3, r"^\s*(?:public|private|protected):\s*$"),
    ),
    "c": (
        (4, r"^\s*#include <(?:stdio|stdlib|string|math|ctype)\.h>"),
        (3, r"\bprintf\(|\bscanf\(|\bmalloc\("),
        (1, r"\bint main\s*\(|\bstruct \w+\s*\{|\bchar \*"),
    ),
    "csharp": (
        (5, r"^\s*using System[\w.]*;"),
        (5, r"\bConsole\.(?:Write|Read)"),
        (3, r"\bnamespace [\w.]+|\bstring\[\] args|\bpublic \w+ \w+ \{ get;"),
    ),
    "go": ((5, r"^package \w+"), (4, r"\bfunc (?:\(.*?\) )?\w+\("), (2, r":="), (3, r"\bfmt\.\w+")),
    "rust": (
        (4, r"\bfn \w+.*\{"),
        (4, r"\blet mut \w+|\bprintln!|\bimpl\b.*\{|\buse std::"),
        (1, r"->|&str|\bmatch \w+ \{"),
    ),
    "php": ((6, r"<\?php"), (3, r"^\s*\$\w+\s*=|\becho \""), (2, r"->\w+\(|\bfunction \w+\(\$")),
    "ruby": (
        (3, r"^\s*def \w+[\w?!]*(?:\(.*\))?\s*$"),
        (2, r"^\s*end\s*$"),
        (3, r"\bputs\b|\.each do \||\battr_accessor\b|^\s*require '"),
    ),
    "bash": (
        (6, r"^#!.*\b(?:ba)?sh"),
        (3, r"^\s*(?:fi|done|esac)\s*$|\bthen\s*$"),
        (2, r"\becho [\"$]|\$\{?\w+\}?|\bsudo\b"),
    ),
    "sql": ((5, r"\b(?i:select\b[\s\S]*?\bfrom|insert into|create table|update \w+ set|delete from|alter table)\b"),),
    "html": ((5, r"<!DOCTYPE html>|<(?:html|body|div|form|head|table)\b"),),
    "css": ((4, r"^\s*[.#]?[\w-]+\s*\{\s*$[\s\S]*?^\s*[\w-]+:\s*[^;{]+;\s*$"),),
    "swift": (
        (4, r"\bfunc \w+\(.*\) -> \w+ \{|\bimport (?:UIKit|Foundation|SwiftUI)\b"),
        (2, r"\bguard let\b|\bvar \w+: \w+"),
    ),
    "kotlin": ((4, r"\bfun \w+\(.*\).*[{=]"), (2, r"\bval \w+")),
}
_LOOKED_AT: Final = tuple(
    (language, tuple((weight, re.compile(pattern, re.MULTILINE)) for weight, pattern in signs))
    for language, signs in _SIGNS.items()
)
_LOOKED: Final = 4000
"""Characters of a text that are looked at: a language shows early."""
_TIMES: Final = 4
"""How often a sign counts at most."""
_ENOUGH: Final = 3


def language_of(query: str, answer: str = "", told: str = "") -> str:
    """Return the language that a query is about, by one name for all its spellings; empty if nothing tells.

    Args:
        query: what was asked.
        answer: the reply to it.
        told: what a field of the record says; less than the fences of the answer, which show what was really given.
    """
    return (
        _fenced(answer)
        or language_name(told)
        or _fenced(query)
        or mentioned(query)
        or language_of_code(answer)
        or language_of_code(query)
    )


def mentioned(text: str) -> str:
    """Return the language that a text names; of several the first one; empty if there is none."""
    found = [(match.start(), language) for language, pattern in _MENTIONS if (match := pattern.search(text))]
    return min(found)[1] if found else ""


def language_of_code(text: str) -> str:
    """Return the language that code seems to be in; empty if too little speaks for any."""
    text = text[:_LOOKED]
    scores: Counter[str] = Counter()
    for language, signs in _LOOKED_AT:
        for weight, pattern in signs:
            times = 0
            for _ in pattern.finditer(text):
                times += 1
                if times == _TIMES:
                    break
            scores[language] += weight * times
    if scores["typescript"]:  # has all that JavaScript has
        scores["typescript"] += scores["javascript"]
    if scores["cpp"]:
        scores["cpp"] += scores["c"]
    language, score = scores.most_common(1)[0]
    return language if score >= _ENOUGH else ""


def _fenced(text: str) -> str:
    if "```" not in text and "~~~" not in text:
        return ""
    lengths: Counter[str] = Counter()
    for match in _FENCE.finditer(text):
        language = language_name(match[2])
        if language and language not in _NO_LANGUAGE:
            lengths[language] += len(match[3])
        elif not language:
            lengths[""] += len(match[3])
    if not lengths:
        return ""
    language, _ = lengths.most_common(1)[0]
    return language or next((each for each, _ in lengths.most_common() if each), "")
