"""The plain API: turns, what a person does to them, and their events."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse

from opencodeinterpreter.serving.events_wire import follow
from opencodeinterpreter.serving.run_rows import Run
from opencodeinterpreter.serving.schemas import (
    CellBody,
    CommentBody,
    DecisionBody,
    EditBody,
    MessageBody,
    Rated,
    RatingBody,
    SessionState,
    Started,
    Stopped,
)
from opencodeinterpreter.serving.sessions_api import (
    REFUSALS,
    TheHub,
    TheKey,
    TheLinks,
    TheQuotas,
    TheRoom,
    describe,
)

router = APIRouter(prefix="/api/v1/sessions/{identity}", responses=REFUSALS, tags=["runs"])

Beginning = Callable[[Callable[[], Run]], Started]
"""Begins a run, if its key may begin one more."""

_EVENTS = 'id: 12\ndata: {"type": "text_delta", "text": "Let me", "seq": 12}\n\n'


def the_beginning(room: TheRoom, key: TheKey, quotas: TheQuotas) -> Beginning:
    def begin(run: Callable[[], Run]) -> Started:
        with quotas.new_run(key, room.id):
            return Started(id=room.id, seq=run().before)

    return begin


Begin = Annotated[Beginning, Depends(the_beginning)]


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"example": _EVENTS}}, "description": "the events"}},
)
async def events(
    room: TheRoom,
    hub: TheHub,
    links: TheLinks,
    after: Annotated[int, Query(ge=0, le=2**53, description="Events up to this number are passed over.")] = 0,
    live: Annotated[bool, Query(description="Stay, and send what happens from now on.")] = True,
    last_event_id: Annotated[str | None, Header(description="Like after; the larger one counts.")] = None,
) -> StreamingResponse:
    """What happened and what happens, as server-sent events: those of the log have numbers, `state` has none."""
    said = last_event_id or ""
    seen = int(said) if said.isascii() and said.isdecimal() and len(said) < 16 else 0
    stream = follow(room, hub, links, max(after, seen), live)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.post("/messages", status_code=202)
def message(body: MessageBody, room: TheRoom, begin: Begin) -> Started:
    """Begin a turn: a task, or feedback on what was done."""
    return begin(lambda: room.message(body.text, body.files))


@router.post("/edit", status_code=202)
def edit(body: EditBody, room: TheRoom, begin: Begin) -> Started:
    """Take back a turn and what came after it, and do another text in its place."""
    return begin(lambda: room.edit(body.turn, body.text))


@router.post("/retry", status_code=202)
def retry(room: TheRoom, begin: Begin) -> Started:
    """Do the last turn again."""
    return begin(room.retry)


@router.post("/replay", status_code=202)
def replay(room: TheRoom, begin: Begin) -> Started:
    """Run the earlier code that worked again, to bring its variables back."""
    return begin(room.replay)


@router.post("/cells", status_code=202)
def cells(body: CellBody, room: TheRoom, begin: Begin) -> Started:
    """Run a person's own code, or a cell that they edited. The model is told with the next message."""
    return begin(lambda: room.run_code(body.code, body.replaces))


@router.post("/comments", status_code=202)
def comments(body: CommentBody, room: TheRoom, key: TheKey, quotas: TheQuotas) -> Started:
    """Comment on a cell, for the model to read with the next message, or at once."""
    before = room.sequence
    with quotas.new_run(key, room.id) if body.run else nullcontext():
        room.comment(body.text, body.cell, body.run)
    return Started(id=room.id, seq=before)


@router.post("/ratings")
def ratings(body: RatingBody, room: TheRoom) -> Rated:
    """Rate the answer of a turn, or take that back; also while a later turn runs. The model is not told."""
    return Rated(turn=room.rate(body.rating, body.turn), rating=body.rating)


@router.post("/undo")
def undo(room: TheRoom, hub: TheHub) -> SessionState:
    """Take the last turn out of the dialog; what its code did to variables and files stays."""
    room.undo()
    return describe(room, hub)


@router.post("/stop")
def stop(room: TheRoom) -> Stopped:
    """End generation and code. The events end with an answer whose outcome is "stopped"."""
    return Stopped(stopped=room.stop())


@router.post("/decision")
def decision(body: DecisionBody, room: TheRoom, hub: TheHub) -> SessionState:
    """Approve, edit or reject the code, or approve or reject the package, that waits."""
    room.decide(body.decision, body.text)
    return describe(room, hub)
