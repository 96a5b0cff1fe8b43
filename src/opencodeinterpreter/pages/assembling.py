"""How a page is put together: its policy, its texts, the data in it.

A page is made of a body, which is a template; of a style; and of scripts, which run as one. What several pages have in
common is in ``shared/`` here, what one has alone in the ``templates/`` of its own package: ``text_of`` reads both.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Final

_OURS: Final = "opencodeinterpreter.pages"


def assemble(
    title: str, body: str, *, style: str, scripts: Sequence[str] = (), holes: Mapping[str, str] | None = None
) -> str:
    """Return the page.

    Its policy forbids every request and every script and style but its own, so that nothing that a model wrote can
    act in it, should a text ever escape its escaping.

    Args:
        title: plain text; fills the hole ``TITLE`` too.
        body: what stands in the body, with holes such as ``%%RESULTS%%``.
        style: the whole style sheet.
        scripts: texts of scripts, in their order. They share one scope, which is theirs alone.
        holes: markup for the holes of the body, by their names. Who fills one escapes what is in it.

    Raises:
        KeyError: if the body has a hole that is not filled.
    """
    script = "(() => {\n'use strict';\n" + "\n".join(scripts) + "\n})();\n" if scripts else ""
    names = {"TITLE": escape(title)}
    filled = _filled(body, {**names, **(holes or {})})
    own = f"<script>{script}</script>\n" if script else ""
    head = {**names, "POLICY": _policy(style, script), "STYLE": style, "BODY": filled, "SCRIPT": own}
    return _filled(text_of("page.html"), head)


def text_of(name: str, package: str = _OURS) -> str:
    """Return a template, style or script: one that pages share, or one of another package's ``templates``."""
    folder = "shared" if package == _OURS else "templates"
    return (files(package) / folder / name).read_text(encoding="utf-8")


def embedded(row: object, identity: str) -> str:
    """Return an element that holds JSON, which cannot end the element, whatever the texts in it are."""
    text = json.dumps(row, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script type="application/json" id="{escape(identity)}">{text}</script>'


def packed(row: object) -> str:
    """Return base64 of gzipped JSON, the same for the same row; ``unpack`` of ``shared/elements.js`` reads it."""
    text = json.dumps(row, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode("ascii"), mtime=0)).decode("ascii")


def piece(data: str, identity: str) -> str:
    """Return an element that holds packed data."""
    return f'<script type="text/plain" id="{escape(identity)}">{data}</script>'


def _policy(style: str, script: str) -> str:
    allowed = f"script-src '{_hash(script)}'; " if script else ""
    return (
        f"default-src 'none'; {allowed}style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _filled(template: str, holes: Mapping[str, str]) -> str:
    # In one pass over the template: a text that looks like a hole must not be filled.
    return "".join(holes[part] if number % 2 else part for number, part in enumerate(template.split("%%")))
