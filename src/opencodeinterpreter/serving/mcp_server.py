"""The interpreter as tools for other programs, by the Model Context Protocol."""

from __future__ import annotations

import base64
import binascii
import tempfile
import threading
from collections.abc import Callable
from contextlib import aclosing, nullcontext, suppress
from pathlib import Path
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import BlobResourceContents, CallToolResult, ContentBlock, EmbeddedResource, TextContent
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from opencodeinterpreter import __version__
from opencodeinterpreter.errors import InputError, OcintError, UnknownSessionError
from opencodeinterpreter.serving.access import Key
from opencodeinterpreter.serving.files_api import preview_of
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.mcp_results import TEXT_CHARACTERS, link, of_run, preview, uri
from opencodeinterpreter.serving.quotas import Quotas
from opencodeinterpreter.serving.room import Room
from opencodeinterpreter.serving.run_rows import Run, run_rows

_ABOUT = """Runs Python in an isolated session without network whose variables and files last from call to call.
Figures and files that code makes come as links, figures with a small preview. Code that fails is a result, not an
error of the tool. `do_task` hands a whole job to the local model of this server, which writes, runs and mends code by
itself."""
_INLINE_BYTES = 256 << 10
_READ_BYTES = 32 << 20

Session = Annotated[
    str, Field(description="The session, as an earlier call named it; empty for this connection's own.", max_length=100)
]


class Sessions:
    """Which session a call is for: the one it names, else the connection's own, made with its first call."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._quotas = Quotas(hub)
        self._own: dict[str, str] = {}
        self._lock = threading.Lock()
        hub.gone.append(self._forget)

    def __len__(self) -> int:
        """Return how many connections have a session of their own."""
        return len(self._own)

    def room(self, context: Context[Any, Any], named: str) -> Room:
        """Return the session of a call.

        Raises:
            OcintError: there is no such session, or no more may be made.
        """
        key = _key(context)
        owner = key.name if key is not None else ""
        if named:
            return _limited(self._hub.room(named, owner), key)
        # Over HTTP a connection has an id of its own, or none at all: then each call that names no session begins one.
        connection = context.headers.get("mcp-session-id") if context.headers is not None else "stdio"
        with self._lock:
            known = self._own.get(f"{owner}/{connection}") if connection else None
            if known is not None:
                with suppress(UnknownSessionError):  # it is just being deleted
                    return _limited(self._hub.room(known, owner), key)
            if key is not None:
                self._quotas.check_sessions(key)
            room = self._hub.create(owner, title="MCP", approve=False)
            if connection:
                self._own[f"{owner}/{connection}"] = room.id
            return _limited(room, key)

    def begin(self, context: Context[Any, Any], room: Room, begin: Callable[[], Run]) -> Run:
        """Begin a run in the session of a call.

        Raises:
            OcintError: the session does something else, or no more may run.
        """
        key = _key(context)
        with self._quotas.new_run(key, room.id) if key is not None else nullcontext():
            return begin()

    def _forget(self, identity: str) -> None:
        with self._lock:
            self._own = {connection: each for connection, each in self._own.items() if each != identity}


def _limited(room: Room, key: Key | None) -> Room:
    if key is not None:
        room.turn_seconds = key.turn_seconds
    return room


def make_mcp_server(hub: Hub) -> MCPServer[Any]:
    """Return the MCP server of a hub, for any transport."""
    server: MCPServer[Any] = MCPServer(
        "opencodeinterpreter",
        title="OpenCodeInterpreter",
        instructions=_ABOUT,
        version=__version__,
        log_level="WARNING",
    )
    sessions = Sessions(hub)
    _add_running(server, sessions)
    _add_files(server, hub, sessions)
    return server


def _add_running(server: MCPServer[Any], sessions: Sessions) -> None:
    @server.tool(title="Run Python code")
    async def run_code(
        context: Context[Any, Any],
        code: Annotated[str, Field(description="Python; the value of the last expression is shown too.")],
        session: Session = "",
    ) -> CallToolResult:
        """Run code in a session that keeps its variables, and return what it printed, drew and wrote."""
        room: Room = await _asked(sessions.room, context, session)
        return of_run(room, await _run(sessions, context, room, lambda: room.run_code(code)))

    @server.tool(title="Hand over a task")
    async def do_task(
        context: Context[Any, Any],
        task: Annotated[str, Field(description="What is to be done, in plain words.")],
        files: Annotated[list[str] | None, Field(description="Names of files in the session that it is about.")] = None,
        session: Session = "",
    ) -> CallToolResult:
        """Let the server's own model do a whole task: it writes code, runs it and mends it until there is an answer."""
        room: Room = await _asked(sessions.room, context, session)
        rows = await _run(sessions, context, room, lambda: room.message(task, files or ()))
        answer = next((row["text"] for row in reversed(rows) if row["type"] == "answer"), "")
        return of_run(room, rows, answer)

    @server.tool(title="Begin anew")
    async def reset(context: Context[Any, Any], session: Session = "") -> str:
        """End the session's interpreter: variables and imports are gone, files stay."""
        room: Room = await _asked(sessions.room, context, session)
        await _asked(room.reset)
        return f"The variables of session {room.id} are gone; its files are still there."


