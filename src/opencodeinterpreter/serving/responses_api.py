"""``/v1/responses``, after OpenAI's Responses: a turn as messages and calls of the code interpreter."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.models.base import Generation
from opencodeinterpreter.serving.files_api import download_file
from opencodeinterpreter.serving.leaving import ended_with
from opencodeinterpreter.serving.openai_dialogs import Dialogs, Said, Standing, digest
from opencodeinterpreter.serving.openai_finder import Begun, Finder
from opencodeinterpreter.serving.openai_input import Asked, ChatMessage, Lenient, asked_of, parts_of
from opencodeinterpreter.serving.openai_text import fenced
from opencodeinterpreter.serving.refusals import FAILED, NotHereError
from opencodeinterpreter.serving.responses_items import Items, file_id, path_of
from opencodeinterpreter.serving.run_rows import Run, run_rows
from opencodeinterpreter.serving.sessions_api import REFUSALS, TheHub, TheKey, TheLinks, TheQuotas

_ROLES = ("user", "assistant", "system", "developer")

router = APIRouter(prefix="/v1", responses=REFUSALS, tags=["OpenAI-compatible"])


class ResponsesBody(Lenient):
    """A request of /v1/responses."""

    model: str = Field(max_length=200)
    input: str | list[dict[str, Any]]
    instructions: str | None = None
    previous_response_id: str | None = Field(None, max_length=200)
    stream: bool | None = False
    max_output_tokens: int | None = Field(None, ge=1, le=1_000_000)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    tools: list[dict[str, Any]] | None = Field(None, max_length=100)
    metadata: dict[str, str] | None = Field(None, max_length=16)
    user: str | None = Field(None, max_length=500)


@dataclass
class Reply:
    """One response, while it comes."""

    identity: str
    body: ResponsesBody
    items: Items
    created: int
    last: dict[str, Any]

    @property
    def ended(self) -> Literal["completed", "incomplete", "failed"]:
        """The status of a response whose last row has come."""
        if self.last.get("type") == "failure":
            return "failed"
        return "incomplete" if self.last.get("outcome") == "max rounds" else "completed"

    def shown(self, status: str) -> dict[str, Any]:
        """Return the response as an object."""
        failed = self.last.get("type") == "failure"
        usage = self.last.get("usage") or {}
        read, written = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
        return {
            "id": self.identity,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": {"code": "server_error", "message": self.last["message"]} if failed else None,
            # Of the reasons that the protocol has this is the nearest to spent rounds.
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": self.body.instructions,
            "max_output_tokens": self.body.max_output_tokens,
            "model": self.body.model,
            "output": self.items.output,
            "parallel_tool_calls": False,
            "previous_response_id": self.body.previous_response_id,
            "temperature": self.body.temperature,
            "top_p": self.body.top_p,
            "tool_choice": "auto",
            "tools": self.body.tools or [],
            "metadata": self.body.metadata or {},
            "usage": {
                "input_tokens": read,
                "input_tokens_details": {"cached_tokens": usage.get("cached_prompt_tokens") or 0},
                "output_tokens": written,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": read + written,
            },
        }


@router.post("/responses")
async def create_response(
    body: ResponsesBody, request: Request, hub: TheHub, key: TheKey, links: TheLinks, quotas: TheQuotas
) -> Response:
    """Do a turn; answer with its messages and its code interpreter calls, each with logs and images."""
    hub.shelf.check(body.model)
    dialogs: Dialogs = request.app.state.dialogs
    finder = Finder(hub, key, quotas, dialogs, body.model)
    asked = asked_of(_messages(body))
    begun = await run_in_threadpool(_begun, finder, dialogs, body, asked, hub.settings.generation)
    base = links.base(request.base_url)
    room, run = begun.room, begun.run
    items = Items(room.id, lambda path: base + links.to(room.id, path), begun.skip)
    reply = Reply(f"resp_{uuid.uuid4().hex}", body, items, int(time.time()), {})

    def remember() -> None:
        dialogs.note_response(reply.identity, Standing(room.id, begun.turns, run.end))
        if body.previous_response_id is None and _container(body) is None:
            said = (*asked.before, ("user", asked.task))
            keys = {digest(key.name, body.user or "", (*said, *answer)) for answer in _as_sent_back(items.output)}
            dialogs.note(keys, room.id, begun.turns)

    headers = {"X-Session-ID": room.id}
    if body.stream:
        return StreamingResponse(
            _streamed(run, reply, request, remember), media_type="text/event-stream", headers=headers
        )
    async with ended_with(request, run.stop), aclosing(run_rows(run)) as rows:
        async for _, row in rows:
            for _event in items.feed(row):
                pass
            if row["type"] in ("answer", "failure"):
                reply.last = row
    if reply.ended == "failed":
        error = {"message": reply.last["message"], "type": reply.last["kind"]}
        return JSONResponse({"error": error}, status_code=FAILED.get(reply.last["kind"], 500), headers=headers)
    await run_in_threadpool(remember)
    return JSONResponse(reply.shown(reply.ended), headers=headers)


async def _streamed(run: Run, reply: Reply, request: Request, remember: Callable[[], None]) -> AsyncIterator[str]:
    number = 0

    def sent(event: dict[str, Any]) -> str:
        nonlocal number
        number += 1
        data = json.dumps({**event, "sequence_number": number - 1}, ensure_ascii=False)
        return f"event: {event['type']}\ndata: {data}\n\n"

    yield sent({"type": "response.created", "response": reply.shown("in_progress")})
    yield sent({"type": "response.in_progress", "response": reply.shown("in_progress")})
    async with ended_with(request, run.stop), aclosing(run_rows(run)) as rows:
        async for _, row in rows:
            for event in reply.items.feed(row):
                yield sent(event)
            if row["type"] in ("answer", "failure"):
                reply.last = row
    if reply.ended != "failed":
        await run_in_threadpool(remember)
    yield sent({"type": f"response.{reply.ended}", "response": reply.shown(reply.ended)})


@router.get("/containers/{container}/files")
def list_container_files(container: str, hub: TheHub, key: TheKey) -> dict[str, Any]:
    """The files of a session, as those of a container."""
    room = hub.room(container, key.name)
    rows = [
        {
            "id": file_id(info.path),
            "object": "container.file",
            "created_at": int(info.modified),
            "bytes": info.size,
            "container_id": room.id,
            "path": info.path,
            "source": "assistant",
        }
        for info in hub.files(room).files()
    ]
    return {"object": "list", "data": rows, "has_more": False, "first_id": None, "last_id": None}


@router.get(
    "/containers/{container}/files/{identity}/content",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)
def container_file(container: str, identity: str, request: Request, hub: TheHub) -> Response:
    """A file of a session."""
    try:
        path = path_of(identity)
    except ValueError:
        raise NotHereError("There is no such file.") from None
    return download_file(request, container, path, hub)


def _begun(finder: Finder, dialogs: Dialogs, body: ResponsesBody, asked: Asked, usual: Generation) -> Begun:
    most = body.max_output_tokens
    generation = Generation(
        max_tokens=min(most, usual.max_tokens) if most else usual.max_tokens,
        temperature=usual.temperature if body.temperature is None else body.temperature,
        top_p=usual.top_p if body.top_p is None else body.top_p,
        seed=usual.seed,
    )
    if body.previous_response_id is not None:
        response = dialogs.find_response(body.previous_response_id)
        if response is None:
            raise NotHereError("There is no such response.")
        return finder.go_on(asked, response, generation)
    return finder.begin(asked, _container(body), body.user or "", generation)


def _container(body: ResponsesBody) -> str | None:
    """Return the session that a request names as the container of its code interpreter."""
    named = [tool.get("container") for tool in body.tools or () if tool.get("type") == "code_interpreter"]
    return next((each for each in reversed(named) if isinstance(each, str) and each != "auto"), None)


def _as_sent_back(output: list[dict[str, Any]]) -> Iterator[list[Said]]:
    """Yield an answer as clients send it back: all its items, its messages alone, or its text alone."""
    said = [(each.role, parts_of(each.content)[0]) for each in _of_items(output)]
    texts = [item["content"][0]["text"] for item in output if item["type"] == "message"]
    yield said
    yield [("assistant", text) for text in texts]
    yield [("assistant", "".join(texts))]


def _messages(body: ResponsesBody) -> list[ChatMessage]:
    """Return the instructions and the input as messages."""
    messages = [ChatMessage(role="system", content=body.instructions)] if body.instructions else []
    if isinstance(body.input, str):
        return [*messages, ChatMessage(role="user", content=body.input)]
    return [*messages, *_of_items(body.input)]


def _of_items(items: list[dict[str, Any]]) -> list[ChatMessage]:
    messages = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "message" and isinstance(item.get("content"), str | list) and isinstance(item.get("role"), str):
            content = item["content"]
            if isinstance(content, list) and not all(isinstance(part, dict) for part in content):
                raise InputError("The parts of a message must be objects.")
            if item["role"] not in _ROLES:
                raise InputError(f"A message is of {', '.join(_ROLES[:-1])} or {_ROLES[-1]}.")
            messages.append(ChatMessage(role=item["role"], content=content))
        elif kind == "code_interpreter_call" and isinstance(item.get("code"), str):
            messages.append(ChatMessage(role="assistant", content=fenced(item["code"].strip(), "python")))
        else:
            raise InputError("The input may hold messages and code interpreter calls; nothing else is known here.")
    return messages
