"""Words of German, Spanish, French and Chinese statements put into English, one by one, by a small glossary.

That is no translation, but enough to see what problem a statement tells of: words of programming tasks are few. The
glossary (``glossary.tsv``) holds stems; a word is taken for the longest stem that it begins with.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping, Set
from functools import lru_cache
from importlib import resources
from typing import Final

_FUNCTION_WORDS: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(words.split(","))
    for language, words in {
        "en": "the,a,an,of,is,are,and,or,that,which,if,to,in,for,with,it,be,from,this",
        "de": "der,die,das,ein,eine,einen,einer,eines,einem,und,ob,den,dem,des,von,mit,ist,nicht",
        "es": "el,la,los,las,un,una,unos,unas,que,de,del,y,o,es,para,con,por,se,al,en,su",
        "fr": "le,la,les,un,une,des,du,de,et,ou,est,qui,que,pour,dans,avec,par,au,aux,d,l,n",
    }.items()
}
_CJK: Final = re.compile(r"[\u3400-\u9fff]")
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SHORTEST_STEM: Final = 4


def language_of(text: str) -> str:
    """Return the human language of a text: ``en``, ``de``, ``es``, ``fr`` or ``zh``; ``en`` if in doubt."""
    letters = sum(character.isalpha() for character in text)
    if letters and len(_CJK.findall(text)) > 0.1 * letters:
        return "zh"
    words = [_plain(word) for word in _TOKEN.findall(text)]
    found = {name: sum(word in known for word in words) for name, known in _FUNCTION_WORDS.items()}
    best = max(found, key=lambda name: (found[name], name == "en"))
    return best if found[best] >= 2 else "en"


def in_english(text: str) -> str:
    """Return a text with the words that the glossary knows in English; an English text as it is."""
    language = language_of(text)
    if language == "en":
        return text
    stems = _stems(language)
    if language == "zh":
        known = re.sub("|".join(map(re.escape, stems)), lambda match: f" {stems[match.group()]} ", text)
        # What is not known would only be unlike everything.
        return re.sub(r" {2,}", " ", _CJK.sub(" ", known))
    phrases = [stem for stem in stems if " " in stem]
    plain = _plain(text)
    for phrase in phrases:
        plain = plain.replace(phrase, stems[phrase])
    empty = _FUNCTION_WORDS[language]
    words = _TOKEN.sub(lambda match: "" if match.group() in empty else _word(match.group(), stems), plain)
    return re.sub(r" {2,}", " ", words)


def key_words(text: str, vocabulary: Set[str]) -> str:
    """Return those words of a text that say something and are known: to the glossary or to ``vocabulary``.

    What the glossary leaves of a foreign sentence is no sentence. It is more like what an English sentence leaves when
    the same is done to it.
    """
    words = [word.casefold() for word in re.findall(r"[^\W_]+", text)]
    known = vocabulary | _english()
    return " ".join(word for word in words if (word in known or word.isdigit()) and word not in _FUNCTION_WORDS["en"])


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    return frozenset(
        word for language in ("de", "es", "fr", "zh") for to in _stems(language).values() for word in to.split()
    )


def _word(word: str, stems: Mapping[str, str]) -> str:
    if word in stems:
        return stems[word]
    for end in range(len(word), _SHORTEST_STEM - 1, -1):
        if word[:end] in stems:
            return stems[word[:end]]
    return word


@lru_cache(maxsize=8)
def _stems(language: str) -> dict[str, str]:
    file = resources.files("opencodeinterpreter.codefeedback.decontamination") / "glossary.tsv"
    found: dict[str, str] = {}
    for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines(), delimiter="\t"):
        for stem in row[language].split(","):
            found.setdefault(stem, row["english"])
    # The longest first, so that a pattern of alternatives finds it.
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def _plain(text: str) -> str:
    parted = unicodedata.normalize("NFD", text.casefold().replace("ß", "ss"))
    return "".join(character for character in parted if not unicodedata.combining(character))
