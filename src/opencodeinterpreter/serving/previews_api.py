"""The plain API: what is in a file, as texts, tables and pictures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.sandbox.workspace import Workspace
from opencodeinterpreter.serving.files_api import download_file, linked_room
from opencodeinterpreter.serving.previews import Preview, Previews
from opencodeinterpreter.serving.refusals import NotHereError
from opencodeinterpreter.serving.sessions_api import REFUSALS, TheHub

router = APIRouter(prefix="/api/v1/sessions/{identity}", responses=REFUSALS, tags=["files"])


def the_previews(request: Request) -> Previews:
    previews: Previews = request.app.state.previews
    return previews


@router.get("/files/{path:path}/preview", response_model=Preview)
def preview_file(
    request: Request,
    identity: str,
    path: str,
    hub: TheHub,
    previews: Annotated[Previews, Depends(the_previews)],
    start: Annotated[int, Query(ge=0, le=10_000_000, description="The first page, or row of a table, from 0.")] = 0,
) -> Response:
    """What is in a file, as texts, tables and pictures: nothing in the answer can run.

    PDF, Word, Excel and PowerPoint files, tables and notebooks are read in a jail of their own. Why a file cannot be
    shown is said in the answer.
    """
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
