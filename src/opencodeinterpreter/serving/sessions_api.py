"""The plain API: sessions, and what the server is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from opencodeinterpreter import __version__
from opencodeinterpreter.interpreter import SessionInfo, export
from opencodeinterpreter.interpreter.export import Form
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.serving.access import Key
from opencodeinterpreter.serving.guard import GuardSettings
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.links import Links
from opencodeinterpreter.serving.quotas import Quotas
from opencodeinterpreter.serving.room import Room
from opencodeinterpreter.serving.schemas import (
    ErrorAnswer,
    ForkBody,
    Info,
    ModelArrival,
    ModelRow,
    NewSession,
    Origin,
    SandboxState,
    SessionChange,
    SessionRow,
    SessionState,
    Tokens,
)

Language = Literal["en", "zh"]
"""Of the words that a page brings."""

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": about}
    for status, about in {
        400: "something given cannot be used",
        401: "no key",
        403: "another page's request",
        404: "no such session, file or model",
        409: "the session does something else, or nothing waits",
        413: "too large",
        421: "another host's name",
        422: "not of the form that is described here",
        429: "no room now; Retry-After says when to try again",
        502: "the model failed",
        503: "the server is being shut down, or the sandbox failed",
        507: "the session could not be saved",
    }.items()
}
"""What any route may answer besides."""

_MEDIA = {
    "ipynb": "application/x-ipynb+json",
    "md": "text/markdown",
    "html": "text/html",
    "py": "text/x-python",
    "jsonl": "application/jsonl",
}


# These four are coroutines since they never wait: the others, and the routes, run in threads.
async def the_hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


async def the_key(request: Request) -> Key:
    key: Key = request.state.key
    return key


async def the_links(request: Request) -> Links:
    links: Links = request.app.state.links
    return links


async def the_quotas(request: Request) -> Quotas:
    quotas: Quotas = request.app.state.quotas
    return quotas


TheHub = Annotated[Hub, Depends(the_hub)]
TheKey = Annotated[Key, Depends(the_key)]
TheLinks = Annotated[Links, Depends(the_links)]
TheQuotas = Annotated[Quotas, Depends(the_quotas)]


def the_room(identity: str, hub: TheHub, key: TheKey) -> Room:
    room = hub.room(identity, key.name)
    room.turn_seconds = key.turn_seconds
    return room


TheRoom = Annotated[Room, Depends(the_room)]

router = APIRouter(prefix="/api/v1", responses=REFUSALS)


@router.get("/info", tags=["server"])
def info(request: Request, hub: TheHub) -> Info:
    """What this server is, and what it offers."""
    settings, guard = hub.settings, request.app.state.guard
    assert isinstance(guard, GuardSettings)
    return Info(
        version=__version__,
        models=models(hub),
        isolation=settings.isolation,
        network=settings.network,
        approve=settings.approve,
        max_rounds=settings.max_rounds,
        limits=asdict(settings.limits),
        upload_bytes=guard.upload_bytes,
        body_bytes=guard.body_bytes,
        sessions_open=sum(room.open for room in hub.rooms()),
        closing=hub.closing,
    )


@router.get("/models", tags=["server"])
def models(hub: TheHub) -> list[ModelRow]:
    """The models that a session may use."""
    shelf = hub.shelf
    return [
        ModelRow(name=name, default=name == shelf.default, loaded=shelf.loaded(name), waiting=shelf.waiting(name))
        for name in shelf.names
    ]


@router.get("/sessions", tags=["sessions"])
def list_sessions(
    hub: TheHub,
    key: TheKey,
    search: Annotated[str, Query(max_length=200, description="Part of a title or a task.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[SessionRow]:
    """The sessions of this key, newest first."""
    return [_row(hub, info) for info in hub.infos(key.name, search)[:limit]]


@router.post("/sessions", status_code=201, tags=["sessions"])
def create_session(body: NewSession, hub: TheHub, key: TheKey, quotas: TheQuotas) -> SessionState:
    """Make a session. Its kernel starts with its first code."""
    quotas.check_sessions(key)
    return describe(hub.create(key.name, body.title, body.model, body.approve), hub)


@router.get("/sessions/{identity}", tags=["sessions"])
def get_session(room: TheRoom, hub: TheHub) -> SessionState:
    """The state of a session: what runs, what waits, tokens, time, sandbox."""
    return describe(room, hub)


@router.patch("/sessions/{identity}", tags=["sessions"])
def change_session(body: SessionChange, room: TheRoom, hub: TheHub) -> SessionState:
    """Rename a session, or go on with another model, or with or without approval."""
    if body.model is not None or body.approve is not None:
        room.choose(body.model, body.approve)
    if body.title is not None:
        hub.rename(room, body.title)
    return describe(room, hub)


@router.delete("/sessions/{identity}", status_code=204, tags=["sessions"])
def delete_session(room: TheRoom, hub: TheHub) -> Response:
    """Stop what runs, and delete the session with its files."""
    hub.delete(room)
    return Response(status_code=204)


@router.post("/sessions/{identity}/fork", status_code=201, tags=["sessions"])
def fork_session(body: ForkBody, room: TheRoom, hub: TheHub, key: TheKey, quotas: TheQuotas) -> SessionState:
    """Make a session that begins as this one up to a turn, with its files as they are now, and goes on by itself.

    Refused while something runs here.
    """
    quotas.check_sessions(key)
    return describe(hub.fork(room, body.turn, body.title), hub)


@router.get(
    "/sessions/{identity}/export",
    tags=["sessions"],
    response_class=Response,
    responses={200: {"content": {media: {"schema": {}} for media in _MEDIA.values()}, "description": "the file"}},
)
def export_session(room: TheRoom, hub: TheHub, to: Form = "ipynb", language: Language = "en") -> Response:
    """The session as a notebook with outputs, as Markdown, HTML, the code that worked, or a Code-Feedback line."""
    info = hub.store.info(room.id)
    title, forked = (info.title, info.forked) if info is not None else ("", None)
    text = export(room.turns(), to, identity=room.id, title=title, language=language, forked=forked)
    disposition = f'attachment; filename="{room.id}.{to}"'
    return Response(text, media_type=_MEDIA[to], headers={"Content-Disposition": disposition})


def describe(room: Room, hub: Hub) -> SessionState:
    """Return the state of a session."""
    info, arriving = hub.store.info(room.id), room.arriving
    now = room.used
    info = info or SessionInfo(room.id, "", now, now, 0, hub.shelf.default)
    chosen, turns = room.settings(), room.turns()
    row = _row(hub, info).model_dump() | {"model": chosen["model"]}
    return SessionState(
        **row,
        approve=chosen["approve"],
        max_rounds=hub.settings.max_rounds,
        pending=room.pending,
        queue=room.position,
        arriving=ModelArrival(**arriving.shown()) if arriving is not None else None,
        fault=room.fault,
        seq=room.sequence,
        state_lost=room.state_lost or (not room.open and _has_run(turns)),
        tokens=_tokens(turns, hub, chosen["model"]),
        sandbox=SandboxState(
            isolation=hub.settings.isolation,
            network=hub.settings.network,
            alive=room.alive,
            limits=asdict(hub.settings.limits),
            workspace_bytes=hub.files(room).disk(),
        ),
    )


def title_of(room: Room, hub: Hub) -> str:
    """Return a session's title; empty where it has none."""
    return next((info.title for info in hub.store.infos() if info.id == room.id), "")


