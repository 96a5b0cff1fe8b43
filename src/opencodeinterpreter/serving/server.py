"""Runs the application on a port, and ends it in good order."""

from __future__ import annotations

import logging
import socket
import threading
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.serving.hub import Hub

logger = logging.getLogger(__name__)

_LAST_SECONDS = 5
"""For answers that are being sent when everything else has ended."""


class Server(uvicorn.Server):
    """Ends in two steps at SIGTERM or Ctrl-C: runs may end by themselves for a while, then all are stopped and told.

    Args:
        app: what is served.
        hub: whose runs are waited for.
        drain_seconds: how long; a second signal ends the wait.
    """

    def __init__(self, config: uvicorn.Config, hub: Hub, drain_seconds: float) -> None:
        super().__init__(config)
        self._hub = hub
        self._drain_seconds = drain_seconds
        self._draining = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - all signals alike
        if self._draining:
            threading.Thread(target=self._hub.drain, args=(0,), daemon=True).start()
            return
        self._draining = True
        threading.Thread(target=self._end, name="drain", daemon=True).start()

    def _end(self) -> None:
        logger.info("The server ends; what runs has %g s.", self._drain_seconds)
        try:
            self._hub.drain(self._drain_seconds)
        finally:
            self.should_exit = True


def serve(app: ASGIApp, hub: Hub, listener: socket.socket, drain_seconds: float = 10.0) -> None:
    """Serve until a signal ends it. The hub is closed by the caller."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=30,
        limit_concurrency=None,  # it would count connections that ask for nothing too; requests are what Crowd counts
        timeout_graceful_shutdown=_LAST_SECONDS,
    )
    Server(config, hub, drain_seconds).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes any free one.

    Raises:
        InputError: the port is taken, or the address is not ours.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise InputError(f"{host}:{port} cannot be listened on: {error.strerror or error}.") from error
    listener.set_inheritable(True)
    return listener
