"""The MCP servers of one interpreter: started once, asked by the SDK's own client, ended with it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from opencodeinterpreter.interpreter.tools.settings import ToolServer

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal
    from mcp import Client

_MOST_PAGES = 20
_TICK_SECONDS = 0.1
_BEGIN_SECONDS = 5.0
_START_SECONDS = 60.0
"""At least: many servers are fetched when they are first started."""
_LOG = logging.getLogger(__name__)


class ToolFailedError(Exception):
    """A server that cannot be had, or does not answer; the text is fit for people and for code."""


class Servers:
    """Holds the connections to servers, in an event loop of its own. Safe to use from any thread.

    The constructor lets them start and returns at once; ``listed`` waits for them.

    Args:
        servers: what to start or to connect to.
    """

    def __init__(self, servers: Sequence[ToolServer]) -> None:
        self._servers = {server.name: server for server in servers}
        self._stack = contextlib.ExitStack()
        self._connections: dict[str, _Connection] = {}
        self._held: list[concurrent.futures.Future[None]] = []
        self._portal: BlockingPortal | None = None
        self._lock = threading.Lock()
        self._start()

    def listed(self) -> tuple[dict[str, Sequence[Any]], list[str]]:
        """Wait for the servers; return the tools of each, and what is wrong with the others."""
        tools: dict[str, Sequence[Any]] = {}
        wrong: list[str] = []
        for name, connection in list(self._connections.items()):
            try:
                tools[name] = connection.tools()
            except ToolFailedError as error:
                wrong.append(str(error))
        return tools, wrong

    def call(self, server: str, tool: str, arguments: dict[str, Any], gone: Callable[[], bool]) -> Any:
        """Call a tool and return its ``CallToolResult``.

        Args:
            gone: asked now and then; once it holds, the call is given up.

        Raises:
            ToolFailedError: the server has ended, says no, or takes too long; or nobody waits any more.
        """
        settings = self._servers[server]
        connection = self._connections.get(server)
        portal = self._portal
        if connection is None or portal is None:
            raise ToolFailedError(f"the MCP server {server} has been closed")
        asked = portal.start_task_soon(connection.call, tool, arguments)
        deadline = time.monotonic() + settings.timeout
        while not concurrent.futures.wait([asked], _TICK_SECONDS).done:
            late = time.monotonic() > deadline
            if late or gone():
                asked.cancel()
                why = f"did not answer within {settings.timeout:g} s" if late else "was given up"
                raise ToolFailedError(f"{server}.{tool} {why}")
        try:
            return asked.result()
        except concurrent.futures.CancelledError:
            raise ToolFailedError(f"the MCP server {server} has been closed") from None
        except Exception as error:
            raise ToolFailedError(f"{server}.{tool}: {_said(error)}") from error

    def close(self) -> None:
        """End the servers that were started, and wait until they are gone; safe to call twice."""
        with self._lock:
            for connection, held in zip(self._connections.values(), self._held, strict=True):
                # A program that is cancelled while it is being started would be left running.
                connection.begun.wait(_BEGIN_SECONDS)
                held.cancel()
            self._held.clear()
            self._connections.clear()
            self._portal = None
            self._stack.close()

    def _start(self) -> None:
        from anyio.from_thread import start_blocking_portal

        if not self._servers:
            return
        self._portal = self._stack.enter_context(start_blocking_portal())
        for name, server in self._servers.items():
            connection = self._connections[name] = _Connection(server)
            self._held.append(self._portal.start_task_soon(connection.hold))


class _Connection:
    """One server; held and used in the event loop."""

    def __init__(self, server: ToolServer) -> None:
        self.begun = threading.Event()
        """Its program runs, or will not."""
        self._server = server
        self._tools: concurrent.futures.Future[list[Any]] = concurrent.futures.Future()
        self._seconds = max(_START_SECONDS, server.timeout)
        self._until = time.monotonic() + self._seconds
        self._client: Client | None = None

    def tools(self) -> list[Any]:
        """Wait for what ``tools/list`` gave; from another thread.

        Raises:
            ToolFailedError: the server cannot be had.
        """
        try:
            return self._tools.result(max(0.0, self._until - time.monotonic()))
        except concurrent.futures.TimeoutError:
            why = f"it did not answer within {self._seconds:g} s"
            raise ToolFailedError(f"The MCP server {self._server.name} cannot be used: {why}.") from None

    async def hold(self) -> None:
        """Be connected until the task is cancelled."""
        import anyio

        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
            try:
                async with _client(self._server, log, self.begun.set) as client:
                    tools = await _all_tools(client)
                    self._client = client
                    self._tools.set_result(tools)
                    await anyio.sleep_forever()
            except Exception as error:
                _LOG.debug("The MCP server %s failed.", self._server.name, exc_info=True)
                if not self._tools.done():
                    why = _last_line(log) or _said(error)
                    failed = ToolFailedError(f"The MCP server {self._server.name} cannot be used: {why}")
                    self._tools.set_exception(failed)
            finally:
                self._client = None
                self.begun.set()

    async def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        if self._client is None:
            raise ToolFailedError("the server has ended")
        # Its own time is longer than that of who waits here, who says it better.
        return await self._client.call_tool(tool, arguments, read_timeout_seconds=2 * self._server.timeout)


@contextlib.asynccontextmanager
async def _client(server: ToolServer, log: TextIO, begun: Callable[[], None]) -> AsyncIterator[Client]:
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    if server.command is not None:
        async with Client(_program(server, log, begun)) as client:
            yield client
        return
    assert server.url is not None
    begun()
    async with (
        httpx2.AsyncClient(headers=dict(server.headers), timeout=server.timeout) as http,
        Client(streamable_http_client(server.url, http_client=http)) as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def _program(server: ToolServer, log: TextIO, begun: Callable[[], None]) -> AsyncIterator[Any]:
    from mcp import StdioServerParameters
    from mcp.client.stdio import stdio_client

    assert server.command is not None
    started = StdioServerParameters(
        command=server.command, args=list(server.args), env=dict(server.env), cwd=server.cwd
    )
    async with stdio_client(started, errlog=log) as streams:
        begun()
        yield streams


async def _all_tools(client: Client) -> list[Any]:
    tools: list[Any] = []
    cursor = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return tools


def _said(error: BaseException) -> str:
    """Return what an error says, the first of a group for the others."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _last_line(log: TextIO) -> str:
    """Return the last line that a program which did not start has written."""
    with contextlib.suppress(OSError, ValueError):
        log.seek(0)
        lines = [line.strip() for line in log.read()[-10_000:].splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""
    return ""
