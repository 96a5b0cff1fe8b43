"""``/v1/chat/completions`` and ``/v1/models``, as OpenAI's clients know them, with the interpreter behind.

The caller keeps no state here and sends the whole dialog each time. The session behind it is found by the header
``X-Session-ID``, by a ``user`` of the form ``session:ID``, or by the hash of the dialog so far. If none is found, as
after an edit of an earlier answer, a new one is made in which the code of the dialog runs again.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from opencodeinterpreter.serving.access import Key
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.leaving import ended_with
from opencodeinterpreter.serving.openai_asides import Asides, is_aside
from opencodeinterpreter.serving.openai_dialogs import Dialogs, digest
from opencodeinterpreter.serving.openai_finder import Finder
from opencodeinterpreter.serving.openai_input import ChatBody, asked_of, generation_of
from opencodeinterpreter.serving.openai_text import TurnText
from opencodeinterpreter.serving.quotas import Quotas
from opencodeinterpreter.serving.refusals import FAILED
from opencodeinterpreter.serving.run_rows import Run, run_rows
from opencodeinterpreter.serving.sessions_api import REFUSALS, TheHub, TheKey, TheLinks, TheQuotas

router = APIRouter(prefix="/v1", responses=REFUSALS, tags=["OpenAI-compatible"])


@router.get("/models")
def list_models(hub: TheHub) -> dict[str, Any]:
    """The models that can be asked for."""
    created = int(hub.started)
    rows = [{"id": name, "object": "model", "created": created, "owned_by": "local"} for name in hub.shelf.names]
    return {"object": "list", "data": rows}


@router.post("/chat/completions")
async def chat_completions(
    body: ChatBody,
    request: Request,
    hub: TheHub,
    key: TheKey,
    links: TheLinks,
    quotas: TheQuotas,
    x_session_id: Annotated[str | None, Header(max_length=100, description="Go on in this session.")] = None,
    x_background_task: Annotated[
        str | None, Header(max_length=100, description="Not empty: the client's own question; words alone answer it.")
    ] = None,
) -> Response:
    """Do a turn and answer with what was said, done and made, as one text in Markdown."""
    hub.shelf.check(body.model)
    if is_aside(body, x_background_task):
        return await _aside(body, request, hub, key, quotas)
    asked = asked_of(body.messages)
    dialogs: Dialogs = request.app.state.dialogs
    finder = Finder(hub, key, quotas, dialogs, body.model)
    begun = await run_in_threadpool(
        finder.begin, asked, x_session_id, body.user or "", generation_of(body, hub.settings.generation)
    )
    base = links.base(request.base_url)
    session = begun.room.id
    text = TurnText(lambda path: base + links.to(session, path), begun.skip)

    def remember(whole: bool = True) -> None:
        said = (*asked.before, ("user", asked.task))
        if not whole:
            dialogs.note_cut(digest(key.name, body.user or "", said), session, begun.turns, text.text)
            return
        said = (*said, ("assistant", text.text))
        dialogs.note([digest(key.name, body.user or "", said)], session, begun.turns)

    headers = {"X-Session-ID": session}
    identity, created = f"chatcmpl-{uuid.uuid4().hex}", int(time.time())
    if body.stream:
        wanted = body.stream_options is not None and body.stream_options.include_usage
        chunks = _chunks(begun.run, text, identity, created, body.model, wanted, remember, request)
        return StreamingResponse(chunks, media_type="text/event-stream", headers=headers)
    return await _whole(begun.run, text, identity, created, body.model, remember, request, headers)


async def _aside(body: ChatBody, request: Request, hub: Hub, key: Key, quotas: Quotas) -> Response:
    asides: Asides = request.app.state.asides
    with quotas.new_run(key):
        generation = generation_of(body, hub.settings.generation)
        text, finish, cost = await asides.answer(body, generation, request, key.turn_seconds)
    identity, created = f"chatcmpl-{uuid.uuid4().hex}", int(time.time())
    about = {"id": identity, "object": "chat.completion", "created": created, "model": body.model}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": finish, "logprobs": None}
    if not body.stream:
        return JSONResponse({**about, "choices": [{**choice, "message": message}], "usage": _usage(cost)})
    about["object"] = "chat.completion.chunk"
    chunks = [{**about, "choices": [{**choice, "delta": message}]}]
    if body.stream_options is not None and body.stream_options.include_usage:
        chunks.append({**about, "choices": [], "usage": _usage(cost)})
    sent = "".join(_sse(chunk) for chunk in chunks) + "data: [DONE]\n\n"
    return Response(sent, media_type="text/event-stream")


async def _whole(
    run: Run,
    text: TurnText,
    identity: str,
    created: int,
    model: str,
    remember: Callable[[], None],
    request: Request,
    headers: dict[str, str],
) -> Response:
    last: dict[str, Any] = {}
    async with ended_with(request, run.stop), aclosing(run_rows(run)) as rows:
        async for _, row in rows:
            text.feed(row)
            if row["type"] in ("answer", "failure"):
                last = row
    if last.get("type") == "failure":
        error = {"message": last["message"], "type": last["kind"]}
        return JSONResponse({"error": error}, status_code=FAILED.get(last["kind"], 500), headers=headers)
    await run_in_threadpool(remember)
    message = {"role": "assistant", "content": text.text}
    return JSONResponse(
        {
            "id": identity,
            "object": "chat.completion",
            "created": created,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": _finish(last), "logprobs": None}],
            "usage": _usage(last),
        },
        headers=headers,
    )


async def _chunks(
    run: Run,
    text: TurnText,
    identity: str,
    created: int,
    model: str,
    usage: bool,
    remember: Callable[[bool], None],
    request: Request,
) -> AsyncIterator[str]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _sse({**about, "choices": [choice]})

    about = {"id": identity, "object": "chat.completion.chunk", "created": created, "model": model}
    last: dict[str, Any] = {}
    try:
        yield chunk({"role": "assistant", "content": ""})
        async with ended_with(request, run.stop), aclosing(run_rows(run)) as rows:
            async for _, row in rows:
                piece = text.feed(row)
                if row["type"] in ("answer", "failure"):
                    last = row
                if piece:
                    yield chunk({"content": piece})
    except (GeneratorExit, asyncio.CancelledError):
        remember(False)  # not in a thread: nothing can be waited for any more
        raise
    if last.get("type") == "failure":
        yield _sse({"error": {"message": last["message"], "type": last["kind"], "code": None}})
        return
    await run_in_threadpool(remember, True)
    yield chunk({}, _finish(last))
    if usage:
        yield _sse({**about, "choices": [], "usage": _usage(last)})
    yield "data: [DONE]\n\n"


def _finish(answer: dict[str, Any]) -> str:
    return "length" if answer.get("outcome") == "max rounds" else "stop"


def _usage(answer: dict[str, Any]) -> dict[str, Any]:
    usage = answer.get("usage") or {}
    prompt, completion = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": usage.get("cached_prompt_tokens") or 0},
    }


def _sse(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