def _row(hub: Hub, info: SessionInfo) -> SessionRow:
    state = hub.state(info.id)
    return SessionRow(
        id=info.id,
        title=info.title,
        created=info.created,
        updated=info.updated,
        turns=info.turns,
        model=info.model,
        state=state,
        running=state in ("running", "waiting"),
        fork=Origin(session=info.forked[0], turn=info.forked[1]) if info.forked is not None else None,
    )


def _has_run(turns: Sequence[Turn]) -> bool:
    return any(round_.result is not None for turn in turns for round_ in turn.rounds)


def _tokens(turns: Sequence[Turn], hub: Hub, model: str) -> Tokens:
    rounds = [round_ for turn in turns for round_ in turn.rounds]
    usages = [round_.usage for round_ in rounds if round_.usage is not None]
    last = usages[-1] if usages else None
    return Tokens(
        prompt=sum(usage.prompt_tokens or 0 for usage in usages),
        cached=sum(usage.cached_prompt_tokens or 0 for usage in usages),
        completion=sum(usage.completion_tokens or 0 for usage in usages),
        model_seconds=sum((usage.prompt_seconds or 0) + (usage.completion_seconds or 0) for usage in usages),
        code_seconds=sum(round_.result.duration for round_ in rounds if round_.result is not None),
        context_used=(last.prompt_tokens or 0) + (last.completion_tokens or 0) if last else 0,
        context=hub.shelf.model(model).context_tokens if hub.shelf.loaded(model) else None,
    )
