"""A real HTTP server on loopback whose every answer a test decides."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """One request as it came, and the means to answer it."""

    handler: http.server.BaseHTTPRequestHandler
    method: str
    path: str
    headers: dict[str, str]
    body: Any

    def answer(self, status: int, body: Any = b"", kind: str = "application/json", **headers: str) -> None:
        data = (
            body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        )
        self.start(status, kind, **{"Content-Length": str(len(data)), **headers})
        if self.method != "HEAD":
            self.handler.wfile.write(data)

    def start(self, status: int, kind: str, **headers: str) -> None:
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()

    def write(self, data: str | bytes) -> None:
        self.handler.wfile.write(data.encode() if isinstance(data, str) else data)
        self.handler.wfile.flush()

    def event(self, row: Any) -> None:
        self.write(f"data: {row if isinstance(row, str) else json.dumps(row)}\n\n")

    def gone(self, seconds: float) -> bool:
        """Whether the client closes the connection within that time."""
        self.handler.connection.settimeout(seconds)
        try:
            return self.handler.connection.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True


@dataclass
class LocalServer:
    url: str
    calls: list[Call] = field(default_factory=list)


@contextlib.contextmanager
def serving(answer: Callable[[Call], None]) -> Iterator[LocalServer]:
    """Serve until the block ends; ``answer`` is called for every request, in a thread of its own."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            body = json.loads(raw) if raw else None
            call = Call(self, self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            server.calls.append(call)
            # Clients of these tests go away in the middle, on purpose.
            with contextlib.suppress(ConnectionError):
                answer(call)

        do_GET = do_POST = do_HEAD = _any  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as http_server:
        server = LocalServer(f"http://127.0.0.1:{http_server.server_address[1]}")
        thread = threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http_server.shutdown()
            thread.join()
