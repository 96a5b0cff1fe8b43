"""The plain API: what is in a file, as texts, tables and pictures."""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import APIRouter, Depends, Query, Request, Response

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.sandbox.workspace import Workspace
from opencodeinterpreter.serving.files_api import download_file, linked_room
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.previews import Preview, Previews
from opencodeinterpreter.serving.refusals import NotHereError, OverloadedError
from opencodeinterpreter.serving.sessions_api import REFUSALS, TheHub

_THREADS = 24
"""Requests for previews that are taken at a time: as many as two at a time get done before one has waited too long.
They have threads of their own, since a wait for a turn would take them from all other routes."""
_START = "A page, or row of a table, from 0; the answer begins at a multiple of its step, and at the last one at most."

router = APIRouter(prefix="/api/v1/sessions/{identity}", responses=REFUSALS, tags=["files"])


async def the_previews(request: Request) -> Previews:
    previews: Previews = request.app.state.previews
    return previews


def new_threads() -> CapacityLimiter:
    """Return what previews are made in."""
    return CapacityLimiter(_THREADS)


@router.get("/files/{path:path}/preview", response_model=Preview)
async def preview_file(
    request: Request,
    identity: str,
    path: str,
    hub: TheHub,
    previews: Annotated[Previews, Depends(the_previews)],
    start: Annotated[int, Query(ge=0, le=10_000_000, description=_START)] = 0,
) -> Response:
    """What is in a file, as texts, tables and pictures: nothing in the answer can run.

    PDF, Word, Excel and PowerPoint files, tables and notebooks are read in a jail of their own. Why a file cannot be
    shown is said in the answer.
    """
    threads: CapacityLimiter = request.app.state.preview_threads
    if threads.available_tokens < 1:
        raise OverloadedError("Too many previews are being made; try again in a moment.")
    return await anyio.to_thread.run_sync(_preview, request, identity, path, hub, previews, start, limiter=threads)


def _preview(request: Request, identity: str, path: str, hub: Hub, previews: Previews, start: int) -> Response:
    room = linked_room(request, identity, hub)
    workspace = hub.files(room)
    info = None
    # A link opens its one file, and no preview of another: without a key this is a file named "preview".
    if request.state.key is not None and _is_file(workspace, path):
        info = next((info for info in workspace.files() if info.path == path), None)
    if info is None:
        if _is_file(workspace, f"{path}/preview"):
            return download_file(request, identity, f"{path}/preview", hub)
        raise NotHereError(f'There is no file "{path}" in the workspace.')
    content = previews.preview(room.id, workspace, info, start)
    return Response(content, media_type="application/json")


def _is_file(workspace: Workspace, path: str) -> bool:
    try:
        workspace.read(path, 0)
    except InputError:
        return False
    return True
