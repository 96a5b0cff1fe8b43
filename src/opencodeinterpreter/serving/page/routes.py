"""Serves the page. Nothing of it is secret, so it needs no key: the page asks the API with one.

Two kinds of documents, each with a policy of its own. The page runs the scripts of its own files alone, reads no HTML
but that of plain tables (and takes only texts out of it), and can reach nothing but this server. A frame, for output
that is not to be trusted, has no origin and no network at all; it gets its content as a message from the page.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from opencodeinterpreter.serving.page.tickets import Tickets

PUBLIC_PAGES = ("/", "/static/", "/frame/", "/ticket")
"""The paths, or where they end in "/" all below them, that need no key."""

PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types tables",
    )
)

_FRAME_SCRIPTS = {
    "still": ("vendor/dompurify/purify.js", "js/framed.js"),
    "live": ("js/framed.js",),
    "plotly": ("vendor/plotly/plotly.js", "js/framed.js"),
}
"""Kind of frame → its own scripts."""

_HARDENED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    # Always asked for again, so that a new version's files never meet an old one's; unchanged ones are not sent.
    "Cache-Control": "no-cache",
}


def page_routes(tickets: Tickets | None = None) -> list[BaseRoute]:
    """Return the routes of the page: ``/``, ``/static/…``, ``/frame/KIND`` and ``/ticket``.

    Args:
        tickets: what the browser that we start ourselves gets the token for.
    """
    tickets = tickets or Tickets("")
    return [
        Route("/ticket", tickets.exchange, methods=["POST"]),
        Route("/", _page, methods=["GET"]),
        Route("/frame/{kind}", _frame, methods=["GET"]),
        Mount("/static", _Static(directory=static_folder())),
    ]


def static_folder() -> Path:
    """Return the folder of the page's files."""
    return Path(str(files(__package__) / "static"))


def _page(_request: Request) -> Response:
    text = (static_folder() / "index.html").read_text(encoding="utf-8")
    return HTMLResponse(text, headers={**_HARDENED, "Content-Security-Policy": PAGE_POLICY})


def _frame(request: Request) -> Response:
    kind = request.path_params["kind"]
    if kind not in _FRAME_SCRIPTS:
        raise HTTPException(404, "There is no such frame.")
    document, policy = frame_document(kind)
    return HTMLResponse(document, headers={**_HARDENED, "Content-Security-Policy": policy})


@cache
def frame_document(kind: str) -> tuple[str, str]:
    """Return the document of a frame and its policy.

    The document holds its own scripts: a frame has nothing to ask for, not even of this server. Scripts of the output
    run only in a "live" frame, which a person has started.

    Args:
        kind: "still", "live" or "plotly".
    """
    scripts = [(static_folder() / name).read_text(encoding="utf-8") for name in _FRAME_SCRIPTS[kind]]
    style = (static_folder() / "css" / "framed.css").read_text(encoding="utf-8")
    if any("</script" in script.lower() for script in scripts):
        raise ValueError("a script of a frame would end its element too early")
    body = "\n".join(f"<script>{script}</script>" for script in scripts)
    document = (
        f'<!doctype html>\n<html><head><meta charset="utf-8"><title>Output</title><style>{style}</style></head>'
        f"<body>{body}</body></html>\n"
    )
    allowed = "'unsafe-inline' 'unsafe-eval'" if kind == "live" else " ".join(_hash(script) for script in scripts)
    policy = "; ".join(
        (
            "sandbox allow-scripts",
            "default-src 'none'",
            f"script-src {allowed}",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "font-src data:",
            "media-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )
    return document, policy


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


class _Static(StaticFiles):
    """The page's files, sent again only where they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_HARDENED)
        return response
