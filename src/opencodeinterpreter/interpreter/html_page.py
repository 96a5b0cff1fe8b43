"""A session as one HTML file that anyone can open: text and pictures, no script, nothing from another host.

All that it shows was written by people, models and their code. It becomes text by escaping, or markup that is made
here of a few known elements; and the page's own policy forbids whatever might get through: scripts, requests, forms.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from opencodeinterpreter.interpreter.code_actions import prose
from opencodeinterpreter.interpreter.events import Round
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.interpreter.html_parts import coloured, frame_table, plain_text
from opencodeinterpreter.pages import assemble, text_of
from opencodeinterpreter.sandbox.base import Display, ExecutionResult

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_WORDS = {
    "en": {
        "you": "You", "ran": "You ran code", "code": "Code", "output": "Output", "errors": "Printed as errors",
        "unrun": "Not run", "ended": "Ended by the sandbox: {reason}.", "traceback": "Where it happened",
        "files": "Files", "made": "Files made", "figure": "Figure", "empty": "There is nothing in this session yet.",
        "scripts": "An output that needs scripts is not shown here; it is in the notebook that can be exported.",
        "untitled": "Session", "saved": "Saved with OpenCodeInterpreter on {date}.",
        "rows": "The first {n} of {all} rows.",
    },
    "zh": {
        "you": "你", "ran": "你运行了代码", "code": "代码", "output": "输出", "errors": "错误输出",
        "unrun": "未运行", "ended": "被沙箱结束：{reason}。", "traceback": "出错位置",
        "files": "文件", "made": "生成的文件", "figure": "图", "empty": "此会话还没有内容。",
        "scripts": "需要脚本的输出不在此显示，可导出笔记本查看。",
        "untitled": "会话", "saved": "由 OpenCodeInterpreter 保存于 {date}。",
        "rows": "前 {n} 行，共 {all} 行。",
    },
}  # fmt: skip
LANGUAGES = tuple(_WORDS)
_PICTURES = ("image/png", "image/jpeg", "image/gif")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")


@dataclass(frozen=True)
class PageFile:
    """A file that the page offers."""

    name: str
    size: int
    """In bytes."""
    address: str
    """Relative to the page."""


def html_page(
    turns: Sequence[Turn],
    *,
    title: str = "",
    language: str = "en",
    told: str = "",
    files: Sequence[PageFile] = (),
) -> str:
    """Return the turns as a page.

    Args:
        title: without one, the first task's first line.
        language: of the page's own words, "en" or "zh".
        told: a line under the title; without one, when it was saved.
        files: to be offered at its end.
    """
    writer = _Writer(_WORDS.get(language, _WORDS["en"]))
    words = writer.words
    first = next((turn.task.strip().split("\n")[0] for turn in turns if turn.task.strip()), "")
    title = (title or first or words["untitled"])[:200]
    told = told or words["saved"].format(date=time.strftime("%Y-%m-%d"))
    content = "".join(writer.turn(turn) for turn in turns) or f'<p class="note">{words["empty"]}</p>'
    body = (
        f'<div lang="{"zh-CN" if language == "zh" else "en"}">'
        f'<header class="top"><div><h1>{escape(title)}</h1><p>{escape(told)}</p></div></header>'
        f"<main>{content}{_offered(files, words)}</main></div>\n"
    )
    style = text_of("page.css") + text_of("session.css", "opencodeinterpreter.interpreter")
    return assemble(title, "%%SESSION%%", style=style, holes={"SESSION": body})


class _Writer:
    def __init__(self, words: dict[str, str]) -> None:
        self.words = words

    def turn(self, turn: Turn) -> str:
        parts = [f"<h2>{self.words['you' if turn.task else 'ran']}</h2>"]
        if turn.task:
            names = "".join(f"<li>{escape(name)}</li>" for name in turn.files)
            given = f'<ul class="names" aria-label="{self.words["files"]}">{names}</ul>' if names else ""
            parts = [f'<div class="asked">{parts[0]}<p>{escape(turn.task)}</p>{given}</div>']
        parts += [self._round(round_) for round_ in turn.rounds]
        if turn.answer is not None and turn.answer.outcome not in ("answered", "ran"):
            parts.append(f'<div class="ending">{markdown(turn.answer.text)}</div>')
        return f'<article class="turn">{"".join(parts)}</article>'

    def _round(self, round_: Round) -> str:
        said = markdown(prose(round_.reply))
        text = f'<div class="prose">{said}</div>' if said else ""
        if round_.code is None:
            return text
        code = (
            f'<pre class="code" tabindex="0" role="region" aria-label="{self.words["code"]}">'
            f"<code>{coloured(round_.code.rstrip(), 'python')}</code></pre>"
        )
        given = self._result(round_.result) if round_.result is not None else [f"<p>{self.words['unrun']}</p>"]
        outputs = f'<div class="outputs">{"".join(given)}</div>' if given else ""
        return f'{text}<section class="cell">{code}{outputs}</section>'

    def _result(self, result: ExecutionResult) -> list[str]:
        parts = [self._stream(result.stdout, "output"), self._stream(result.stderr, "errors")]
        parts += [self._display(display) for display in result.displays]
        if result.result is not None and not any(display.kind == "result" for display in result.displays):
            parts.append(self._stream(result.result, "output"))
        if result.error is not None:
            error = result.error
            line = escape(plain_text(f"{error.name}: {error.value}" if error.value else error.name))
            trace = self._stream(error.traceback, "traceback")
            folded = f"<details><summary>{self.words['traceback']}</summary>{trace}</details>" if trace else ""
            parts.append(f'<div class="error"><p>{line}</p>{folded}</div>')
        elif result.reason is not None:
            parts.append(f'<p class="error">{escape(self.words["ended"].format(reason=result.reason))}</p>')
        if result.files:
            names = "".join(f"<li>{escape(change.path)}</li>" for change in result.files)
            parts.append(f'<ul class="names" aria-label="{self.words["made"]}">{names}</ul>')
        return [part for part in parts if part]

    def _stream(self, text: str, name: str) -> str:
        text = plain_text(text).rstrip("\n")
        if not text.strip():
            return ""
        label = self.words[name]
        return f'<pre class="{name}" tabindex="0" role="region" aria-label="{label}">{escape(text)}</pre>'

    def _display(self, display: Display) -> str:
        data: dict[str, Any] = dict(display.data)
        text = data.get("text/plain")
        text = text if isinstance(text, str) else ""
        for media in _PICTURES:
            if isinstance(data.get(media), str) and _BASE64.fullmatch(data[media]):
                return self._picture(media, "".join(data[media].split()), text)
        if isinstance(data.get("image/svg+xml"), str):
            # In an <img> an SVG runs nothing and fetches nothing.
            return self._picture("image/svg+xml", base64.b64encode(data["image/svg+xml"].encode()).decode(), text)
        if isinstance(data.get("text/html"), str):
            table = frame_table(data["text/html"], self.words["rows"])
            return table or self._stream(text, "output") or f'<p class="note">{self.words["scripts"]}</p>'
        if isinstance(data.get("text/markdown"), str):
            return f'<div class="prose">{markdown(data["text/markdown"])}</div>'
        if "application/json" in data:
            return self._stream(json.dumps(data["application/json"], ensure_ascii=False, indent=2), "output")
        latex = data.get("text/latex")
        shown = self._stream(text or (latex if isinstance(latex, str) else ""), "output")
        return shown or f'<p class="note">{self.words["scripts"]}</p>'

    def _picture(self, media: str, data: str, text: str) -> str:
        said = self.words["figure"] if not text or text.startswith("<") else text
        return f'<img alt="{escape(said)}" src="data:{media};base64,{data}">'


def markdown(text: str) -> str:
    """Return Markdown as HTML: HTML in it is text, a picture is a link, and links go to the web or to mail alone."""
    return _markdown().render(text).strip() if text.strip() else ""


@cache
def _markdown() -> MarkdownIt:
    # Imported here: it takes longer to load than the rest of the loop, and most sessions are never exported.
    from markdown_it import MarkdownIt

    def highlight(code: str, tag: str, _attributes: str) -> str:
        return coloured(code, tag.split()[0] if tag.split() else "")

    made = MarkdownIt("commonmark", {"html": False, "highlight": highlight}).enable(["table", "strikethrough"])
    made.disable("image")
    made.validateLink = lambda url: bool(re.match(r"(https?://|mailto:)", url.strip(), re.IGNORECASE))  # type: ignore[method-assign]

    def link_open(renderer: Any, tokens: Any, number: int, options: Any, _env: Any) -> str:
        tokens[number].attrSet("rel", "noopener noreferrer nofollow")
        tokens[number].attrSet("target", "_blank")
        return str(renderer.renderToken(tokens, number, options, _env))

    def heading(renderer: Any, tokens: Any, number: int, options: Any, _env: Any) -> str:
        tokens[number].tag = f"h{min(int(tokens[number].tag[1]) + 2, 6)}"  # the page has headings of its own above
        return str(renderer.renderToken(tokens, number, options, _env))

    def cell(renderer: Any, tokens: Any, number: int, options: Any, _env: Any) -> str:
        # The page's policy takes no style of an element.
        style = tokens[number].attrs.pop("style", "")
        if "right" in style or "center" in style:
            tokens[number].attrSet("class", "number" if "right" in style else "centred")
        return str(renderer.renderToken(tokens, number, options, _env))

    rules = {
        "link_open": link_open,
        "heading_open": heading,
        "heading_close": heading,
        "td_open": cell,
        "th_open": cell,
    }
    for name, rule in rules.items():
        made.add_render_rule(name, rule)
    return made


def _offered(files: Sequence[PageFile], words: dict[str, str]) -> str:
    if not files:
        return ""
    rows = "".join(
        f'<li><a href="{escape(file.address)}" download>{escape(file.name)}</a> <span class="note">{_size(file.size)}'
        "</span></li>"
        for file in files
    )
    return f'<section class="offered"><h2>{words["files"]}</h2><ul>{rows}</ul></section>'


def _size(size: int) -> str:
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1024
    return f"{value:.1f} {unit}" if value < 10 and unit != "B" else f"{value:.0f} {unit}"