def _add_files(server: MCPServer[Any], hub: Hub, sessions: Sessions) -> None:
    @server.tool(title="Put a file")
    async def put_file(
        context: Context[Any, Any],
        name: Annotated[str, Field(description="Its name in the session.", max_length=255)],
        text: Annotated[str | None, Field(description="Its content as text.")] = None,
        data: Annotated[str | None, Field(description="Its content as base64, where it is no text.")] = None,
        session: Session = "",
    ) -> CallToolResult:
        """Put a file into the session's folder, and return what is in it: size, columns, first rows."""
        content = _content(text, data)
        room: Room = await _asked(sessions.room, context, session)
        info, about = await _asked(_put, hub, room, name, content)
        structured = {"session": room.id, "path": info.path, "size": info.size}
        return CallToolResult(content=[TextContent(text=about)], structured_content=structured)

    @server.tool(title="List the files")
    async def list_files(context: Context[Any, Any], session: Session = "") -> CallToolResult:
        """List the files in the session's folder."""
        room: Room = await _asked(sessions.room, context, session)
        files = await _asked(hub.files(room).files)
        lines = [f"{info.path} ({info.size:,} bytes)" for info in files] or ["There are no files yet."]
        blocks: list[ContentBlock] = [TextContent(text="\n".join(lines[:500]))]
        blocks += [link(room, f"files/{info.path}", info.size) for info in files[:100]]
        structured = {"session": room.id, "files": [{"path": info.path, "size": info.size} for info in files]}
        return CallToolResult(content=blocks, structured_content=structured)

    @server.tool(title="Get a file")
    async def get_file(
        context: Context[Any, Any],
        path: Annotated[str, Field(description="As list_files names it.", max_length=4096)],
        session: Session = "",
    ) -> CallToolResult:
        """Return a file: text and small files as they are, pictures as a preview, and a link to the whole."""
        room: Room = await _asked(sessions.room, context, session)
        got: CallToolResult = await _asked(_got, hub, room, path)
        return got

    @server.resource("ocint://sessions/{session}/files/{+path}", name="file", mime_type="application/octet-stream")
    async def file(session: str, path: str, context: Context[Any, Any]) -> bytes:
        """A file of a session."""
        room: Room = await _asked(sessions.room, context, session)
        return bytes(await _asked(hub.files(room).read, path, _READ_BYTES))

    @server.resource("ocint://sessions/{session}/outputs/{name}", name="figure", mime_type="image/png")
    async def figure(session: str, name: str, context: Context[Any, Any]) -> bytes:
        """A figure that code drew."""
        room: Room = await _asked(sessions.room, context, session)
        path = room.folder / "outputs" / Path(name).name
        if not path.is_file():
            raise InputError("There is no such figure.")
        return path.read_bytes()


async def _asked(function: Any, *arguments: Any) -> Any:
    """Call something that may wait, in a thread; what it refuses is told to the client's model."""
    try:
        return await run_in_threadpool(function, *arguments)
    except OcintError as error:
        raise ToolError(str(error)) from error


async def _run(
    sessions: Sessions, context: Context[Any, Any], room: Room, begin: Callable[[], Run]
) -> list[dict[str, Any]]:
    """Begin a run and return its events, telling the client how far it is meanwhile; ends it if the client gives up."""
    rows, step = [], 0
    run: Run = await _asked(sessions.begin, context, room, begin)
    async with aclosing(run_rows(run)) as coming:
        async for _, row in coming:
            rows.append(row)
            message = _progress(row)
            if message:
                step += 1
                await context.report_progress(step, None, message)
    return rows


def _progress(row: dict[str, Any]) -> str:
    kind = row["type"]
    if kind == "round_started":
        return f"round {row['round']}"
    if kind == "code_action_started":
        return "running code"
    if kind == "output_delta" and row["output"]["stream"] in ("stdout", "stderr"):
        return str(row["output"]["text"].strip()[-200:])
    if kind == "execution_finished":
        return f"the code has run: {row['result']['status']}"
    if kind == "tool_request":
        return f"waits for a person to allow the tool {row['server']}.{row['tool']}"
    return str(row["text"])[:200] if kind in ("notice", "interrupted") else ""


def _content(text: str | None, data: str | None) -> bytes:
    if (text is None) == (data is None):
        raise ToolError("Give either text or data.")
    if text is not None:
        return text.encode("utf-8", "replace")
    try:
        return base64.b64decode(data or "", validate=True)
    except (binascii.Error, ValueError):
        raise ToolError("The data is not base64.") from None


def _put(hub: Hub, room: Room, name: str, content: bytes) -> tuple[Any, str]:
    workspace = hub.files(room)
    with tempfile.NamedTemporaryFile(prefix="ocint-upload-") as copy:
        copy.write(content)
        copy.flush()
        info = workspace.upload(Path(copy.name), name)
    room.note({"type": "files_added", "files": [{"path": info.path, "size": info.size}]})
    return info, preview_of(workspace, info)


def _got(hub: Hub, room: Room, path: str) -> CallToolResult:
    workspace = hub.files(room)
    content = workspace.read(path, _INLINE_BYTES + 1)
    size = next((info.size for info in workspace.files() if info.path == path), len(content))
    blocks: list[ContentBlock] = []
    if path.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")):
        with tempfile.NamedTemporaryFile(prefix="ocint-preview-") as copy:
            small = preview(workspace.download(path, Path(copy.name)))
            blocks += [small] if small is not None else []
    elif b"\0" not in content and len(content) <= _INLINE_BYTES and _is_text(content):
        blocks.append(TextContent(text=content.decode()[:TEXT_CHARACTERS]))
    elif len(content) <= _INLINE_BYTES:
        blob = base64.b64encode(content).decode()
        resource = BlobResourceContents(uri=uri(room, f"files/{path}"), blob=blob, mime_type="application/octet-stream")
        blocks.append(EmbeddedResource(resource=resource))
    blocks.append(link(room, f"files/{path}", size))
    return CallToolResult(content=blocks, structured_content={"session": room.id, "path": path, "size": size})


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _key(context: Context[Any, Any]) -> Key | None:
    """Return the key that came with the HTTP request; None where there is none to come, as over standard input."""
    state = getattr(context.request_context.request, "state", None)
    key = getattr(state, "key", None)
    return key if isinstance(key, Key) else None
