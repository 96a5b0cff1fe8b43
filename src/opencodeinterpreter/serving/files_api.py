"""The plain API: files in and out. A name in a workspace, or in an upload, may be anything."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter.tables import read_table
from opencodeinterpreter.interpreter.uploads import READ_BYTES, Upload, describe_uploads
from opencodeinterpreter.sandbox.workspace import FileInfo, Workspace
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.links import Links
from opencodeinterpreter.serving.refusals import NotHereError
from opencodeinterpreter.serving.room import Room
from opencodeinterpreter.serving.schemas import FileRow, FirstRows, UploadedFile
from opencodeinterpreter.serving.sessions_api import REFUSALS, TheHub, TheLinks, TheRoom

router = APIRouter(prefix="/api/v1/sessions/{identity}", responses=REFUSALS, tags=["files"])

_IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}
"""What a browser may show in place: it cannot run any of it. All else is bytes to be saved."""
_EMBEDDABLE = {"Cross-Origin-Resource-Policy": "cross-origin"}
"""A chat program shows a figure in its own page."""
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("/files")
def list_files(room: TheRoom, hub: TheHub, links: TheLinks) -> list[FileRow]:
    """The files in the workspace."""
    return [_row(info, room, links) for info in hub.files(room).files()]


@router.post("/files", status_code=201)
def upload_files(
    room: TheRoom, hub: TheHub, links: TheLinks, file: Annotated[list[UploadFile], File(max_length=100)]
) -> list[UploadedFile]:
    """Put files into the workspace, each as a part `file`. None is written over: the new one gets a number."""
    workspace, added = hub.files(room), []
    for part in file:
        name, source = _plain_name(part.filename or ""), _path(part.file)
        part.file.flush()
        try:
            added.append(workspace.upload(source, name))
        except InputError as error:
            raise InputError(str(error).replace(str(source), name)) from error
    uploaded = [
        UploadedFile(**_row(info, room, links).model_dump(), preview=preview_of(workspace, info)) for info in added
    ]
    room.note({"type": "files_added", "files": [{"path": info.path, "size": info.size} for info in added]})
    return uploaded


@router.get("/files/{path:path}", response_class=FileResponse, responses=_BYTES)
def download_file(
    request: Request,
    identity: str,
    path: str,
    hub: TheHub,
    sig: Annotated[str, Query(description="Of a link; needs no key.")] = "",  # noqa: ARG001 - checked by the guard
) -> Response:
    """A file of the workspace, as it is."""
    room = linked_room(request, identity, hub)
    workspace = hub.files(room)
    # A copy: code may change the file, or put a link in its place, while it is being sent. It has no name, and so it is
    # gone with whoever holds it, however the request ends.
    copy = tempfile.TemporaryFile(prefix="ocint-download-")  # noqa: SIM115 - the answer closes it
    try:
        workspace.download(path, _path(copy))
    except BaseException as error:
        copy.close()
        if isinstance(error, InputError):
            raise NotHereError(str(error)) from error
        raise
    name = PurePosixPath(path).name
    media = _IMAGES.get(PurePosixPath(path).suffix.lower())
    disposition = f"{'inline' if media else 'attachment'}; filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": disposition, **_EMBEDDABLE}
    return _CopyResponse(copy, media or "application/octet-stream", headers)


class _CopyResponse(FileResponse):
    """Sends an open file and closes it, also where it is not sent after all."""

    def __init__(self, copy: IO[bytes], media_type: str, headers: dict[str, str]) -> None:
        super().__init__(_path(copy), media_type=media_type, headers=headers)
        self._copy = copy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._copy:
            await super().__call__(scope, receive, send)


@router.delete("/files/{path:path}", status_code=204)
def delete_file(path: str, room: TheRoom, hub: TheHub) -> Response:
    """Delete a file of the workspace."""
    workspace = hub.files(room)
    workspace.read(path, 0)
    _remove(workspace.path, path)
    room.note({"type": "files_removed", "files": [path]})
    return Response(status_code=204)


@router.get("/rows/{path:path}")
def first_rows(path: str, room: TheRoom, hub: TheHub, limit: Annotated[int, Query(ge=1, le=1000)] = 20) -> FirstRows:
    """The first rows of a table (CSV, TSV), and what the model is told of the file."""
    workspace = hub.files(room)
    head = workspace.read(path, 1_000_000)
    table = read_table(head.decode("utf-8-sig", "replace").splitlines()) if b"\0" not in head else None
    info = next((info for info in workspace.files() if info.path == path), FileInfo(path, len(head), 0.0))
    preview = preview_of(workspace, info)
    if table is None:
        return FirstRows(columns=[], rows=[], preview=preview)
    return FirstRows(columns=list(table.header), rows=[list(row) for row in table.rows[:limit]], preview=preview)


@router.get("/outputs/{name}", response_class=FileResponse, responses=_BYTES)
def output(
    request: Request,
    identity: str,
    name: str,
    hub: TheHub,
    sig: str = "",  # noqa: ARG001 - checked by the guard
) -> Response:
    """A figure, or another binary output, that an event refers to."""
    path = linked_room(request, identity, hub).folder / "outputs" / _plain_name(name)
    if not path.is_file():
        raise NotHereError("There is no such output.")
    media = _IMAGES.get(path.suffix, "application/octet-stream")
    headers = {"Cache-Control": "private, max-age=31536000, immutable", **_EMBEDDABLE}
    return FileResponse(path, media_type=media, headers=headers)


@router.get("/logs/{opening}/{name}", response_class=FileResponse, responses=_BYTES)
def log(opening: int, name: str, room: TheRoom) -> Response:
    """The whole text of a run whose output was too long for its event."""
    path = room.folder / "logs" / str(opening) / _plain_name(name)
    if not path.is_file():
        raise NotHereError("There is no such log.")
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


def linked_room(request: Request, identity: str, hub: Hub) -> Room:
    """Return the session that a key, or the link that the guard has let in, may see."""
    key = request.state.key
    return hub.room(identity, key.name if key is not None else None)


def preview_of(workspace: Workspace, info: FileInfo) -> str:
    """Return what the model is told of a file."""
    upload = Upload(info.path, info.size, workspace.read(info.path, READ_BYTES))
    return describe_uploads([upload]).partition("\n")[2]


def _row(info: FileInfo, room: Room, links: Links) -> FileRow:
    return FileRow(path=info.path, size=info.size, modified=info.modified, url=links.to(room.id, f"files/{info.path}"))


def _path(file: IO[bytes]) -> Path:
    """Return where an open file can be opened once more, also one without a name."""
    return Path(f"/proc/self/fd/{file.fileno()}")


def _plain_name(name: str) -> str:
    """Return the last part of a name: some browsers send a whole path. Whoever writes it makes the rest safe."""
    last = name.replace("\\", "/").rpartition("/")[2]
    if last in ("", ".", "..") or "\0" in last:
        raise InputError("That is not the name of a file.")
    return last.encode("utf-8", "replace").decode()


def _remove(folder: Path, name: str) -> None:
    """Remove a file, following no link on the way."""
    held = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)]
    parts = PurePosixPath(name).parts
    try:
        for part in parts[:-1]:
            held.append(os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=held[-1]))
        os.unlink(parts[-1], dir_fd=held[-1])
    except OSError as error:
        raise InputError(f"The file cannot be removed: {error.strerror}.") from error
    finally:
        for descriptor in held:
            os.close(descriptor)
