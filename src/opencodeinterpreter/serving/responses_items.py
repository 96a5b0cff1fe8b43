"""A turn as the items and the events of OpenAI's Responses: messages, and calls of the code interpreter."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_LOG_CHARACTERS = 20_000

StreamEvent = dict[str, Any]


def file_id(path: str) -> str:
    """Return a name for a file of a container that can stand in an address."""
    return "cfile_" + base64.urlsafe_b64encode(path.encode("utf-8", "replace")).decode().rstrip("=")


def path_of(identity: str) -> str:
    """Return the path behind a file's id.

    Raises:
        ValueError: it is none of ours.
    """
    coded = identity.removeprefix("cfile_")
    if coded == identity:
        raise ValueError(identity)
    return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()


class Prose:
    """Passes on what a model says around its code, as it comes; code goes into a call of its own."""

    def __init__(self) -> None:
        self._line = ""
        self._fenced = False
        self.held = ""
        """What was not passed on because it stands in a fence."""

    def feed(self, delta: str) -> str:
        """Return what of a piece of the reply is to be shown."""
        shown = ""
        for part in delta.splitlines(keepends=True):
            before, self._line = self._line, self._line + part
            opens = _FENCE.match(self._line) is not None
            may_open = not self._line.strip().strip("`~") and not self._line.endswith("\n")
            if self._fenced or opens or may_open:
                self.held += part
            else:
                shown += self._released(before) + part
            if self._line.endswith("\n"):
                self._fenced, self._line = self._fenced or opens, ""
        return shown

    def _released(self, before: str) -> str:
        """Return the beginning of the line, which was held back while it could have been a fence."""
        if before and self.held.endswith(before):
            self.held = self.held[: -len(before)]
            return before
        return ""


class Items:
    """Turns the events of a turn into items, and into the events of their coming.

    Args:
        container: the session's id.
        link: makes the address of a figure or a file.
        skip: turns that are passed over first.
    """

    def __init__(self, container: str, link: Callable[[str], str], skip: int = 0) -> None:
        self.output: list[dict[str, Any]] = []
        self._container = container
        self._link = link
        self._skip = skip
        self._active = False
        self._prose = Prose()
        self._message: dict[str, Any] | None = None
        self._acted = False
        self._logs = ""
        self._images: list[dict[str, Any]] = []

    def feed(self, row: dict[str, Any]) -> Iterator[StreamEvent]:
        """Yield what an event of the log means to a client."""
        kind = row["type"]
        if kind == "turn_started":
            self._active = self._skip == 0
            self._skip = max(0, self._skip - 1)
        if not self._active:
            return
        if kind == "round_started":
            self._prose, self._acted = Prose(), False
        elif kind == "text_delta":
            yield from self._said(self._prose.feed(row["text"]))
        elif kind == "code_action_started":
            self._acted = True
            yield from self._close()
            yield from self._call(row["code"])
        elif kind == "output_delta":
            self._take(row["output"])
        elif kind == "execution_finished":
            yield from self._called(row["result"])
        elif kind == "round_finished":
            # Without a run, what stands in a fence is a part of what is said.
            yield from self._said("" if self._acted else self._prose.held)
            self._prose = Prose()
        elif kind == "answer":
            yield from self._answer(row)

    def text(self) -> str:
        """Return all that was said."""
        return "\n\n".join(item["content"][0]["text"] for item in self.output if item["type"] == "message")

    def _said(self, text: str) -> Iterator[StreamEvent]:
        if self._message is None:
            if not text.strip():
                return
            text = text.lstrip("\n")
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            self._message = {"id": self._name("msg"), "type": "message", "role": "assistant", "status": "in_progress"}
            yield self._event("response.output_item.added", item={**self._message, "content": []})
            self._message["content"] = [part]
            self.output.append(self._message)
            yield self._event("response.content_part.added", item_id=self._message["id"], content_index=0,
                              part={**part})  # fmt: skip
        if text:
            self._message["content"][0]["text"] += text
            yield self._event("response.output_text.delta", item_id=self._message["id"], content_index=0, delta=text,
                              logprobs=[])  # fmt: skip

    def _close(self) -> Iterator[StreamEvent]:
        message, self._message = self._message, None
        if message is None:
            return
        part = message["content"][0]
        message["status"] = "completed"
        about = {"item_id": message["id"], "content_index": 0}
        yield self._event("response.output_text.done", **about, text=part["text"], logprobs=[])
        yield self._event("response.content_part.done", **about, part=part)
        yield self._event("response.output_item.done", item=message)

    def _call(self, code: str) -> Iterator[StreamEvent]:
        self._logs, self._images = "", []
        item: dict[str, Any] = {
            "id": self._name("ci"),
            "type": "code_interpreter_call",
            "status": "in_progress",
            "code": "",
            "container_id": self._container,
            "outputs": [],
        }
        self.output.append(item)
        about = {"item_id": item["id"]}
        yield self._event("response.output_item.added", item={**item})
        yield self._event("response.code_interpreter_call.in_progress", **about)
        item["code"] = code
        yield self._event("response.code_interpreter_call_code.delta", **about, delta=code)
        yield self._event("response.code_interpreter_call_code.done", **about, code=code)
        yield self._event("response.code_interpreter_call.interpreting", **about)

    def _take(self, output: dict[str, Any]) -> None:
        data = (output["display"] or {}).get("data", {})
        pictures = [data[media] for media in ("image/png", "image/jpeg", "image/gif") if media in data]
        if pictures:
            self._images.append({"type": "image", "url": self._link(pictures[0]["path"])})
        else:
            self._log(output["text"] or str(data.get("text/plain", "")))

    def _log(self, text: str) -> None:
        room = _LOG_CHARACTERS - len(self._logs)
        self._logs += text[:room] if room > 0 else ""

    def _called(self, result: dict[str, Any]) -> Iterator[StreamEvent]:
        item = self.output[-1]
        if result["error"] is not None:
            self._log("\n" + result["error"]["traceback"] if self._logs else result["error"]["traceback"])
        elif result["reason"] is not None:
            self._log(f"\nEnded by the sandbox: {result['reason']}.")
        logs = [{"type": "logs", "logs": self._logs}] if self._logs else []
        item["outputs"] = [*logs, *self._images]
        item["status"] = "incomplete" if result["reason"] == "stopped" else "completed"
        yield self._event("response.code_interpreter_call.completed", item_id=item["id"])
        yield self._event("response.output_item.done", item=item)

    def _answer(self, row: dict[str, Any]) -> Iterator[StreamEvent]:
        self._active = False
        if row["outcome"] != "answered" or not self._message:
            yield from self._said(row["text"])
        files = [each for each in row["artifacts"] if "change" in each]
        if files:
            yield from self._said("\n\nFiles: " if self._message else "Files: ")
        for number, each in enumerate(files):
            yield from self._cited(each["path"], ", " if number else "")
        yield from self._close()

    def _cited(self, path: str, before: str) -> Iterator[StreamEvent]:
        """Name a file that was made, with its link, and as an annotation."""
        yield from self._said(f"{before}[{path}]({self._link('files/' + path)})")
        assert self._message is not None
        part = self._message["content"][0]
        end = len(part["text"])
        annotation = {
            "type": "container_file_citation",
            "container_id": self._container,
            "file_id": file_id(path),
            "filename": path,
            "start_index": part["text"].rindex(f"[{path}]("),
            "end_index": end,
        }
        part["annotations"].append(annotation)
        yield self._event(
            "response.output_text.annotation.added",
            item_id=self._message["id"],
            content_index=0,
            annotation_index=len(part["annotations"]) - 1,
            annotation=annotation,
        )

    def _name(self, kind: str) -> str:
        return f"{kind}_{self._container}_{len(self.output)}"

    def _event(self, kind: str, **fields: Any) -> StreamEvent:
        index = len(self.output) - 1 if self.output and kind != "response.output_item.added" else None
        if kind == "response.output_item.added":
            known = self.output and self.output[-1]["id"] == fields["item"]["id"]
            index = len(self.output) - (1 if known else 0)
        return {"type": kind, "output_index": index, **fields}
