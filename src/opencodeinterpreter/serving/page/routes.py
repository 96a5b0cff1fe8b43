"""Serves the page. Nothing of it is secret, so it needs no key: the page asks the API with one.

Two kinds of documents, each with a policy of its own. The page runs the scripts of its own files alone, reads no HTML
but that of plain tables (and takes only texts out of it), and can reach nothing but this server. A frame, for output
that is not to be trusted, has no origin and no network at all; it gets its content as a message from the page.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PUBLIC_PAGES = ("/", "/static/", "/frame/")
"""The paths below which nothing needs a key."""

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
    "still": ("/static/vendor/dompurify/purify.js", "/static/js/framed.js"),
    "live": ("/static/js/framed.js",),
    "plotly": ("/static/vendor/plotly/plotly.js", "/static/js/framed.js"),
}
"""Kind of frame → its own scripts."""

_FRAME = """<!doctype html>
<html><head><meta charset="utf-8"><title>Output</title><link rel="stylesheet" href="/static/css/framed.css"></head>
<body>{scripts}</body></html>
"""

_HARDENED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    # Always asked for again, so that a new version's files never meet an old one's; unchanged ones are not sent.
    "Cache-Control": "no-cache",
}


def page_routes() -> list[BaseRoute]:
    """Return the routes of the page: ``/``, ``/static/…`` and ``/frame/KIND``."""
    return [
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
    scripts = "".join(f'<script src="{path}"></script>' for path in _FRAME_SCRIPTS[kind])
    headers = {**_HARDENED, "Content-Security-Policy": frame_policy(kind, str(request.base_url).rstrip("/"))}
    return HTMLResponse(_FRAME.format(scripts=scripts), headers=headers)


def frame_policy(kind: str, origin: str) -> str:
    """Return a frame's policy: no network whatever; scripts of the output only in a frame that a person started.

    Args:
        kind: "still", "live" or "plotly".
        origin: of the server. A frame's own origin is none, so that 'self' would name nothing in some browsers.
    """
    own = " ".join(f"{origin}{path}" for path in _FRAME_SCRIPTS[kind])
    scripts = f"{own} 'unsafe-inline' 'unsafe-eval'" if kind == "live" else own
    return "; ".join(
        (
            "sandbox allow-scripts",
            "default-src 'none'",
            f"script-src {scripts}",
            f"style-src 'unsafe-inline' {origin}/static/css/framed.css",
            "img-src data: blob:",
            "font-src data:",
            "media-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {origin}",
        )
    )


class _Static(StaticFiles):
    """The page's files, sent again only where they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_HARDENED)
        return response
