"""Puts the server together: routes, guard, errors in one form, an end that loses nothing."""

from __future__ import annotations

import errno
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from opencodeinterpreter import __version__
from opencodeinterpreter.errors import OcintError
from opencodeinterpreter.serving import (
    files_api,
    openai_api,
    previews_api,
    responses_api,
    runs_api,
    sessions_api,
    shares_api,
)
from opencodeinterpreter.serving.access import Keys
from opencodeinterpreter.serving.crowd import Crowd
from opencodeinterpreter.serving.guard import Guard, GuardSettings
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.links import Links
from opencodeinterpreter.serving.metrics import Metrics
from opencodeinterpreter.serving.openai_asides import Asides
from opencodeinterpreter.serving.openai_dialogs import Dialogs
from opencodeinterpreter.serving.previews import Previews
from opencodeinterpreter.serving.quotas import Quotas
from opencodeinterpreter.serving.refusals import OverloadedError, status_of
from opencodeinterpreter.serving.shares import Shares

logger = logging.getLogger(__name__)

_ABOUT = """Sessions with a language model that writes code and a sandbox that runs it.

Every request needs a key: `Authorization: Bearer KEY`. What happens in a session is a log of numbered events,
which can be followed from any number on."""


def create_app(
    hub: Hub,
    keys: Keys,
    *,
    guard: GuardSettings | None = None,
    pages: Sequence[BaseRoute] = (),
    public_pages: Sequence[str] = (),
    on_start: Callable[[], None] = lambda: None,
    mcp: bool = True,
) -> ASGIApp:
    """Make the server's ASGI application. The hub is the caller's to close, after the server has ended.

    Args:
        keys: who may come in.
        guard: what is let through.
        pages: further routes, such as those of the web page.
        public_pages: those of their paths that need no key.
        on_start: called when requests can be taken.
        mcp: serve the tools of the Model Context Protocol at ``/mcp``.

    Raises:
        ConfigError: the secret of links cannot be kept.
    """
    guard = guard or GuardSettings()
    guard = GuardSettings(**{**guard.__dict__, "public": (*guard.public, shares_api.PUBLIC, *public_pages)})

    tools = _Tools(hub) if mcp else None

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        async with tools.running() if tools is not None else nullcontext():
            on_start()
            yield
            await run_in_threadpool(hub.begin_closing)

    app = FastAPI(
        title="OpenCodeInterpreter",
        version=__version__,
        description=_ABOUT,
        lifespan=life,
        docs_url=None,  # it would ask another host for its scripts
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    links = Links.kept_in(hub.store.root, guard.public_url)
    app.state.hub, app.state.links, app.state.guard, app.state.quotas = hub, links, guard, Quotas(hub)
    app.state.metrics = Metrics(hub)
    app.state.dialogs = Dialogs(hub.store.root)
    app.state.asides = Asides(hub)
    app.state.previews = Previews(hub.isolation)
    app.state.preview_threads = previews_api.new_threads()
    app.state.shares = Shares(hub.store.root, links)
    # Previews before files, whose paths may be anything.
    for module in (sessions_api, runs_api, previews_api, files_api, openai_api, responses_api):
        app.include_router(module.router)
    app.include_router(shares_api.router)
    app.include_router(shares_api.shown)
    app.add_api_route("/healthz", health, methods=["GET"], tags=["server"])
    app.add_api_route("/metrics", figures, methods=["GET"], tags=["server"], response_class=PlainTextResponse)
    if tools is not None:
        app.router.routes.append(Route("/mcp", tools.app, methods=["GET", "POST", "DELETE"]))
    app.router.routes.extend(pages)
    _answer_errors(app)
    return Guard(Crowd(app, guard.requests), keys, links, guard, app.state.metrics.request)


class _Tools:
    """The MCP server as a route; the guard has checked host, origin and key already."""

    def __init__(self, hub: Hub) -> None:
        from mcp.server.transport_security import TransportSecuritySettings

        from opencodeinterpreter.serving.mcp_server import make_mcp_server

        server = make_mcp_server(hub)
        starlette = server.streamable_http_app(
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            max_request_body_size=64 << 20,
        )
        self.app: ASGIApp = starlette.router
        self._manager = server.session_manager

    def running(self) -> AbstractAsyncContextManager[None]:
        return self._manager.run()


async def health(request: Request) -> JSONResponse:
    """Whether the server takes requests; needs no key."""
    # A coroutine, which never waits: in a thread it would wait for others to be free, and a busy server seem dead.
    hub: Hub = request.app.state.hub
    state = "closing" if hub.closing else "ok"
    return JSONResponse({"status": state}, status_code=503 if hub.closing else 200)


def figures(request: Request) -> Response:
    """What Prometheus reads."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _answer_errors(app: FastAPI) -> None:
    """Give every refusal one form, ``{"error": {"message", "type"}}``."""

    @app.exception_handler(OcintError)
    async def refused(_request: Request, error: OcintError) -> JSONResponse:
        status, kind = status_of(error)
        if status < 500 and _is_full(error):
            return no_room()
        headers = {"Retry-After": str(error.retry_after)} if isinstance(error, OverloadedError) else {}
        return answer(status, kind, str(error), headers)

    @app.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        # Without what was sent: it may hold what JSON cannot carry back.
        said = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()[:5])
        return answer(422, "malformed", said)

    @app.exception_handler(HTTPException)
    async def plain(_request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 400 and _is_full(error):  # a form could not be put into the folder for temporary files
            return no_room()
        kind = {404: "not_found", 405: "wrong_method", 413: "too_large"}.get(error.status_code, "bad_request")
        return answer(error.status_code, kind, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(FileNotFoundError)
    async def gone(_request: Request, _error: FileNotFoundError) -> JSONResponse:
        return answer(404, "not_found", "The session is no longer there.")  # deleted since the request began

    @app.exception_handler(OSError)
    async def system(request: Request, error: OSError) -> JSONResponse:
        return no_room() if _is_full(error) else await fault(request, error)

    @app.exception_handler(RecursionError)
    async def too_deep(_request: Request, _error: RecursionError) -> JSONResponse:
        return answer(400, "bad_request", "The request is nested too deeply.")

    @app.exception_handler(Exception)
    async def fault(_request: Request, error: Exception) -> JSONResponse:
        logger.error("A request ended by a fault of the program.", exc_info=error)
        return answer(500, "internal", "The server has a fault; its log says more.")


def _is_full(error: BaseException | None) -> bool:
    """Tell whether what lies behind an error is a disk that takes no more."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__
    return False


def no_room() -> JSONResponse:
    """Return what a disk that takes no more is told as: it is not the client's fault."""
    message = (
        "The server has no room for this: its disk, or its folder for temporary files, is full. "
        "Whoever runs it can make room there."
    )
    return answer(507, "no_room", message)


def answer(status: int, kind: str, message: str, headers: dict[str, Any] | None = None) -> JSONResponse:
    """Return a refusal."""
    safe = message.encode("utf-8", "replace").decode()
    return JSONResponse({"error": {"message": safe, "type": kind}}, status_code=status, headers=headers)
