"""A turn as the items and the events of OpenAI's Responses: messages, and calls of the code interpreter."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from opencodeinterpreter.interpreter.code_actions import CodeActionReader

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
        self._reader = CodeActionReader()
        self._reply = ""
        self._passed = 0

    def feed(self, delta: str) -> str:
        """Return what is to be shown now that a piece of the reply has come: all that cannot be of its code."""
        self._reply += delta
        self._reader.feed(delta)
        return self._to(self._reader.said())

    def before_code(self) -> str:
        """Return the rest of what stands before the code that is about to run; what follows it is not shown."""
        action = self._reader.finish()
        rest = self._to(action.start if action else 0)
        self._passed = len(self._reply)
        return rest

    def rest(self) -> str:
        """Return all that was not shown yet: without a run, code is a part of what is said."""
        return self._to(len(self._reply))

    def _to(self, end: int) -> str:
        begin, self._passed = self._passed, max(end, self._passed)
        return self._reply[begin : self._passed]


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
        self._parted = False
        self._calls = False
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
            self._prose, self._parted = Prose(), self._message is not None
        elif kind == "text_delta":
            yield from self._said(self._prose.feed(row["text"]))
        elif kind == "code_action_started":
            yield from self._said(self._prose.before_code())
            yield from self._close()
            yield from self._call(row["code"])
        elif kind == "output_delta":
            self._take(row["output"])
        elif kind == "execution_finished":
            yield from self._called(row["result"])
        elif kind == "round_finished":
            yield from self._said(self._prose.rest())
        elif kind == "answer":
            yield from self._answer(row)
        elif kind == "failure":
            yield from self._failed()

    def _said(self, text: str) -> Iterator[StreamEvent]:
        if self._parted and text.strip():
            # A round that ran nothing has ended here, and the next one is about something else.
            text, self._parted = "\n\n" + text.lstrip("\n"), False
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

    def _close(self, status: str = "completed") -> Iterator[StreamEvent]:
        message, self._message, self._parted = self._message, None, False
        if message is None:
            return
        part = message["content"][0]
        message["status"] = status
        about = {"item_id": message["id"], "content_index": 0}
        yield self._event("response.output_text.done", **about, text=part["text"], logprobs=[])
        yield self._event("response.content_part.done", **about, part=part)
        yield self._event("response.output_item.done", item=message)

    def _call(self, code: str) -> Iterator[StreamEvent]:
        self._logs, self._images, self._calls = "", [], True
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
        elif output["text"]:
            self._log(output["text"])
        elif data.get("text/plain"):
            self._on_own_line(str(data["text/plain"]).rstrip("\n") + "\n")

    def _log(self, text: str) -> None:
        room = _LOG_CHARACTERS - len(self._logs)
        self._logs += text[:room] if room > 0 else ""

    def _on_own_line(self, text: str) -> None:
        self._log(text if not self._logs or self._logs.endswith("\n") else "\n" + text)

    def _called(self, result: dict[str, Any]) -> Iterator[StreamEvent]:
        if result["error"] is not None:
            self._on_own_line(result["error"]["traceback"])
        elif result["reason"] is not None:
            self._on_own_line(f"Ended by the sandbox: {result['reason']}.")
        yield self._event("response.code_interpreter_call.completed", item_id=self.output[-1]["id"])
        yield from self._call_over("incomplete" if result["reason"] == "stopped" else "completed")

    def _call_over(self, status: str) -> Iterator[StreamEvent]:
        item, self._calls = self.output[-1], False
        logs = [{"type": "logs", "logs": self._logs}] if self._logs else []
        item["outputs"] = [*logs, *self._images]
        item["status"] = status
        yield self._event("response.output_item.done", item=item)

    def _failed(self) -> Iterator[StreamEvent]:
        """End what was still coming when the turn failed."""
        self._active = False
        if self._calls:
            yield from self._call_over("failed")
        yield from self._close("incomplete")

    def _answer(self, row: dict[str, Any]) -> Iterator[StreamEvent]:
        self._active = False
        if self._calls:
            yield from self._call_over("incomplete")
        if row["outcome"] != "answered" or not self._message:
            self._parted = self._message is not None
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

    @staticmethod
    def _name(kind: str) -> str:
        return f"{kind}_{uuid.uuid4().hex}"

    def _event(self, kind: str, **fields: Any) -> StreamEvent:
        index = len(self.output) - 1 if self.output and kind != "response.output_item.added" else None
        if kind == "response.output_item.added":
            known = self.output and self.output[-1]["id"] == fields["item"]["id"]
            index = len(self.output) - (1 if known else 0)
        return {"type": kind, "output_index": index, **fields}
